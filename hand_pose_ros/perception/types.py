"""What passes between the stages: a depth frame in, hands out."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.transform import RigidTransform
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
    :param color: (H, W, 3) uint8 RGB, registered to the depth image: of its size, camera and moment; None where there is none
    """

    depth: np.ndarray
    camera: Camera
    stamp_ns: int
    frame_id: str
    color: np.ndarray | None = None

    def __post_init__(self) -> None:
        if self.color is not None and self.color.shape != (*self.depth.shape, 3):
            raise ValueError(f"colour image of shape {self.color.shape} is not registered to a depth image of {self.depth.shape}")


@dataclass(frozen=True)
class PixelRegion:
    """A box in the depth image in which a hand may be, as a detector says; it may reach beyond the image.

    :param u_min, v_min, u_max, v_max: its outer edges, pixels; the image's own are -0.5 and width - 0.5 or height - 0.5
    :param score: the detector's, higher is surer
    """

    u_min: float
    v_min: float
    u_max: float
    v_max: float
    score: float = 1.0


@dataclass(frozen=True)
class Hand:
    """One hand in one frame.

    :param id: stays with the hand while it is tracked, never used again
    :param slot: 0..max_hands-1, used again after the hand is gone (names its TF frames)
    :param side: left, right or unknown; `side_probability` is the probability of `side`, NaN where unknown
    :param presence: probability that this is a hand
    :param joints: (J, 3) metres, in the frame of the result that it is part of
    :param covariance: (J, 6) m^2, xx xy xz yy yz zz, about that frame's axes
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
    """All hands of one frame, with the time that each stage took in milliseconds.

    Perception answers in the image's frame (camera optical frame); `transformed` gives the same hands in another.
    """

    stamp_ns: int
    frame_id: str
    hands: tuple[Hand, ...]
    stage_ms: dict[str, float] = field(default_factory=dict)

    def transformed(self, transform: RigidTransform, frame_id: str) -> FrameResult:
        """The same in another frame.

        :param transform: maps points of this result's frame into `frame_id`
        """
        hands = tuple(
            replace(hand, joints=transform.points(hand.joints), covariance=transform.covariances(hand.covariance))
            for hand in self.hands
        )
        return replace(self, frame_id=frame_id, hands=hands)
