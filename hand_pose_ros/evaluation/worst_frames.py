"""The frames that a team should look at first: the worst joints, hands that were missed, hands that are none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hand_pose_ros.evaluation.hand_frames import HandFrame
from hand_pose_ros.scoring.matching import HandMatch
from hand_pose_ros.scoring.tally import mean_of_known

# Of frames nearer in time than this, which show the same, the worst one is kept.
APART_NS = 500_000_000
ERROR, MISSED, FALSE = "largest error", "missed hand", "false hand"
KINDS = (ERROR, MISSED, FALSE)


class WorstFrame(NamedTuple):
    """One frame to draw.

    :param kind: one of KINDS
    :param badness: mean error of the hand in metres; 1 for a hand missed or false
    :param hand: position of the found hand in the frame; None for a missed one
    :param truth: joints (K, 3) of every true hand, the one that is meant first
    """

    kind: str
    badness: float
    frame: HandFrame
    hand: int | None
    truth: list[np.ndarray]
    text: str


class WorstFrames:
    """Keeps as many frames of each kind as may be drawn.

    :param count: of all kinds together; a quarter may be missed hands, and a quarter false ones
    :param names: of the scored joints
    """

    def __init__(self, count: int, names: Sequence[str]) -> None:
        self._names = names
        self._count = count
        self._room = {ERROR: count, MISSED: (count + 3) // 4, FALSE: (count + 3) // 4}
        self._kept: dict[str, list[WorstFrame]] = {kind: [] for kind in KINDS}

    def add(self, frame: HandFrame, matches: Sequence[HandMatch]) -> None:
        """The next frame, with what its hands were paired with."""
        for match in matches:
            true, found, errors = match
            if true is None:
                kind, badness, text = FALSE, 1.0, f"hand {found.id}, where there is none"
            elif errors is None:
                kind, badness, text = MISSED, 1.0, f"true hand {true.id}"
            elif np.isfinite(errors).any():
                worst = int(np.nanargmax(errors))
                kind, badness = ERROR, mean_of_known(errors)
                text = f"mean {1e3 * badness:.1f} mm, {self._names[worst]} {1e3 * errors[worst]:.1f} mm"
            else:
                continue
            kept, room = self._kept[kind], self._room[kind]
            if room and (len(kept) < room or badness > kept[-1].badness):
                meant_first = sorted((m for m in matches if m.true is not None), key=lambda m: m is not match)
                place = None if found is None else next(i for i, hand in enumerate(frame.hands) if hand.id == found.id)
                self._put(WorstFrame(kind, badness, frame, place, [m.true.joints for m in meant_first], text))

    def _put(self, new: WorstFrame) -> None:
        kept = self._kept[new.kind]
        near = [other for other in kept if abs(other.frame.stamp_ns - new.frame.stamp_ns) < APART_NS]
        if any(other.badness >= new.badness for other in near):
            return
        kept = sorted([new, *(other for other in kept if other not in near)], key=lambda worst: -worst.badness)
        self._kept[new.kind] = kept[: self._room[new.kind]]

    def __iter__(self) -> Iterator[WorstFrame]:
        """By kind, the worst first."""
        others = [*self._kept[MISSED], *self._kept[FALSE]]
        return iter([*self._kept[ERROR][: max(0, self._count - len(others))], *others][: self._count])
