"""A place for one item: the newest wins, what nobody took in time is dropped and counted."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class NewestSlot(Generic[T]):
    """Between a thread that puts faster than another takes. A queue would fall behind; this never does."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._item: T | None = None
        self._dropped = 0

    def put(self, item: T) -> None:
        """Leave the item, in place of one that was not taken."""
        with self._condition:
            self._dropped += self._item is not None
            self._item = item
            self._condition.notify()

    def take(self, timeout_s: float) -> T | None:
        """The item, or None when none came in time or `wake` was called."""
        with self._condition:
            if self._item is None:
                self._condition.wait(timeout_s)
            item, self._item = self._item, None
            return item

    def wake(self) -> None:
        """Let a waiting `take` return."""
        with self._condition:
            self._condition.notify()

    @property
    def dropped(self) -> int:
        """Items that were replaced before anyone took them."""
        with self._condition:
            return self._dropped
