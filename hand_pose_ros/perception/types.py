"""What passes between the stages: a depth frame in, hands out."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import Skeleton


class Side(IntEnum):
    """Which hand, with the numbers of HandPose.msg."""

    UNKNOWN = 0
    LEFT = 1
    RIGHT = 2


@dataclass(frozen=True)
class DepthFrame:
    """One depth image ready for perception.

    :param depth: (H, W) float32 metres, invalid pixels 0
    :param camera: its camera, same width and height
    :param stamp_ns: the image's stamp, nanoseconds
    :param frame_id: the image's frame (camera optical frame)
    """

    depth: np.ndarray
    camera: Camera
    stamp_ns: int
    frame_id: str


@dataclass(frozen=True)
class Hand:
    """One hand in one frame.

    :param id: stays with the hand while it is tracked, never used again
    :param slot: 0..max_hands-1, used again after the hand is gone (names its TF frames)
    :param side: left, right or unknown; `side_probability` is the probability of `side`, NaN where unknown
    :param presence: probability that this is a hand
    :param joints: (J, 3) metres, camera optical frame
    :param covariance: (J, 6) m^2, xx xy xz yy yz zz
    :param confidence: (J,) probability that the joint is within 20 mm
    """

    id: int
    slot: int
    side: Side
    side_probability: float
    presence: float
    joints: np.ndarray
    covariance: np.ndarray
    confidence: np.ndarray
    skeleton: Skeleton


@dataclass(frozen=True)
class FrameResult:
    """All hands of one frame, with the time that each stage took in milliseconds."""

    stamp_ns: int
    frame_id: str
    hands: tuple[Hand, ...]
    stage_ms: dict[str, float] = field(default_factory=dict)
