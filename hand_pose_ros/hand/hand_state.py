"""What follows from the joints of one hand in one frame: angles, grasp, label."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.hand.bones import HandGeometryError, palm_frame
from hand_pose_ros.hand.grasp import GraspFrame, grasp_frame, openings, pinching
from hand_pose_ros.hand.grasp_label import grasp_probabilities
from hand_pose_ros.hand.kinematics import ANGLE_NAMES, hand_angles
from hand_pose_ros.skeleton import HAND21, Skeleton, remap

_HINGES = [i for i, name in enumerate(ANGLE_NAMES) if name.endswith(("pip_flexion", "dip_flexion"))]
_UNKNOWN_M2 = 0.01**2  # of a joint whose covariance is not known


@dataclass(frozen=True)
class HandState:
    """One hand.

    :param local: (21, 3) metres in palm coordinates (`bones`)
    :param angles: (26,) radians, as `kinematics.ANGLE_NAMES`
    :param variance: (21,) m^2 of each joint, the mean of its directions
    :param openings: (4,) metres, as `grasp.openings`
    :param pinching: (4,) bool
    :param grasp: in the frame of the joints; None where it is not defined
    :param probabilities: (7,) as `grasp_label.grasp_probabilities`
    """

    local: np.ndarray
    angles: np.ndarray
    variance: np.ndarray
    openings: np.ndarray
    pinching: np.ndarray
    grasp: GraspFrame | None
    probabilities: np.ndarray


def hand_state(
    joints: np.ndarray,
    covariance: np.ndarray,
    skeleton: Skeleton,
    right: bool | None,
    *,
    pinched: np.ndarray | None = None,
    pinch_enter_m: float,
    pinch_leave_m: float,
) -> HandState | None:
    """The state of joints (J, 3) in metres with covariance (J, 6) in m^2; None where the joints are no whole hand.

    :param right: whether it is a right hand; None: not known, then the way in which the fingers bend tells
    :param pinched: `pinching` of the frame before, if there was one
    """
    joints, covariance = in_hand21(joints, covariance, skeleton)
    try:
        local, _ = palm_frame(joints, right=right is not False)
    except HandGeometryError:
        return None
    angles = hand_angles(local)
    if right is None and angles[_HINGES].sum() < 0:
        local = local * (1.0, 1.0, -1.0)
        angles = hand_angles(local)
    variance = joint_variance(covariance)
    apart = openings(joints)
    return HandState(
        local,
        angles,
        variance,
        apart,
        pinching(apart, pinched, pinch_enter_m, pinch_leave_m),
        grasp_frame(joints),
        grasp_probabilities(local, angles, variance),
    )


def joint_variance(covariance: np.ndarray) -> np.ndarray:
    """(J,) m^2, the mean of a joint's directions, of covariance (J, 6) xx xy xz yy yz zz; 1 cm squared where it is not known."""
    variance = np.asarray(covariance, float)[:, [0, 3, 5]].mean(axis=1)
    return np.where(np.isfinite(variance) & (variance >= 0), variance, _UNKNOWN_M2)


def in_hand21(joints: np.ndarray, covariance: np.ndarray, skeleton: Skeleton) -> tuple[np.ndarray, np.ndarray]:
    """Joints (J, 3) and covariance (J, 6) of a skeleton as those of hand21, (21, 3) and (21, 6); NaN for joints that it lacks."""
    joints, covariance = np.asarray(joints, float), np.asarray(covariance, float)
    if skeleton is HAND21:
        return joints, covariance
    halves = [remap(covariance[:, half], skeleton, HAND21) for half in (slice(3), slice(3, 6))]
    return remap(joints, skeleton, HAND21), np.concatenate(halves, axis=1)
