"""A synthetic sequence as a rosbag2 recording: depth, camera info and the known hands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hand_pose_ros.bags.replay import TRUTH_TOPIC
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.messages.builders import hand_pose_array
from hand_pose_ros.messages.library import MessageLibrary, make_header
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.synthetic.sequence import HandSequence, KnownHand
from hand_pose_training.synthetic.two_hands import TwoHandSequence

DEPTH_TOPIC, INFO_TOPIC = "/depth/image_rect", "/depth/camera_info"
IMAGE_TYPE, INFO_TYPE, TRUTH_TYPE = "sensor_msgs/msg/Image", "sensor_msgs/msg/CameraInfo", "hand_pose_ros/msg/HandPoseArray"
FRAME_ID = "camera_depth_optical_frame"
START_NS = 1_700_000_000_000_000_000  # any fixed date, so that the same sequence gives the same file


def write_recording(path: Path | str, sequence: HandSequence | TwoHandSequence) -> int:
    """Write a sequence as an MCAP recording.

    :param path: the recording's folder, which must not exist
    :return: size of its files in bytes
    :raises BagError: the folder exists or cannot be written
    """
    library = RosbagsLibrary("humble")
    with BagWriter(path, library, compression="zstd") as writer:
        for topic, typename in ((DEPTH_TOPIC, IMAGE_TYPE), (INFO_TOPIC, INFO_TYPE), (TRUTH_TOPIC, TRUTH_TYPE)):
            writer.add_topic(topic, typename)
        for k in tqdm(range(len(sequence)), desc="frames", unit="frame"):
            frame = sequence[k]
            stamp_ns = START_NS + round(frame.stamp_s * 1e9)
            for topic, typename, message in (
                (INFO_TOPIC, INFO_TYPE, camera_info(library, sequence.camera, stamp_ns)),
                (DEPTH_TOPIC, IMAGE_TYPE, depth_image(library, frame.depth_mm, stamp_ns)),
                (TRUTH_TOPIC, TRUTH_TYPE, hand_pose_array(library, known_hands(frame.hands, stamp_ns), "ground_truth")),
            ):
                writer.write(topic, stamp_ns, library.serialize(message, typename))
    return sum(file.stat().st_size for file in Path(path).iterdir())


def depth_image(library: MessageLibrary, depth_mm: np.ndarray, stamp_ns: int) -> Any:
    """sensor_msgs/Image 16UC1 of (H, W) uint16 millimetres."""
    height, width = depth_mm.shape
    data = np.ascontiguousarray(depth_mm, "<u2").view(np.uint8).reshape(-1)
    header = make_header(library, stamp_ns, FRAME_ID)
    return library.make(IMAGE_TYPE, header=header, height=height, width=width, encoding="16UC1", step=2 * width, data=data)


def camera_info(library: MessageLibrary, camera: Camera, stamp_ns: int) -> Any:
    """sensor_msgs/CameraInfo of a rectified camera."""
    k = np.array([[camera.fx, 0, camera.cx], [0, camera.fy, camera.cy], [0, 0, 1]])
    return library.make(
        INFO_TYPE,
        header=make_header(library, stamp_ns, FRAME_ID),
        height=camera.height,
        width=camera.width,
        distortion_model="plumb_bob",
        d=np.zeros(5),
        k=k,
        r=np.eye(3),
        p=np.hstack([k, np.zeros((3, 1))]),
    )


def known_hands(hands: Sequence[KnownHand], stamp_ns: int) -> FrameResult:
    """Those of the known hands of which something can be seen, as a result without doubt; the presence is how much."""
    return FrameResult(
        stamp_ns,
        FRAME_ID,
        tuple(
            Hand(
                id=hand.id,
                slot=slot,
                side=Side.RIGHT if hand.right else Side.LEFT,
                side_probability=1.0,
                presence=hand.visible,
                joints=hand.joints,
                covariance=np.zeros((len(hand.joints), 6)),
                confidence=np.ones(len(hand.joints)),
                skeleton=HAND21,
            )
            for slot, hand in enumerate(hands)
            if hand.visible > 0
        ),
    )
