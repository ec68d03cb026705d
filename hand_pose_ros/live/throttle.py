"""Log lines that do not flood."""

from __future__ import annotations

import time
from collections.abc import Callable

_REMEMBERED = 64


class Throttle:
    """Lets each text through once a period. Not thread safe.

    :param period_s: seconds
    :param clock: monotonic seconds
    """

    def __init__(self, period_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._period_s, self._clock = period_s, clock
        self._last: dict[str, float] = {}

    def allow(self, text: str) -> bool:
        """Whether to say it now."""
        now = self._clock()
        if now - self._last.get(text, -float("inf")) < self._period_s:
            return False
        if len(self._last) >= _REMEMBERED:  # texts with numbers in them: forget the oldest
            del self._last[min(self._last, key=self._last.__getitem__)]
        self._last[text] = now
        return True
