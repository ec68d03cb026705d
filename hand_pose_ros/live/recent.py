"""The last messages of a topic, to be found by their stamp."""

from __future__ import annotations

import threading
from collections import deque
from typing import Any, NamedTuple

from hand_pose_ros.messages.library import stamp_ns


class Stamped(NamedTuple):
    """A message and its stamp in nanoseconds."""

    stamp_ns: int
    message: Any


class Recent:
    """Added to by the transport's thread, read by others.

    :param kept: so many messages are kept
    """

    def __init__(self, kept: int) -> None:
        self._messages: deque[Stamped] = deque(maxlen=kept)
        self._lock = threading.Lock()

    def add(self, message: Any) -> None:
        """A message with a header came."""
        with self._lock:
            self._messages.append(Stamped(stamp_ns(message.header), message))

    def clear(self) -> None:
        """Forget them."""
        with self._lock:
            self._messages.clear()

    def all(self) -> list[Stamped]:
        """In the order in which they came."""
        with self._lock:
            return list(self._messages)
