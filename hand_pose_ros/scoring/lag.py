"""How late the answers are: the shift of the ground truth in time that they fit best."""

from __future__ import annotations

import numpy as np

SHIFTS_NS = np.arange(-250, 251, 10) * 1_000_000
FEWEST_FRAMES = 30
# Both of the greatest shifts must fit so much worse than the best one: a hand at rest fits at any.
LEAST_CONTRAST = 2.0
# And by so many metres: a hand that goes straight on fits at any shift, but for rounding.
LEAST_SCATTER_M = 0.001


class LagTally:
    """For each shift s, the scatter of x(t) - y(t - s): x the centre of the found hand, y that of the true one.

    The scatter is about the mean difference of each hand, so a model that always answers a little to one side is not taken
    for a late one. Positive lag: the answer shows where the hand was before its stamp.
    """

    def __init__(self) -> None:
        self.frames = 0
        self._scatter = np.zeros(len(SHIFTS_NS))
        self._hands: dict[int, tuple[int, np.ndarray, np.ndarray]] = {}

    def add(self, hand: int, found: np.ndarray, true: np.ndarray) -> None:
        """One frame of a true hand.

        :param found: (3,) metres, mean of the joints
        :param true: (S, 3) metres, the same of the true hand at the frame's time less each of SHIFTS_NS; all known
        """
        count, sums, squares = self._hands.get(hand, (0, np.zeros_like(true), np.zeros(len(true))))
        difference = found - true
        self._hands[hand] = (count + 1, sums + difference, squares + (difference**2).sum(axis=1))

    def begin_sequence(self) -> None:
        """What follows is no continuation of what was: its hands have means of their own."""
        self._settle()

    def _settle(self) -> None:
        """Close the means of the hands so far: those of the next sequence or recording are other ones."""
        for count, sums, squares in self._hands.values():
            self._scatter = self._scatter + squares - (sums**2).sum(axis=1) / count
            self.frames += count
        self._hands = {}

    def merge(self, other: LagTally) -> None:
        """Add another recording's."""
        self._settle()
        other._settle()
        self._scatter = self._scatter + other._scatter
        self.frames += other.frames

    def lag_ms(self) -> float:
        """The shift of least scatter, to parts of a step by a parabola; NaN where too few frames or too little motion tell."""
        self._settle()
        scatter = self._scatter
        best = int(np.argmin(scatter))
        if self.frames < FEWEST_FRAMES or best in (0, len(scatter) - 1):
            return float("nan")
        far = min(scatter[0], scatter[-1])
        if far < LEAST_CONTRAST * scatter[best] or far < self.frames * LEAST_SCATTER_M**2:
            return float("nan")
        return float(1e-6 * (SHIFTS_NS[best] + vertex(scatter[best - 1 : best + 2]) * (SHIFTS_NS[1] - SHIFTS_NS[0])))


def vertex(three: np.ndarray) -> float:
    """Where the parabola through values at -1, 0, 1 has its extremum, the middle one being the least or the greatest."""
    left, middle, right = (float(v) for v in three)
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend else 0.0
