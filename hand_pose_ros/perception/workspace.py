"""The part of space where hands count: to leave out the robot's own gripper, or people who only pass by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.transform import RigidTransform

_AXES = "xyz"


@dataclass(frozen=True, eq=False)
class Workspace:
    """A box along the axes of some frame, seen from the camera.

    :param box: x_min, y_min, z_min, x_max, y_max, z_max in metres, in the target frame; infinite where it has no side
    :param to_target: maps points of the camera optical frame into the target frame
    :raises ValueError: a side that is NaN, or a minimum that is not below its maximum
    """

    box: tuple[float, float, float, float, float, float]
    to_target: RigidTransform

    def __post_init__(self) -> None:
        box = tuple(float(v) for v in self.box)
        if len(box) != 6:
            raise ValueError(f"workspace of {len(box)} numbers: give x_min, y_min, z_min, x_max, y_max, z_max")
        for axis, low, high in zip(_AXES, box[:3], box[3:]):
            if not low < high:
                raise ValueError(f"workspace from {axis} {low} to {high} m is empty: {axis}_min must be less than {axis}_max")
        object.__setattr__(self, "box", box)

    def contains(self, points: np.ndarray, margin_m: float = 0.0) -> np.ndarray:
        """Whether points (..., 3), metres, camera optical frame, lie in the box, grown by a margin on all sides; (...) bool."""
        at = self.to_target.points(points)
        return ((at >= np.subtract(self.box[:3], margin_m)) & (at <= np.add(self.box[3:], margin_m))).all(axis=-1)
