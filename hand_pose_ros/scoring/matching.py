"""Which found hand is which true hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from hand_pose_ros.metrics import joint_errors

# A hand whose palm is further than this from the true one's is another thing taken for a hand.
SAME_HAND_M = 0.050


class KnownHand(NamedTuple):
    """One hand of one frame.

    :param id: the same from frame to frame, of who says it
    :param side: 0 unknown, 1 left, 2 right
    :param joints: (K, 3) metres, NaN where not known
    """

    id: int
    side: int
    joints: np.ndarray


class HandMatch(NamedTuple):
    """A true hand and the one found for it; one of them is None for a missed or a false hand.

    :param errors: (K,) metres, NaN for joints that are not known; None without a pair
    """

    true: KnownHand | None
    found: KnownHand | None
    errors: np.ndarray | None


def hand_distance(found: np.ndarray, true: np.ndarray) -> float:
    """Distance between two hands: of the means of the joints that both know, (J, 3) metres each; inf where there are none."""
    both = np.isfinite(found).all(axis=1) & np.isfinite(true).all(axis=1)
    return float(np.linalg.norm(found[both].mean(axis=0) - true[both].mean(axis=0))) if both.any() else float("inf")


def match_joints(found: Sequence[np.ndarray], true: Sequence[np.ndarray], gate_m: float = SAME_HAND_M) -> dict[int, int]:
    """Pairs of hands: as many as there can be within the gate, and of those ways the one with the least total distance.

    :param found, true: joints (J, 3) metres of each hand
    :return: position of the true hand -> position of the found one
    """
    distances = [[hand_distance(f, t) for f in found] for t in true]

    def best(row: int, taken: frozenset[int]) -> tuple[int, float, dict[int, int]]:
        if row == len(true):
            return 0, 0.0, {}
        ways = [best(row + 1, taken)]
        for column, distance in enumerate(distances[row]):
            if column not in taken and distance <= gate_m:
                count, total, pairs = best(row + 1, taken | {column})
                ways.append((count + 1, total + distance, {row: column, **pairs}))
        return min(ways, key=lambda way: (-way[0], way[1]))

    return best(0, frozenset())[2]


def match_hands(found: Sequence[KnownHand], true: Sequence[KnownHand], gate_m: float = SAME_HAND_M) -> list[HandMatch]:
    """The true hands of a frame in their order, each with the found one that it is paired with or None; then the false hands."""
    pairs = match_joints([hand.joints for hand in found], [hand.joints for hand in true], gate_m)
    matches = []
    for row, hand in enumerate(true):
        answer = found[pairs[row]] if row in pairs else None
        matches.append(HandMatch(hand, answer, None if answer is None else joint_errors(answer.joints, hand.joints)))
    taken = set(pairs.values())
    return matches + [HandMatch(None, hand, None) for column, hand in enumerate(found) if column not in taken]


def match_known(found: Sequence[KnownHand], true: Sequence[KnownHand], gate_m: float = SAME_HAND_M) -> list[HandMatch] | None:
    """`match_hands` where some true hands are there but nobody knows where: those are not missed, and what has no pair may be one
    of them, so it is no false hand. None where that holds for all of the true hands.
    """
    known = [hand for hand in true if np.isfinite(hand.joints).all(axis=1).any()]
    if true and not known:
        return None
    matches = match_hands(found, known, gate_m)
    return matches if len(known) == len(true) else [match for match in matches if match.true is not None]
