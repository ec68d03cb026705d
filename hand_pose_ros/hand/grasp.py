"""What a gripper wants of a hand: how far thumb and fingers are apart, where they would hold something, and how.

Fingertips are hand21's, 3 mm inside the skin at the end of a finger: where thumb and finger touch with their pads, these points
are 10 to 20 mm apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from hand_pose_ros.hand.frames import cross
from hand_pose_ros.skeleton import FINGERS, HAND21, PALM_JOINTS

OPPOSING = FINGERS[1:]
_THUMB, *_TIPS = HAND21.indices(*(f"{finger}_tip" for finger in FINGERS))
_BEFORE_THUMB, *_BEFORE_TIPS = HAND21.indices("thumb_ip", *(f"{finger}_dip" for finger in OPPOSING))
_PALM = HAND21.indices(*PALM_JOINTS)
# A finger that is this much farther from the thumb than the nearest counts e times less in what opposes the thumb.
_SHARED_M = 0.01
# Where the tips are nearer than this, their direction is mostly noise, and that of the joints before them comes in.
_TOUCHING_M = 0.005
_SHORTEST_M = 1e-3


@dataclass(frozen=True)
class GraspFrame:
    """Where thumb and fingers hold, for a parallel gripper to take the hand's place.

    :param origin: (3,) metres, midway between the thumb's tip and what opposes it
    :param axes: (3, 3), columns: x closing, from the thumb to the opposing fingertips; z approach, out of the hand: from the
        palm to the fingertips, across x; y = z cross x
    :param width: metres between the thumb's tip and what opposes it
    """

    origin: np.ndarray
    axes: np.ndarray
    width: float


def openings(joints: np.ndarray) -> np.ndarray:
    """(4,) metres from the thumb's tip to those of index, middle, ring and little finger, of joints (21, 3)."""
    gaps = joints[_TIPS] - joints[_THUMB]
    return np.sqrt((gaps * gaps).sum(axis=1))


def grasp_frame(joints: np.ndarray) -> GraspFrame | None:
    """The grasp of joints (21, 3) in metres; None where its axes are not defined.

    What opposes the thumb is the mean of the fingertips, those near it counting most: the fingertip in a pinch, a point between
    two in a tripod; it moves from one to the other without a jump.
    """
    apart = openings(joints)
    if not np.isfinite(apart).all():
        return None
    share = np.exp((apart.min() - apart) / _SHARED_M)
    share /= share.sum()
    thumb, opposing = joints[_THUMB], share @ joints[_TIPS]
    closing = opposing - thumb
    width = math.sqrt(closing @ closing)
    if width < _TOUCHING_M:
        before = share @ joints[_BEFORE_TIPS] - joints[_BEFORE_THUMB]
        closing = closing + before * ((_TOUCHING_M - width) / max(math.sqrt(before @ before), _SHORTEST_M))
    origin = (thumb + opposing) / 2
    length = math.sqrt(closing @ closing)
    if length < _SHORTEST_M:
        return None
    x = closing / length
    approach = origin - joints[_PALM].mean(axis=0)
    approach = approach - (approach @ x) * x
    length = math.sqrt(approach @ approach)
    if not length > _SHORTEST_M:
        return None
    z = approach / length
    return GraspFrame(origin, np.stack([x, cross(z, x), z], axis=1), width)


def pinching(apart: np.ndarray, before: np.ndarray | None, enter_m: float, leave_m: float) -> np.ndarray:
    """Which fingers (4,) touch the thumb, with hysteresis.

    :param apart: (4,) metres, as `openings`
    :param before: the answer of the frame before, None without one
    :param enter_m, leave_m: a pinch begins below the first and ends above the second
    """
    held = np.zeros(len(apart), bool) if before is None else before
    return np.where(held, apart <= leave_m, apart < enter_m)
