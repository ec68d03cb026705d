"""Messages from hands: HandPoseArray, palm poses, transforms.

Pure: the same result gives the same messages, stamped as the image.

Every builder takes a `MessageLibrary`, so the code is the same with and without ROS 2. What is not known is said as HandPose.msg
says: NaN, -1 in a covariance's first entry, or an empty string.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from hand_pose_ros.hand.frames import bone_quaternions, palm_covariance, palm_pose, quaternion_from_matrix
from hand_pose_ros.hand.grasp_label import grasp_label
from hand_pose_ros.hand.hand_state import HandState
from hand_pose_ros.messages.library import MessageLibrary, make_header
from hand_pose_ros.perception.types import FrameResult, Hand

NAN = float("nan")


def hand_pose_array(
    library: MessageLibrary, result: FrameResult, model_id: str, states: Mapping[int, HandState] = MappingProxyType({})
) -> Any:
    """hand_pose_ros/msg/HandPoseArray of one frame; without hands an empty one.

    :param model_id: name of the model, as in its card
    :param states: what is known of the grasps of its hands, by id
    """
    return library.make(
        "hand_pose_ros/msg/HandPoseArray",
        header=make_header(library, result.stamp_ns, result.frame_id),
        model_id=model_id,
        hands=[hand_pose(library, hand, states.get(hand.id)) for hand in result.hands],
    )


def hand_pose(library: MessageLibrary, hand: Hand, state: HandState | None = None) -> Any:
    """hand_pose_ros/msg/HandPose; without a state its grasp is not known."""
    palm = palm_pose(hand.joints, hand.skeleton)
    return library.make(
        "hand_pose_ros/msg/HandPose",
        id=int(hand.id),
        side=int(hand.side),
        side_probability=float(hand.side_probability),
        presence=float(hand.presence),
        joint_names=list(hand.skeleton.joint_names),
        positions=make_points(library, hand.joints),
        covariance=_covariance(hand),
        confidence=hand.confidence,
        palm=_unknown_pose(library) if palm is None else make_pose(library, palm.center, palm.quaternion),
        palm_covariance=_palm_covariance(hand),
        **_grasp(library, state),
    )


def palm_poses(library: MessageLibrary, result: FrameResult) -> Any:
    """geometry_msgs/msg/PoseArray with the palm of every hand whose palm is known, for tools that know no hands."""
    palms = [palm_pose(hand.joints, hand.skeleton) for hand in result.hands]
    poses = [make_pose(library, p.center, p.quaternion) for p in palms if p is not None and np.isfinite(p.quaternion).all()]
    return library.make("geometry_msgs/msg/PoseArray", header=make_header(library, result.stamp_ns, result.frame_id), poses=poses)


def hand_transforms(library: MessageLibrary, result: FrameResult, frame_prefix: str = "") -> Any:
    """tf2_msgs/msg/TFMessage: the bone frame of every joint as a child of the image's frame.

    Children are called `<frame_prefix>hand_<slot>/<joint>`; orientation as in `hand_pose_ros.hand.frames`.
    """
    header = make_header(library, result.stamp_ns, result.frame_id)
    transforms = []
    for hand in result.hands:
        quaternions = bone_quaternions(hand.joints, hand.skeleton).tolist()
        for name, (x, y, z), q in zip(hand.skeleton.joint_names, np.asarray(hand.joints, dtype=float).tolist(), quaternions):
            transform = library.make(
                "geometry_msgs/msg/Transform",
                translation=library.make("geometry_msgs/msg/Vector3", x=x, y=y, z=z),
                rotation=_quaternion(library, q),
            )
            child = f"{frame_prefix}hand_{hand.slot}/{name}"
            transforms.append(
                library.make("geometry_msgs/msg/TransformStamped", header=header, child_frame_id=child, transform=transform)
            )
    return library.make("tf2_msgs/msg/TFMessage", transforms=transforms)


def make_points(library: MessageLibrary, points: np.ndarray) -> list[Any]:
    """(N, 3) metres -> geometry_msgs/msg/Point of each."""
    return [library.make("geometry_msgs/msg/Point", x=x, y=y, z=z) for x, y, z in np.asarray(points, dtype=float).tolist()]


def make_pose(library: MessageLibrary, position: Any, quaternion: Any) -> Any:
    """geometry_msgs/msg/Pose from (3,) metres and (4,) x y z w."""
    x, y, z = (float(v) for v in position)
    return library.make(
        "geometry_msgs/msg/Pose",
        position=library.make("geometry_msgs/msg/Point", x=x, y=y, z=z),
        orientation=_quaternion(library, quaternion),
    )


def _quaternion(library: MessageLibrary, quaternion: Any) -> Any:
    x, y, z, w = (float(v) for v in quaternion)
    return library.make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)


def _unknown_pose(library: MessageLibrary) -> Any:
    return make_pose(library, (NAN,) * 3, (NAN,) * 4)


def _grasp(library: MessageLibrary, state: HandState | None) -> dict[str, Any]:
    """The fields of HandPose about the grasp."""
    if state is None or state.grasp is None:
        unknown = {"grasp": _unknown_pose(library), "grasp_width": NAN, "grasp_label": "", "grasp_confidence": NAN}
        return {"grasp_valid": False, **unknown}
    label = grasp_label(state.probabilities)
    return {
        "grasp_valid": True,
        "grasp": make_pose(library, state.grasp.origin, quaternion_from_matrix(state.grasp.axes)),
        "grasp_width": state.grasp.width,
        "grasp_label": label.name,
        "grasp_confidence": label.confidence,
    }


def _covariance(hand: Hand) -> np.ndarray:
    """(6 J,) m^2; -1 first in the six of a joint whose covariance is not known."""
    covariance = np.array(hand.covariance, dtype=np.float32)
    covariance[~np.isfinite(covariance).all(axis=1), 0] = -1.0
    return covariance.reshape(-1)


def _palm_covariance(hand: Hand) -> np.ndarray:
    covariance = palm_covariance(hand.joints, hand.covariance, hand.skeleton)
    if covariance is None:
        out = np.zeros(36)
        out[0] = -1.0
        return out
    return covariance.reshape(-1)
