"""The recording that every way through the package has to answer alike, and the comparison of what they answer.

A cut of the bundled recording, at its full size: its two hands are followed, hidden until they are lost, and found again.
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
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.finder import load_detector
from hand_pose_ros.live.parameters import LIVE_SMOOTHING, Parameters
from hand_pose_ros.live.topics import CAMERA_INFO, DEPTH_IMAGE, HANDS
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.read_hands import joints_of
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.scoring.matching import match_joints
from hand_pose_ros.share import DEMO_RECORDING, find
from hand_pose_ros.skeleton import HAND21

FRAMES = 60
HIDDEN = range(20, 40)  # longer than the node remembers a hand that it does not see
# Joints are float64 in the message, all else float32; both sides run the same operations, on different threads.
JOINTS_M, OTHERS = 1e-6, 1e-5


def node_pipeline(model: Path) -> Pipeline:
    """What a node with this model has by default, the transport aside."""
    parameters = Parameters()
    return Pipeline(load_engine(model), parameters.pipeline_settings(), load_detector(parameters))


@dataclass(frozen=True)
class Cut:
    """The recording, its frames as messages, and the joints of its hands by stamp: (2, 21, 3) metres."""

    path: Path
    frames: list[SourceFrame]
    truth: dict[int, np.ndarray]


def write_cut(path: Path) -> Cut:
    """The first frames of the bundled recording; in the `HIDDEN` ones nothing nearer than 50 cm behind the hands is left."""
    library = RosbagsLibrary("jazzy")
    with closing(open_source(find(DEMO_RECORDING), library, truth_topic="/ground_truth/hands")) as source:
        frames = list(islice(source.frames(), FRAMES))
        stamps = [stamp_ns(frame.image.header) for frame in frames]
        truth = {stamp: np.stack([joints_of(hand, HAND21) for hand in source.truth[stamp].hands]) for stamp in stamps}
    for index in HIDDEN:
        image = frames[index].image
        counts = image.data.view(np.uint16).copy()
        counts[counts < 1000 * (truth[stamps[index]][..., 2].max() + 0.5)] = 0
        image.data = counts.view(np.uint8)
    with BagWriter(path, library) as writer:
        for spec in (CAMERA_INFO, DEPTH_IMAGE):
            writer.add_topic(f"/{spec.name}", spec.typename)
        for frame in frames:
            for spec, message in ((CAMERA_INFO, frame.info), (DEPTH_IMAGE, frame.image)):
                writer.write(f"/{spec.name}", stamp_ns(message.header), library.serialize(message, spec.typename))
    return Cut(path, frames, truth)


def replayed(recording: Path, out: Path) -> dict[int, Any]:
    """HandPoseArray by stamp, of `hand-pose replay` with the smoothing that a live node has by default."""
    smoothing = f"smoothing:={LIVE_SMOOTHING}"
    assert main(["replay", str(recording), "--out", str(out), "--no-video", "--set", smoothing]) == 0
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
            assert (hand.grasp_valid, hand.grasp_label) == (same.grasp_valid, same.grasp_label)
            for field in ("covariance", "confidence", "side_probability", "presence", "grasp_width", "grasp_confidence"):
                np.testing.assert_allclose(getattr(hand, field), getattr(same, field), rtol=OTHERS, atol=1e-12, err_msg=field)


def assert_followed_lost_and_found(hands: dict[int, Any], cut: Cut) -> None:
    """The cut shows what it is for: both hands near the true joints, none while hidden, then both under new ids.

    They come back while they cross, so that one may be found some frames later.
    """
    ids = [sorted(hand.id for hand in hands[stamp].hands) for stamp in cut.truth]
    assert ids[: HIDDEN.stop] == [[1, 2]] * HIDDEN.start + [[]] * len(HIDDEN)
    assert all(3 in found and set(found) <= {3, 4} for found in ids[HIDDEN.stop :]) and ids[-5:] == [[3, 4]] * 5
    errors = []
    for stamp, message in hands.items():
        found = [joints_of(hand, HAND21) for hand in message.hands]
        pairs = match_joints(found, list(cut.truth[stamp]))
        assert len(pairs) == len(found)
        errors += [np.linalg.norm(found[i] - cut.truth[stamp][j], axis=1) for j, i in pairs.items()]
    assert np.mean(errors) < 0.012 and np.mean(errors, axis=1).max() < 0.04


def _positions(hand: Any) -> np.ndarray:
    return np.array([(p.x, p.y, p.z) for p in hand.positions])
