"""Rigid transforms between frames: what tf2 answers, applied to points and covariances."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.crop import pack_symmetric, unpack_symmetric

# tf2 itself refuses quaternions whose norm is further from 1; within it they are rounding, and are normalised.
QUATERNION_TOLERANCE = 0.01
_ROTATION_TOLERANCE = 1e-6


class TransformError(ValueError):
    """Numbers that are no rigid transform; the text says which and what to do."""


@dataclass(frozen=True, eq=False)
class RigidTransform:
    """Maps points of a source frame into a target frame: p_target = rotation @ p_source + translation.

    tf2's `lookup_transform(target_frame, source_frame, time)` answers with these numbers.

    :param rotation: (3, 3) float64, orthonormal, right-handed
    :param translation: (3,) float64 metres, the source frame's origin in the target frame
    :raises TransformError: the numbers are not finite, of another shape, or no rotation
    """

    rotation: np.ndarray
    translation: np.ndarray

    def __post_init__(self) -> None:
        rotation, translation = np.asarray(self.rotation, np.float64), np.asarray(self.translation, np.float64)
        if rotation.shape != (3, 3) or translation.shape != (3,):
            raise TransformError(
                f"rotation of shape {rotation.shape} and translation of shape {translation.shape}: give (3, 3) and (3,)"
            )
        if not (np.isfinite(rotation).all() and np.isfinite(translation).all()):
            raise TransformError(f"transform with translation {translation} is not finite: mend who publishes it to TF")
        if np.abs(rotation @ rotation.T - np.eye(3)).max() > _ROTATION_TOLERANCE or np.linalg.det(rotation) < 0:
            raise TransformError("rotation matrix is not orthonormal and right-handed: give a rotation without scale or mirror")
        object.__setattr__(self, "rotation", rotation)
        object.__setattr__(self, "translation", translation)

    @classmethod
    def identity(cls) -> RigidTransform:
        """The frame itself."""
        return cls(np.eye(3), np.zeros(3))

    @classmethod
    def from_quaternion(cls, xyzw: np.ndarray | tuple[float, ...], translation: np.ndarray | tuple[float, ...]) -> RigidTransform:
        """From a geometry_msgs/Transform's numbers.

        :param xyzw: (4,) unit quaternion x, y, z, w
        :param translation: (3,) metres
        :raises TransformError: the quaternion has not four numbers, or its length is not 1
        """
        q = np.asarray(xyzw, np.float64)
        if q.shape != (4,):
            raise TransformError(f"quaternion of shape {q.shape}: give x, y, z, w")
        norm = float(np.linalg.norm(q))
        if not abs(norm - 1) <= QUATERNION_TOLERANCE:
            raise TransformError(f"quaternion {q.tolist()} (x y z w) has length {norm:.3g}, not 1: mend who publishes it to TF")
        x, y, z, w = q / norm
        rotation = [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
        return cls(np.array(rotation), np.asarray(translation, np.float64))

    def points(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) of the source frame -> the target frame, metres."""
        return np.asarray(points, np.float64) @ self.rotation.T + self.translation

    def covariances(self, six: np.ndarray) -> np.ndarray:
        """Covariances (..., 6), xx xy xz yy yz zz, m^2, about the source's axes -> about the target's: R S R^T.

        Those that are not known (NaN, or negative first as in HandPose.msg) stay as they are.
        """
        six = np.asarray(six, np.float64)
        rotated = pack_symmetric(self.rotation @ unpack_symmetric(six) @ self.rotation.T)
        return np.where(six[..., :1] < 0, six, rotated)

    def inverse(self) -> RigidTransform:
        """From the target frame back to the source frame."""
        return RigidTransform(self.rotation.T, -self.rotation.T @ self.translation)
