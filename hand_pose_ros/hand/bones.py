"""The sizes of one hand: where its fingers begin in the palm, and how long their bones are.

Palm coordinates of a hand, the same for either side: origin at the wrist, x to the base of the middle finger, y to the thumb's
side, z out of the back of the hand. They are those of the palm frame (`frames`) for a right hand, and with z reversed for a left.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.hand.frames import palm_axes
from hand_pose_ros.skeleton import FINGERS, HAND21, PALM_JOINTS

_PALM = HAND21.indices(*PALM_JOINTS)
_THUMB_BONES, _FINGER_BONES = ("metacarpal", "proximal", "distal"), ("proximal", "intermediate", "distal")
BONE_NAMES = {finger: _THUMB_BONES if finger == "thumb" else _FINGER_BONES for finger in FINGERS}
_WRIST, _FIRST = HAND21.index("wrist"), HAND21.index("thumb_cmc")  # then finger by finger, from the palm to the tip


class HandGeometryError(ValueError):
    """Joints or sizes that make no hand; the text says why."""


@dataclass(frozen=True)
class HandBones:
    """What stays of a hand when it moves.

    :param bases: (5, 3) metres in palm coordinates: thumb_cmc, then index_mcp to little_mcp
    :param lengths: (5, 3) metres: the bones of `BONE_NAMES`, thumb to little finger
    """

    bases: np.ndarray
    lengths: np.ndarray


# An adult's hand of about 0.18 m from the wrist to the middle finger's tip, for where none has been measured.
ADULT = HandBones(
    np.array(
        [[0.027, 0.0195, -0.013], [0.086, 0.021, -0.0065], [0.0885, 0, 0], [0.0815, -0.019, -0.0015], [0.071, -0.0365, -0.0065]]
    ),
    np.array(
        [
            [0.042, 0.033, 0.022],
            [0.0435, 0.023, 0.018],
            [0.0445, 0.026, 0.0205],
            [0.0415, 0.025, 0.0195],
            [0.031, 0.0185, 0.017],
        ]
    ),
)


def palm_coordinates(joints: np.ndarray, *, right: bool) -> np.ndarray:
    """Joints (21, 3) of hand21, in metres in any frame, in palm coordinates.

    :raises HandGeometryError: the palm's joints lie on one line, or are not numbers
    """
    return palm_frame(joints, right=right)[0]


def palm_frame(joints: np.ndarray, *, right: bool) -> tuple[np.ndarray, np.ndarray]:
    """As `palm_coordinates`, with the (3, 3) whose columns are the coordinates' axes (a reflection for a left hand)."""
    joints = np.asarray(joints, dtype=float)
    axes = palm_axes(joints[_PALM]) if np.isfinite(joints).all() else None
    if axes is None:
        raise HandGeometryError("the palm's joints are on one line or not known: the hand has no palm frame and no angles")
    if not right:
        axes = axes * (1.0, 1.0, -1.0)
    return (joints - joints[_WRIST]) @ axes, axes


def finger_chains(joints: np.ndarray) -> np.ndarray:
    """(21, 3) -> (5, 4, 3), a view: the joints of each finger from the palm to the tip. So too for one number a joint."""
    return joints[_FIRST:].reshape(5, 4, *joints.shape[1:])


def measured_bones(local: np.ndarray) -> HandBones:
    """The sizes of a hand from its joints (21, 3) in palm coordinates."""
    chains = finger_chains(local)
    return HandBones(chains[:, 0], np.sqrt((np.diff(chains, axis=1) ** 2).sum(axis=2)))
