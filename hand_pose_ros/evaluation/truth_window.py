"""Ground truth at any moment: as stamped, or between two moments that are close enough."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from hand_pose_ros.scoring.matching import KnownHand


class TruthFrame(NamedTuple):
    """Known hands of one moment, on the clock and in the frame of the hands that are compared with them."""

    stamp_ns: int
    hands: tuple[KnownHand, ...]


class TruthWindow:
    """Reads along a sequence of moments; what it keeps spans `reach_ns` to either side of the moment asked for last.

    :param frames: by ascending stamp
    :param tolerance_ns: a moment this near stands for the one asked for, where none can be taken from between two
    :param max_gap_ns: two moments further apart than this have nothing between them
    :param starts_ns: ascending; what is before and what is from one of these moments on does not belong together
    """

    def __init__(
        self,
        frames: Iterator[TruthFrame],
        *,
        tolerance_ns: int,
        max_gap_ns: int,
        reach_ns: int,
        starts_ns: Sequence[int] = (),
    ) -> None:
        self._frames = frames
        self._tolerance_ns, self._max_gap_ns, self._reach_ns = tolerance_ns, max_gap_ns, reach_ns
        self._starts_ns = starts_ns
        self._kept: deque[TruthFrame] = deque()
        self._centers: deque[dict[int, np.ndarray]] = deque()  # of the same moments, by hand
        self._ended = False

    def at(self, stamp_ns: int) -> list[KnownHand] | None:
        """The hands at a moment not before the one asked for last; None where the truth does not say.

        Between two moments joints go straight and evenly, if both have the same hands: else one came or went.
        """
        self._read_up_to(stamp_ns)
        after = next((i for i, frame in enumerate(self._kept) if frame.stamp_ns >= stamp_ns), len(self._kept))
        near = [self._kept[i] for i in (after - 1, after) if 0 <= i < len(self._kept)]
        near = [frame for frame in near if self._together(frame.stamp_ns, stamp_ns)]
        if near and near[-1].stamp_ns == stamp_ns:
            return list(near[-1].hands)
        if len(near) == 2 and near[1].stamp_ns - near[0].stamp_ns <= self._max_gap_ns:
            before, ahead = ({hand.id: hand for hand in frame.hands} for frame in near)
            if before.keys() == ahead.keys():
                part = (stamp_ns - near[0].stamp_ns) / (near[1].stamp_ns - near[0].stamp_ns)
                return [_between(hand, ahead[i], part) for i, hand in before.items()]
        nearest = min(near, key=lambda frame: abs(frame.stamp_ns - stamp_ns), default=None)
        if nearest is None or abs(nearest.stamp_ns - stamp_ns) > self._tolerance_ns:
            return None
        return list(nearest.hands)

    def centers(self, hand: int, stamps_ns: np.ndarray) -> np.ndarray | None:
        """(S, 3) metres: means of a hand's joints at moments within reach of the one asked for last, ascending.

        None where not all of its joints are known at all of them.
        """
        stamps, centers = [], []
        for frame, known in zip(self._kept, self._centers):
            if hand in known:
                stamps.append(frame.stamp_ns)
                centers.append(known[hand])
        if not stamps or stamps[0] > stamps_ns[0] or stamps[-1] < stamps_ns[-1]:
            return None
        first, last = np.searchsorted(stamps, stamps_ns[0], side="right") - 1, np.searchsorted(stamps, stamps_ns[-1])
        spanned = np.array(stamps[first : last + 1])
        if (np.diff(spanned) > self._max_gap_ns).any() or not self._together(spanned[0], spanned[-1]):
            return None
        base = stamps[0]  # nanoseconds since 1970 have more digits than a float
        times, places = np.array(stamps) - base, np.array(centers)
        return np.stack([np.interp(stamps_ns - base, times, places[:, axis]) for axis in range(3)], axis=1)

    def _together(self, first_ns: int, second_ns: int) -> bool:
        return bisect_right(self._starts_ns, first_ns) == bisect_right(self._starts_ns, second_ns)

    def _read_up_to(self, stamp_ns: int) -> None:
        until = stamp_ns + self._reach_ns
        while not self._ended and (not self._kept or self._kept[-1].stamp_ns < until):
            frame = next(self._frames, None)
            if frame is None:
                self._ended = True
            else:
                self._kept.append(frame)
                centers = ((hand.id, hand.joints.mean(axis=0)) for hand in frame.hands)
                self._centers.append({i: center for i, center in centers if np.isfinite(center).all()})
                self._forget_before(stamp_ns - self._reach_ns)
        self._forget_before(stamp_ns - self._reach_ns)

    def _forget_before(self, stamp_ns: int) -> None:
        """All but the last of those before it."""
        while len(self._kept) > 1 and self._kept[1].stamp_ns <= stamp_ns:
            self._kept.popleft()
            self._centers.popleft()


def _between(a: KnownHand, b: KnownHand, part: float) -> KnownHand:
    return a._replace(joints=a.joints + part * (b.joints - a.joints))
