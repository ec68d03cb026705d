"""Ctrl-C as a wish to end soon, with what is done: a second one ends at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def interrupts_into(stop: Callable[[], Any]) -> Iterator[None]:
    """Inside the block, the first SIGINT calls `stop`, and another one raises KeyboardInterrupt as usual.

    Only the main thread can; in others nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def first(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        stop()

    before = signal.signal(signal.SIGINT, first)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def shielded_children() -> Iterator[None]:
    """Processes begun inside the block never see SIGINT, from their first moment on; for this thread it waits until the end.

    A terminal sends it to all of them, and those that still import would end with a traceback. Windows has no such shield.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
