"""Messages for controllers: joint angles, grasps, the grasp's pose, the sizes of the hands. Pure, as `builders`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from hand_pose_ros.hand.bone_file import bones_to_json
from hand_pose_ros.hand.bone_lengths import BoneEstimate
from hand_pose_ros.hand.frames import quaternion_from_matrix
from hand_pose_ros.hand.grasp import OPPOSING
from hand_pose_ros.hand.grasp_label import LABELS
from hand_pose_ros.hand.hand_state import HandState
from hand_pose_ros.hand.kinematics import ANGLE_NAMES
from hand_pose_ros.messages.builders import make_pose
from hand_pose_ros.messages.library import MessageLibrary, make_header
from hand_pose_ros.perception.types import FrameResult, Hand, Side


def hand_joint_states(library: MessageLibrary, result: FrameResult, states: Mapping[int, HandState]) -> Any:
    """sensor_msgs/msg/JointState with the angles of all hands, radians, called `<side>_<angle>`.

    A hand whose side is not known, and of two hands of one side the one that is less sure, has `hand_<slot>` for a side.
    """
    names: list[str] = []
    angles: list[np.ndarray] = []
    taken = set()
    for hand in sorted(result.hands, key=_sureness, reverse=True):
        if (state := states.get(hand.id)) is None:
            continue
        known = hand.side is not Side.UNKNOWN and hand.side not in taken
        taken.add(hand.side)
        owner = hand.side.name.lower() if known else f"hand_{hand.slot}"
        names += [f"{owner}_{name}" for name in ANGLE_NAMES]
        angles.append(state.angles)
    position = np.concatenate(angles) if angles else np.zeros(0)
    header = make_header(library, result.stamp_ns, result.frame_id)
    return library.make("sensor_msgs/msg/JointState", header=header, name=names, position=position)


def hand_grasps(library: MessageLibrary, result: FrameResult, states: Mapping[int, HandState]) -> Any:
    """hand_pose_ros/msg/HandGraspArray of the hands that have a state."""
    hands = [
        library.make(
            "hand_pose_ros/msg/HandGrasp",
            id=int(hand.id),
            side=int(hand.side),
            fingers=list(OPPOSING),
            openings=state.openings,
            pinching=state.pinching.tolist(),
            labels=list(LABELS),
            probabilities=state.probabilities[:-1],
        )
        for hand in result.hands
        if (state := states.get(hand.id)) is not None
    ]
    header = make_header(library, result.stamp_ns, result.frame_id)
    return library.make("hand_pose_ros/msg/HandGraspArray", header=header, hands=hands)


def grasp_pose(library: MessageLibrary, result: FrameResult, states: Mapping[int, HandState]) -> Any | None:
    """geometry_msgs/msg/PoseStamped of the grasp of the surest hand that has one; None without."""
    for hand in sorted(result.hands, key=_sureness, reverse=True):
        state = states.get(hand.id)
        if state is not None and state.grasp is not None:
            pose = make_pose(library, state.grasp.origin, quaternion_from_matrix(state.grasp.axes))
            header = make_header(library, result.stamp_ns, result.frame_id)
            return library.make("geometry_msgs/msg/PoseStamped", header=header, pose=pose)
    return None


def hand_bones(library: MessageLibrary, known: list[tuple[Hand, BoneEstimate]]) -> Any:
    """std_msgs/msg/String: JSON of the sizes of these hands, as `bone_file` reads them."""
    hands = [
        {
            "id": int(hand.id),
            "slot": int(hand.slot),
            "side": hand.side.name.lower(),
            "frames": estimate.frames,
            **bones_to_json(estimate.bones),
        }
        for hand, estimate in known
    ]
    return library.make("std_msgs/msg/String", data=json.dumps({"hands": hands}))


def _sureness(hand: Hand) -> float:
    confidence = np.asarray(hand.confidence, float)
    return float(hand.presence) * float(np.nanmean(confidence) if np.isfinite(confidence).any() else 1.0)
