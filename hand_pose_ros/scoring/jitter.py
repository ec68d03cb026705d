"""How much the joints tremble while the true hand rests."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from hand_pose_ros.scoring.matching import HandMatch

REST_SPEED_M_S = 0.010
# Frames further apart than this are no neighbours, nor are those whose two intervals differ by more than this factor.
LONGEST_STEP_NS = 200_000_000
MOST_UNEVEN = 1.5
# Joints at rest below which there is no figure.
FEWEST = 100
# Variance of x[k] - (x[k-1] + x[k+1]) / 2 over that of x where the x are independent: 1 + 1/4 + 1/4.
GAIN = 1.5


class _Seen(NamedTuple):
    stamp_ns: int
    match: HandMatch


class JitterTally:
    """The second difference over three frames in a row of joints at rest, which drift and slow motion leave out.

    A joint counts where the same true hand was paired with the same id in three frames in a row, and the mean speed of the
    true joints is at most `rest_speed_m_s` in both steps. The figure is sqrt(mean |x[k] - (x[k-1] + x[k+1]) / 2|^2 / 1.5):
    for joints that tremble independently from frame to frame, the root mean square of their 3D distance from where they rest.
    """

    def __init__(self, rest_speed_m_s: float = REST_SPEED_M_S) -> None:
        self._rest_speed_m_s = rest_speed_m_s
        self._sum, self.joints = 0.0, 0
        self._seen: dict[int, list[_Seen]] = {}

    def add(self, stamp_ns: int, matches: Sequence[HandMatch]) -> None:
        """The next frame."""
        seen: dict[int, list[_Seen]] = {}
        for match in matches:
            if match.true is None or match.found is None:
                continue
            before = [s for s in self._seen.get(match.true.id, []) if s.match.found.id == match.found.id]
            three = [*before, _Seen(stamp_ns, match)][-3:]
            seen[match.true.id] = three
            if len(three) == 3 and self._rests(three):
                first, middle, last = (s.match.found.joints for s in three)
                squared = ((middle - (first + last) / 2) ** 2).sum(axis=1)
                known = np.isfinite(squared)
                self._sum += float(squared[known].sum())
                self.joints += int(known.sum())
        self._seen = seen

    def begin_sequence(self) -> None:
        """What follows is no continuation of what was: its frames are no neighbours of those before."""
        self._seen = {}

    def _rests(self, three: list[_Seen]) -> bool:
        steps = [b.stamp_ns - a.stamp_ns for a, b in pairwise(three)]
        if min(steps) <= 0 or max(steps) > LONGEST_STEP_NS or max(steps) > MOST_UNEVEN * min(steps):
            return False
        for (a, b), step in zip(pairwise(three), steps):
            moved = np.linalg.norm(b.match.true.joints - a.match.true.joints, axis=1)
            moved = moved[np.isfinite(moved)]
            if not moved.size or moved.mean() > self._rest_speed_m_s * step * 1e-9:
                return False
        return True

    def merge(self, other: JitterTally) -> None:
        """Add another recording's sums."""
        self._sum += other._sum
        self.joints += other.joints

    @property
    def rms_m(self) -> float:
        """The figure in metres; NaN where too little rested."""
        return float(np.sqrt(self._sum / self.joints / GAIN)) if self.joints >= FEWEST else float("nan")
