"""Hands that go away and come back: after a long absence nobody can say that it is the same hand."""

from __future__ import annotations

from collections.abc import Iterable


class Appearances:
    """Numbers a hand's stretches of being there, for `IdentityTally`: another stretch counts as another hand.

    :param memory_frames: frames that a hand may be away in one stretch
    :ivar returns: stretches that began after such an absence
    """

    def __init__(self, memory_frames: int) -> None:
        self.returns = 0
        self._memory, self._frame = memory_frames, 0
        self._last: dict[int, int] = {}
        self._number: dict[int, int] = {}

    def add(self, ids: Iterable[int]) -> dict[int, int]:
        """The next frame with the ids of the hands that are there; returns for each an id of this stretch alone."""
        self._frame += 1
        stretches = {}
        for hand in ids:
            if self._frame - self._last.get(hand, self._frame) > self._memory + 1:
                self._number[hand] = self._number.get(hand, 0) + 1
                self.returns += 1
            self._last[hand] = self._frame
            stretches[hand] = hand + 1000 * self._number.get(hand, 0)
        return stretches
