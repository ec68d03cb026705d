"""Answers of a network as a test wants them."""

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import CubeCrop
from hand_pose_ros.perception.estimate import Estimate
from hand_pose_ros.skeleton import HAND21

CAMERA = Camera(640, 480, 476.0, 476.0, 320.0, 240.0)
BONES = np.array(HAND21.bone_indices)


def estimate_of(
    joints: np.ndarray, *, right_side: float = float("nan"), presence: float = 0.9, sureness: float = 0.9
) -> Estimate:
    """The answer whose joints are these (21, 3), metres."""
    crop = CubeCrop(CAMERA, joints.mean(axis=0), 0.25, 96)
    covariance, confidence = np.full((21, 6), 1e-4), np.full(21, sureness)
    return Estimate(crop, False, crop.normalize(joints), covariance, confidence, presence, right_side, BONES)
