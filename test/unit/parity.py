"""The recording that every way through the package has to answer alike, and the comparison of what they answer.

A cut of the bundled recording, at its full size: the hand is followed, hidden until it is lost, and found again.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.source import SourceFrame, open_source
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.cli import main
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, HANDS
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.read_hands import joints_of
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.share import DEMO_RECORDING, find
from hand_pose_ros.skeleton import HAND21

FRAMES = 60
HIDDEN = range(25, 40)  # longer than the node remembers a hand that it does not see
# Joints are float64 in the message, all else float32; both sides run the same operations, on different threads.
JOINTS_M, OTHERS = 1e-6, 1e-5


@dataclass(frozen=True)
class Cut:
    """The recording, its frames as messages, and the joints of its hand by stamp: (21, 3) metres."""

    path: Path
    frames: list[SourceFrame]
    truth: dict[int, np.ndarray]


def write_cut(path: Path) -> Cut:
    """The first frames of the bundled recording; in those that are `HIDDEN` nothing nearer than 10 cm behind the hand is left."""
    library = RosbagsLibrary("jazzy")
    with closing(open_source(find(DEMO_RECORDING), library, truth_topic="/ground_truth/hands")) as source:
        frames = list(islice(source.frames(), FRAMES))
        truth = {stamp: joints_of(message.hands[0], HAND21) for stamp, message in source.truth.items()}
    for index in HIDDEN:
        image = frames[index].image
        counts = image.data.view(np.uint16).copy()
        counts[counts < 1000 * (truth[stamp_ns(image.header)][:, 2].max() + 0.1)] = 0
        image.data = counts.view(np.uint8)
    with BagWriter(path, library) as writer:
        for spec in (CAMERA_INFO, DEPTH_IMAGE):
            writer.add_topic(f"/{spec.name}", spec.typename)
        for frame in frames:
            for spec, message in ((CAMERA_INFO, frame.info), (DEPTH_IMAGE, frame.image)):
                writer.write(f"/{spec.name}", stamp_ns(message.header), library.serialize(message, spec.typename))
    return Cut(path, frames, {stamp_ns(frame.image.header): truth[stamp_ns(frame.image.header)] for frame in frames})


def replayed(recording: Path, out: Path) -> dict[int, Any]:
    """HandPoseArray by stamp, of `hand-pose replay`."""
    assert main(["replay", str(recording), "--out", str(out), "--no-video"]) == 0
    library = RosbagsLibrary()
    with BagReader(out / "bag") as bag:
        messages = [library.deserialize(message.cdr, HANDS.typename) for message in bag.messages({f"/{HANDS.name}"})]
    return {stamp_ns(message.header): message for message in messages}


def assert_same_hands(ours: dict[int, Any], theirs: dict[int, Any]) -> None:
    """The same stamps with the same hands in the same order, to float tolerance."""
    assert list(ours) == list(theirs)
    for stamp, message in ours.items():
        other = theirs[stamp]
        assert (message.header.frame_id, message.model_id) == (other.header.frame_id, other.model_id)
        assert [(h.id, h.side, list(h.joint_names)) for h in message.hands] == [
            (h.id, h.side, list(h.joint_names)) for h in other.hands
        ]
        for hand, same in zip(message.hands, other.hands):
            np.testing.assert_allclose(_positions(hand), _positions(same), rtol=0, atol=JOINTS_M)
            for field in ("covariance", "confidence", "side_probability", "presence"):
                np.testing.assert_allclose(getattr(hand, field), getattr(same, field), rtol=OTHERS, atol=1e-12, err_msg=field)


def assert_followed_lost_and_found(hands: dict[int, Any], cut: Cut) -> None:
    """The cut shows what it is for: one hand near the true joints, none while hidden, then the hand under a new id."""
    ids = [[hand.id for hand in hands[stamp].hands] for stamp in cut.truth]
    assert ids == [[1]] * HIDDEN.start + [[]] * len(HIDDEN) + [[2]] * (FRAMES - HIDDEN.stop)
    errors = [
        np.linalg.norm(joints_of(message.hands[0], HAND21) - cut.truth[stamp], axis=1)
        for stamp, message in hands.items()
        if message.hands
    ]
    assert np.mean(errors) < 0.008 and np.mean(errors, axis=1).max() < 0.025


def _positions(hand: Any) -> np.ndarray:
    return np.array([(p.x, p.y, p.z) for p in hand.positions])
