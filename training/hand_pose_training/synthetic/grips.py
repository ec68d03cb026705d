"""Ways to hold, after the taxonomy of Feix et al. 2016 (The GRASP Taxonomy of Human Grasp Types, IEEE THMS 46(1), table II).

Each grip says what it is used on, how the open hand looks, where the thing goes, and how the fingers close.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from hand_pose_training.synthetic.objects import Form
from hand_pose_training.synthetic.poses import ANCHORS, POSE_SIZE, THUMB


class Place(IntEnum):
    """Where the thing goes."""

    PALM = 0  # against the palm
    OPPOSED = 1  # between the thumb's tip and the fingertips
    SIDE = 2  # between the thumb's tip and the side of the index finger
    CROOK = 3  # in the bent fingers
    BETWEEN = 4  # between index and middle finger


@dataclass(frozen=True)
class Grip:
    """A way to hold.

    :param forms, width_m: what it is used on
    :param open_pose, closed_pose: (25,) before and after an empty hand closes
    :param rates: (5, 3) how fast the flexions close, thumb to little finger
    :param opposing: which fingers must touch beside the thumb, index 0 to little 3
    :param needs: how many of them do at least
    :param thumb: whether the thumb must touch
    :param turn: range in radians: a bar's turn in the palm away from straight across, or a thing's about the line of opposition
    """

    name: str
    weight: float
    forms: tuple[Form, ...]
    width_m: tuple[float, float]
    place: Place
    open_pose: np.ndarray
    closed_pose: np.ndarray
    rates: np.ndarray
    opposing: tuple[int, ...] = (0, 1, 2, 3)
    needs: int = 3
    thumb: bool = True
    turn: tuple[float, float] = (-0.6, 0.6)


_BAR, _FLAT, _COMPACT, _ANY = (Form.BAR,), (Form.FLAT,), (Form.COMPACT,), tuple(Form)
_ALL = (0, 1, 2, 3)
# Relative speeds of (mcp, pip, dip) and of the thumb's (cmc, mcp, ip).
_WRAP, _TIPS, _PLATE = (1, 0.85, 0.55), (1, 0.5, 0.3), (1, 0.12, 0.08)
_THUMB, _STILL = (1, 0.55, 0.7), (0, 0, 0)
_STRAIGHT = (2, 4, 2)
_FIST = np.full(POSE_SIZE, np.pi)


def _pose(anchor: str, thumb: str, fingers: tuple[float, ...], index: tuple[float, ...] | None = None) -> np.ndarray:
    """An anchor with another one's thumb and own (mcp, pip, dip) degrees of the fingers."""
    pose = ANCHORS[anchor].copy()
    pose[THUMB] = ANCHORS[thumb][THUMB]
    pose[:16].reshape(4, 4)[:, 1:] = np.radians(fingers)
    if index:
        pose[1:4] = np.radians(index)
    return pose


def _rates(fingers: tuple[float, ...], thumb: tuple[float, ...], used: tuple[int, ...] = _ALL) -> np.ndarray:
    return np.array([thumb, *(fingers if finger in used else _STILL for finger in _ALL)], float)


def _palm(
    name: str, weight: float, width_m: tuple[float, float], pose: np.ndarray, forms: tuple[Form, ...] = _BAR, **more
) -> Grip:
    """Fingers wrap what lies in the palm."""
    return Grip(name, weight, forms, width_m, Place.PALM, pose, _FIST, **{"rates": _rates(_WRAP, _THUMB), **more})


def _tips(
    name: str,
    weight: float,
    forms: tuple[Form, ...],
    width_m: tuple[float, float],
    closed: np.ndarray,
    used: tuple[int, ...],
    needs: int = 1,
    opening: tuple[float, ...] = (24, 14, 6),
    rates: tuple[float, ...] = _TIPS,
) -> Grip:
    """Fingertips against the thumb's; `opening`: degrees that (mcp, pip, dip) open."""
    pose = closed.copy()
    pose[[16, 19, 20]] -= np.radians((14, 10, 6))
    pose[:16].reshape(4, 4)[list(used), 1:] -= np.radians(opening)
    return Grip(name, weight, forms, width_m, Place.OPPOSED, pose, closed, _rates(rates, _THUMB, used), used, needs)


_LARGE, _SMALL = _pose("large_grasp", "large_grasp", _STRAIGHT), _pose("power", "power", _STRAIGHT)
_ALONG = _pose("power", "fist_thumb_side", _STRAIGHT)
_POINTING = _pose("power", "fist_thumb_side", _STRAIGHT, (15, 12, 6))
_HOOKED = _pose("hook", "relaxed", (8, 55, 20))
_CIGARETTE = ANCHORS["two"].copy()
_CIGARETTE[THUMB] = ANCHORS["relaxed"][THUMB]

GRIPS = (
    _palm("large diameter", 3, (0.048, 0.095), _LARGE, turn=(-0.15, 0.35)),
    _palm("medium wrap", 3, (0.024, 0.05), _LARGE, turn=(-0.1, 0.5)),
    _palm("small diameter", 2, (0.01, 0.026), _SMALL, turn=(-0.1, 0.5), thumb=False),
    _palm("adducted thumb", 1.5, (0.014, 0.04), _ALONG, turn=(0.2, 0.7), thumb=False),
    _palm(
        "index extension",
        1.5,
        (0.014, 0.036),
        _POINTING,
        turn=(0.6, 0.95),
        rates=np.array([_THUMB, (1, 0.2, 0.1), _WRAP, _WRAP, _WRAP]),
        opposing=(1, 2, 3),
        needs=2,
        thumb=False,
    ),
    _palm("power sphere", 2, (0.045, 0.095), _LARGE, _COMPACT),
    _tips("palmar pinch", 3, _ANY, (0.001, 0.035), ANCHORS["pinch"], (0,)),
    _tips("tip pinch, fingers in", 1, _ANY, (0.001, 0.025), ANCHORS["pinch_closed"], (0,)),
    _tips("tripod", 3, _ANY, (0.003, 0.04), ANCHORS["tripod"], (0, 1)),
    _tips("quadpod", 2, (Form.BAR, Form.COMPACT), (0.01, 0.06), ANCHORS["all_tips"], (0, 1, 2), 2),
    _tips("five tips", 2, (Form.BAR, Form.COMPACT), (0.03, 0.09), ANCHORS["all_tips"], _ALL, 2, (34, 24, 10)),
    _tips("parallel extension", 3, _FLAT, (0.001, 0.06), _pose("bent", "tripod", (78, 12, 6)), _ALL, 2, (40, 0, 0), _PLATE),
    Grip("lateral", 3, (Form.FLAT, Form.BAR), (0.001, 0.016), Place.SIDE, ANCHORS["key"], _FIST, _rates(_STILL, _THUMB), (0,), 1),
    Grip(
        "hook",
        1.5,
        _BAR,
        (0.011, 0.028),
        Place.CROOK,
        _HOOKED,
        _FIST,
        _rates((0.2, 1, 0.8), _STILL),
        thumb=False,
        turn=(-0.15, 0.15),
    ),
    Grip("adduction", 0.7, _BAR, (0.006, 0.014), Place.BETWEEN, _CIGARETTE, _FIST, _rates(_STILL, _STILL), (0, 1), 2, False),
)
