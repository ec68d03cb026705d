"""Reading ahead in a thread, so that a player in real time does not wait for the disk."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
_END = object()


def read_ahead(items: Iterable[T], count: int) -> Iterator[T]:
    """The items, up to `count` of them made before they are asked for. An exception comes where its item would have come."""
    made: queue.Queue[object] = queue.Queue(count)
    stop = threading.Event()

    def make() -> None:
        try:
            for item in items:
                if not _put(made, item, stop):
                    return
            _put(made, _END, stop)
        except BaseException as error:
            _put(made, _Raised(error), stop)

    thread = threading.Thread(target=make, name="read ahead", daemon=True)
    thread.start()
    try:
        while (item := made.get()) is not _END:
            if isinstance(item, _Raised):
                raise item.error
            yield item
    finally:
        stop.set()
        thread.join()


class _Raised:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _put(made: queue.Queue[object], item: object, stop: threading.Event) -> bool:
    """Put it as soon as there is room; False when nobody wants it any more."""
    while not stop.is_set():
        try:
            made.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False
