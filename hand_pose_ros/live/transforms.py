"""What the node asks of whoever knows the transforms between frames (tf2, in the node with ROS 2)."""

from __future__ import annotations

from collections.abc import Callable

from hand_pose_ros.geometry.transform import RigidTransform


class TransformMissing(ValueError):
    """There is no transform between two frames at some time; the text names both and says why."""


# (target frame, source frame, stamp in nanoseconds, seconds to wait) -> maps points of the source frame into the target frame.
# Raises TransformMissing.
TransformLookup = Callable[[str, str, int, float], RigidTransform]


def no_transforms(target: str, source: str, stamp_ns: int, timeout_s: float) -> RigidTransform:
    """The `TransformLookup` where there is no TF.

    :raises TransformMissing: always
    """
    raise TransformMissing(f"no transform from {source!r} to {target!r}: without ROS 2 there is no TF")
