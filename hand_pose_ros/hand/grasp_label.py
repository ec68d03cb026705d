"""The name of a grasp: open, pinch, tripod, power, point or fist.

open    all fingers straight, the thumb away from them or beside them
pinch   the thumb's tip at that of index or middle finger, the others as they like
tripod  the thumb's tip at those of index and middle finger, ring and little finger bent
power   all fingers around something in the hand, half bent
point   the index finger straight, the others closed
fist    all fingers closed

What is seen of a hand is the flexion of mcp and pip of its four fingers and the openings from the thumb's tip to index and middle
finger, as they would be on an adult's hand. Each label is one or more normal distributions over these ten, and a last, wide one
stands for every other hand. By Bayes' rule they give the probability of each label; the joints' own variances widen the
distributions, so that a hand that is badly seen has no sure label. The ten depend on each other, which the distributions leave
out: their logarithms are divided by `_TEMPERATURE`, so that the probabilities are as often right as they say (training/test).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.hand.bones import ADULT
from hand_pose_ros.hand.grasp import openings
from hand_pose_ros.hand.kinematics import ANGLE_NAMES
from hand_pose_ros.skeleton import HAND21

LABELS = ("open", "pinch", "tripod", "power", "point", "fist")
_FLEXIONS = [
    ANGLE_NAMES.index(f"{finger}_{joint}_flexion") for finger in ("index", "middle", "ring", "little") for joint in ("mcp", "pip")
]
# The joints whose errors make that of each flexion: both ends of the bone that it moves, and of the bone that it is counted from.
_ENDS = np.array([HAND21.indices(f"{f}_mcp", f"{f}_pip", f"{f}_dip") for f in ("index", "middle", "ring", "little")])
_THUMB_TIP, _INDEX_TIP, _MIDDLE_TIP = HAND21.indices("thumb_tip", "index_tip", "middle_tip")
_MIDDLE_BASE, _WRIST = HAND21.index("middle_mcp"), HAND21.index("wrist")
_TEMPERATURE = 1.6
_OTHER_SHARE = 0.15  # how often a hand is none of the six
_ADULT_PALM_M = float(np.linalg.norm(ADULT.bases[2]))
_BONE_M = float(ADULT.lengths[1:, :2].mean())


@dataclass(frozen=True)
class GraspLabel:
    """A label with its probability; "" and NaN where the hand is none of the six."""

    name: str
    confidence: float


def _kind(label: str, fingers: list[tuple[float, float, float]], index: tuple[float, float], middle: tuple[float, float]):
    """mcp, pip and their deviation in degrees, index to little finger; mean and deviation of the two openings in centimetres."""
    mean = [v for mcp, pip, _ in fingers for v in np.radians([mcp, pip])] + [index[0] / 100, middle[0] / 100]
    deviation = [np.radians(d) for *_, d in fingers for _ in range(2)] + [index[1] / 100, middle[1] / 100]
    return label, mean, deviation


_STRAIGHT, _CLOSED = (0, 5, 12), (82, 98, 16)
_LOOSE, _BENT = (22, 27, 20), (66, 74, 22)  # fingers that take no part in a pinch
_PINCHING, _FREE = (58, 36, 17), (6.5, 3.5)
_KINDS = (
    _kind("open", [_STRAIGHT] * 4, (9.5, 2.5), (12.0, 2.5)),
    _kind("open", [_STRAIGHT] * 4, (6.5, 2.0), (8.0, 2.0)),
    _kind("pinch", [_PINCHING, _LOOSE, _LOOSE, _LOOSE], (1.6, 1.0), (5.5, 2.0)),
    _kind("pinch", [_PINCHING, _BENT, _BENT, _BENT], (1.6, 1.0), (5.5, 2.0)),
    _kind("pinch", [_LOOSE, _PINCHING, _LOOSE, _LOOSE], (7.0, 4.0), (1.6, 1.0)),
    _kind("tripod", [(57, 38, 14), (60, 41, 14), (67, 64, 16), (69, 68, 16)], (1.7, 0.9), (1.8, 0.9)),
    _kind("power", [(54, 65, 14), (59, 67, 14), (62, 69, 14), (62, 67, 14)], (3.2, 1.8), (3.6, 1.8)),
    _kind("power", [(33, 37, 12), (36, 39, 12), (37, 39, 12), (37, 38, 12)], (5.5, 1.8), (6.0, 1.8)),
    _kind("point", [_STRAIGHT, _CLOSED, _CLOSED, _CLOSED], _FREE, _FREE),
    _kind("fist", [_CLOSED] * 4, _FREE, _FREE),
)
_OTHER = _kind("", [(40, 50, 45)] * 4, (6.0, 4.0), (6.5, 4.0))
_MEANS = np.array([mean for _, mean, _ in (*_KINDS, _OTHER)])
_VARIANCES = np.array([deviation for *_, deviation in (*_KINDS, _OTHER)]) ** 2
_MEMBERS = np.array([[label == name for label, *_ in (*_KINDS, _OTHER)] for name in (*LABELS, "")], float)
# Every label as likely as the next, its distributions sharing.
_SHARES = np.where(_MEMBERS[-1] > 0, _OTHER_SHARE, (1 - _OTHER_SHARE) / len(LABELS)) / (_MEMBERS.sum(axis=1) @ _MEMBERS)


def grasp_probabilities(local: np.ndarray, angles: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Probability (7,) of each of LABELS and, last, of none of them.

    :param local: joints (21, 3) in palm coordinates
    :param angles: (26,) radians, of `kinematics.hand_angles`
    :param variance: (21,) m^2 of each joint in any direction
    """
    size = _ADULT_PALM_M / max(float(np.linalg.norm(local[_MIDDLE_BASE] - local[_WRIST])), 1e-3)
    seen = np.concatenate([angles[_FLEXIONS], openings(local)[:2] * size])
    doubt = np.empty(10)
    first, second = (variance[_ENDS[:, i]] + variance[_ENDS[:, i + 1]] for i in range(2))
    doubt[0:8:2], doubt[1:8:2] = first / _BONE_M**2, (first + second) / _BONE_M**2
    doubt[8:] = variance[_THUMB_TIP] + variance[[_INDEX_TIP, _MIDDLE_TIP]]
    spread = _VARIANCES + doubt
    fits = -0.5 * ((seen - _MEANS) ** 2 / spread + np.log(spread)).sum(axis=1) / _TEMPERATURE
    weights = _SHARES * np.exp(fits - fits.max())
    return _MEMBERS @ (weights / weights.sum())


def grasp_label(probabilities: np.ndarray) -> GraspLabel:
    """The likeliest of `grasp_probabilities`."""
    best = int(np.argmax(probabilities))
    if best == len(LABELS):
        return GraspLabel("", float("nan"))
    return GraspLabel(LABELS[best], float(probabilities[best]))
