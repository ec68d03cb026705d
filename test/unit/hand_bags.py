"""Recordings of hands alone, as a node or a motion capture system publishes them: small messages, any number of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from small_bags import FRAME_ID, HANDS, START_NS

from hand_pose_ros.messages.library import make_header
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.skeleton import HAND21

TF_MESSAGE = "tf2_msgs/msg/TFMessage"
# (21, 3) metres: a hand's joints about their mean, none at the place of another.
SHAPE = np.stack([np.linspace(-0.04, 0.04, 21), 0.03 * np.sin(np.arange(21)), 0.01 * np.cos(np.arange(21))], axis=1)
SHAPE -= SHAPE.mean(axis=0)


class Said(NamedTuple):
    """A hand as somebody says it is."""

    joints: np.ndarray
    id: int = 1
    side: int = 2
    names: tuple[str, ...] = HAND21.joint_names


def moved(joints: np.ndarray, x: float, y: float, z: float) -> np.ndarray:
    """(J, 3) metres, shifted."""
    return joints + np.array([x, y, z])


def hand_at(x: float = 0.0, y: float = 0.0, z: float = 0.5, **fields: Any) -> Said:
    """A hand whose joints' mean is there."""
    return Said(moved(SHAPE, x, y, z), **fields)


def stamp_of(seconds: float) -> int:
    return START_NS + round(seconds * 1e9)


def hands_message(library: RosbagsLibrary, stamp_ns: int, hands: Iterable[Said], frame_id: str = FRAME_ID) -> Any:
    def message(hand: Said) -> Any:
        points = [library.make("geometry_msgs/msg/Point", x=x, y=y, z=z) for x, y, z in np.asarray(hand.joints, float).tolist()]
        return library.make(
            "hand_pose_ros/msg/HandPose", id=hand.id, side=hand.side, joint_names=list(hand.names), positions=points
        )

    header = make_header(library, stamp_ns, frame_id)
    return library.make(HANDS, header=header, model_id="test", hands=[message(hand) for hand in hands])


def transform_message(
    library: RosbagsLibrary, stamp_ns: int, parent: str, child: str, translation: Any, quaternion: Any = (0, 0, 0, 1)
) -> Any:
    """tf2_msgs/TFMessage of one transform."""
    xyz = dict(zip("xyz", map(float, translation)))
    xyzw = dict(zip("xyzw", map(float, quaternion)))
    transform = library.make(
        "geometry_msgs/msg/Transform",
        translation=library.make("geometry_msgs/msg/Vector3", **xyz),
        rotation=library.make("geometry_msgs/msg/Quaternion", **xyzw),
    )
    header = make_header(library, stamp_ns, parent)
    stamped = library.make("geometry_msgs/msg/TransformStamped", header=header, child_frame_id=child, transform=transform)
    return library.make(TF_MESSAGE, transforms=[stamped])


def write_messages(path: Path, library: RosbagsLibrary, messages: Iterable[tuple[str, int, Any]]) -> Path:
    """A recording of (topic, time of recording in ns, message), in their order."""
    with Writer(path, version=8, storage_plugin=StoragePlugin.MCAP) as writer:
        connections: dict[str, Any] = {}
        for topic, received_ns, message in messages:
            typename = message.__msgtype__
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, typename, typestore=library.typestore)
            writer.write(connections[topic], received_ns, library.serialize(message, typename))
    return path


def hands_bag(
    path: Path,
    library: RosbagsLibrary,
    found: dict[float, list[Said]],
    true: dict[float, list[Said]],
    *,
    found_frame: str = FRAME_ID,
    true_frame: str = FRAME_ID,
    latency_s: float = 0.02,
    more: Iterable[tuple[str, int, Any]] = (),
) -> Path:
    """A recording with /hands and /truth; keys are seconds since START_NS.

    :param more: further messages, recorded before these
    """
    moments = [(s, "/hands", found_frame, hands) for s, hands in found.items()]
    moments += [(s, "/truth", true_frame, hands) for s, hands in true.items()]
    messages = [
        (topic, stamp_of(s + latency_s), hands_message(library, stamp_of(s), hands, frame))
        for s, topic, frame, hands in sorted(moments, key=lambda m: (m[0], m[1]))
    ]
    return write_messages(path, library, [*more, *messages])
