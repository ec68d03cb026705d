"""Whether a frame is newer than the one before it: the rule that the live node and replay share."""

from __future__ import annotations

from enum import Enum

# A frame that is older than the one before by less is late and left out; by more, time was set back (a recording began again).
LATE_FRAME_NS = 100_000_000


class Order(Enum):
    """What a frame's stamp says of it."""

    NEW = "newer than the one before"
    LATE = "not newer, by less than 100 ms: to be left out"
    SET_BACK = "older by 100 ms or more: a new beginning"


class FrameOrder:
    """Compares the stamp of each frame with the newest one since the beginning.

    :ivar behind_ns: how far the frame asked for last lies behind; 0 or less for one that is newer
    """

    def __init__(self) -> None:
        self.behind_ns = -1
        self._last_ns: int | None = None

    def next(self, stamp_ns: int) -> Order:
        """What a frame of that stamp is; one that is late is forgotten."""
        self.behind_ns = -1 if self._last_ns is None else self._last_ns - stamp_ns
        if 0 <= self.behind_ns < LATE_FRAME_NS:
            return Order.LATE
        self._last_ns = stamp_ns
        return Order.NEW if self.behind_ns < 0 else Order.SET_BACK
