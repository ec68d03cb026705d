"""Messages for controllers: joint angles, grasps, the grasp's pose, the sizes of the hands. Pure, as `builders`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from hand_pose_ros.hand.bone_file import bones_to_json
from hand_pose_ros.hand.bone_lengths import BoneEstimate
from hand_pose_ros.hand.frames import quaternion_from_matrix
from hand_pose_ros.hand.grasp import OPPOSING, GraspFrame
from hand_pose_ros.hand.grasp_label import LABELS
from hand_pose_ros.hand.hand_state import HandState
from hand_pose_ros.hand.kinematics import ANGLE_NAMES
from hand_pose_ros.messages.builders import make_pose
from hand_pose_ros.messages.library import MessageLibrary, make_header
from hand_pose_ros.perception.types import FrameResult, Hand


def hand_joint_states(
    library: MessageLibrary, result: FrameResult, states: Mapping[int, HandState], owners: Mapping[int, str]
) -> Any:
    """sensor_msgs/msg/JointState with the angles of all hands, radians, called `<owner>_<angle>`.

    :param states: by the hand's id
    :param owners: what each of these hands is called
    """
    known = [hand.id for hand in result.hands if hand.id in states]
    names = [f"{owners[hand]}_{name}" for hand in known for name in ANGLE_NAMES]
    position = np.concatenate([states[hand].angles for hand in known]) if known else np.zeros(0)
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


def grasp_pose(library: MessageLibrary, result: FrameResult, grasp: GraspFrame) -> Any:
    """geometry_msgs/msg/PoseStamped of the grasp of one of the hands."""
    pose = make_pose(library, grasp.origin, quaternion_from_matrix(grasp.axes))
    header = make_header(library, result.stamp_ns, result.frame_id)
    return library.make("geometry_msgs/msg/PoseStamped", header=header, pose=pose)


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
