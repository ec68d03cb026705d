"""Hands from HandPose messages, the inverse of `builders`: what was recorded or received, for pictures and figures."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21, Skeleton


def frame_result(message: Any) -> FrameResult:
    """The hands of a HandPoseArray; without times, which it does not carry."""
    hands = tuple(hand(pose, slot) for slot, pose in enumerate(message.hands))
    return FrameResult(stamp_ns(message.header), message.header.frame_id, hands)


def hand(message: Any, slot: int = 0) -> Hand:
    """The hand of a HandPose. Its slot is not in the message; a covariance that is not known has -1 first, as there."""
    count = len(message.joint_names)
    return Hand(
        id=message.id,
        slot=slot,
        side=Side(message.side),
        side_probability=message.side_probability,
        presence=message.presence,
        joints=np.array([(p.x, p.y, p.z) for p in message.positions], float).reshape(count, 3),
        covariance=_rows(message.covariance, count, 6, -1.0),
        confidence=_rows(message.confidence, count, 1, np.nan)[:, 0],
        skeleton=_skeleton(tuple(message.joint_names)),
    )


def joints_of(hand: Any, skeleton: Skeleton) -> np.ndarray:
    """The joints of a HandPose message in the order of a skeleton, (J, 3) metres; NaN where the message lacks one."""
    joints = np.full((len(skeleton), 3), np.nan)
    positions = {name: (p.x, p.y, p.z) for name, p in zip(hand.joint_names, hand.positions)}
    for row, name in enumerate(skeleton.joint_names):
        joints[row] = positions.get(name, joints[row])
    return joints


def _rows(values: Any, rows: int, columns: int, missing: float) -> np.ndarray:
    values = np.asarray(values, float)
    return values.reshape(rows, columns) if values.size == rows * columns else np.full((rows, columns), missing)


def _skeleton(names: tuple[str, ...]) -> Skeleton:
    """hand21, or a skeleton of those joints with the bones of hand21 that they have both ends of."""
    if names == HAND21.joint_names:
        return HAND21
    return Skeleton("message", names, tuple(bone for bone in HAND21.bones if set(bone) <= set(names)))
