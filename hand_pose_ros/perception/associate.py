"""Whose hand is it: how well what the network found fits each track, by place, side and size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hand_pose_ros.perception.assign import assign
from hand_pose_ros.perception.estimate import Estimate
from hand_pose_ros.perception.track import Track

# Two answers whose joints are on average this close to some joint of the other are one hand seen twice. (Joint by joint would
# not do: a hand seen once as a left and once as a right one has its fingers the other way round.)
DUPLICATE_M = 0.022
# Two hands back to back in one line, their wrists so far apart: there is no room for two forearms.
ONE_ARM_M = (0.04, 0.12)
IN_LINE = 0.9  # cosine of each hand's direction with the line from wrist to wrist
CENTER_M = 0.03  # deviation of the network's centre when the hand is hidden in part
SIZE_DEVIATION = 0.12  # of the logarithm of a hand's size as one answer tells it
LEAST_SIDE = 0.02  # no answer is surer than that of the side
# Two answers change tracks only where they fit so much better: what the crops were centred on already says who is who.
CHANGE_MARGIN = 6.0
# Beside another hand, what lies farther from a hand's predicted place than this and four deviations is not that hand.
GATE_M = 0.06
# A hand that jumped out of its crop, or was away, and is found within this distance is still the same hand; one that was lost
# beside another hand has not jumped, it was hidden.
SAME_HAND_M = 0.35


def misfit(track: Track, estimate: Estimate, stamp_ns: int) -> float:
    """How badly an answer fits a track: minus twice the logarithm of the likelihood, up to a constant; not negative."""
    away = estimate.center - track.motion.predict(stamp_ns)
    variance = track.motion.deviation(stamp_ns) ** 2 + CENTER_M**2
    # The logarithm: where a track may be anywhere, nothing is likely, or it would take the hands of those that are followed.
    cost = float(away @ away) / variance + 3 * np.log(variance / CENTER_M**2)
    if np.isfinite(track.right_side) and np.isfinite(estimate.right_side):
        same = track.right_side * estimate.right_side + (1 - track.right_side) * (1 - estimate.right_side)
        cost -= 2 * np.log(max(same, LEAST_SIDE))
    if track.size_m > 0 and estimate.size_m > 0:
        cost += (np.log(estimate.size_m / track.size_m) / SIZE_DEVIATION) ** 2
    return cost


def same_hand(a: Estimate, b: Estimate) -> bool:
    """Two answers are of one hand."""
    if np.linalg.norm(a.center - b.center) > 4 * DUPLICATE_M:
        return False
    apart = np.linalg.norm(a.joints[:, None] - b.joints[None], axis=2)
    return float(apart.min(axis=0).mean() + apart.min(axis=1).mean()) / 2 < DUPLICATE_M


def one_arm(a: Estimate, b: Estimate, wrist: int) -> bool:
    """Two answers are back to back in one line, too near each other for two forearms: one of them is none but the other's arm,
    seen as a fist where its depth stops.

    :param wrist: index of the joint
    """
    between = b.joints[wrist] - a.joints[wrist]
    gap = float(np.linalg.norm(between))
    if not ONE_ARM_M[0] < gap < ONE_ARM_M[1]:
        return False
    along_a, along_b = (e.center - e.joints[wrist] for e in (a, b))
    return bool(
        -(between @ along_a) > IN_LINE * gap * np.linalg.norm(along_a)
        and between @ along_b > IN_LINE * gap * np.linalg.norm(along_b)
    )


def settle(
    tracks: Sequence[Track], estimates: Sequence[Estimate | None], contested: Sequence[bool], stamp_ns: int
) -> list[Estimate | None]:
    """The answers for several tracks, each hand but once and with the track that it fits.

    Where two tracks' answers are one hand, the track that it fits better has it and the other has none. Beside another hand an
    answer far from where the hand was expected is none.

    :param estimates: for each track what its crop showed
    :param contested: for each track, whether another hand is near
    """
    estimates = [
        e if e is None or not near or _within_gate(t, e, stamp_ns) else None for t, e, near in zip(tracks, estimates, contested)
    ]
    settled = list(estimates)
    seen = [i for i, e in enumerate(estimates) if e is not None]
    if len(seen) < 2:
        return settled
    cost = np.array([[misfit(tracks[i], estimates[j], stamp_ns) for j in seen] for i in seen])
    for a in range(len(seen)):
        for b in range(a):
            i, j = seen[a], seen[b]
            if settled[i] is not None and settled[j] is not None and same_hand(settled[i], settled[j]):
                settled[i if cost[a, a] >= cost[b, b] else j] = None
    left = [k for k, i in enumerate(seen) if settled[i] is not None]
    part = cost[np.ix_(left, left)]
    pairs = assign(part)
    if sum(part[pair] for pair in pairs) < np.trace(part) - CHANGE_MARGIN:
        changed = {seen[left[row]]: estimates[seen[left[column]]] for row, column in pairs}
        settled = [changed.get(i, e) for i, e in enumerate(settled)]
    return settled


def _within_gate(track: Track, estimate: Estimate, stamp_ns: int) -> bool:
    away = float(np.linalg.norm(estimate.center - track.motion.predict(stamp_ns)))
    return away < GATE_M + 4 * track.motion.deviation(stamp_ns)


def recognize(tracks: Sequence[Track], estimates: Sequence[Estimate], hidden: Sequence[bool], stamp_ns: int) -> dict[int, int]:
    """Which of the hands that a search found are ones that were lost: position of the estimate -> of the track.

    :param hidden: for each track, whether another hand is where it was lost
    """
    cost = np.full((len(tracks), len(estimates)), np.inf)
    for row, track in enumerate(tracks):
        reach = min(2 * GATE_M + 3 * track.motion.deviation(stamp_ns), SAME_HAND_M) if hidden[row] else SAME_HAND_M
        for column, estimate in enumerate(estimates):
            if np.linalg.norm(estimate.center - track.motion.predict(stamp_ns)) < reach:
                cost[row, column] = misfit(track, estimate, stamp_ns)
    return {column: row for row, column in assign(cost)}
