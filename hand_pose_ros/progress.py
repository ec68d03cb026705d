"""Log lines above progress bars instead of through them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm


class _AboveBars(logging.StreamHandler):
    def emit(self, record: logging.LogRecord) -> None:
        try:
            tqdm.write(self.format(record), file=self.stream)
        except Exception:  # as every handler: a log line must not end the program
            self.handleError(record)


@contextmanager
def log_above_bars() -> Iterator[None]:
    """Inside the block, what the root logger writes to the terminal leaves tqdm's bars whole.

    tqdm.contrib.logging does this from tqdm 4.60 on; Ubuntu 22.04 has 4.57.
    """
    root = logging.getLogger()
    before = list(root.handlers)
    root.handlers = [_above(handler) if _is_terminal(handler) else handler for handler in before]
    try:
        yield
    finally:
        root.handlers = before


def _is_terminal(handler: logging.Handler) -> bool:
    return isinstance(handler, logging.StreamHandler) and handler.stream in (sys.stdout, sys.stderr)


def _above(handler: logging.StreamHandler) -> logging.Handler:
    above = _AboveBars(handler.stream)
    above.setLevel(handler.level)
    above.setFormatter(handler.formatter)
    for its_filter in handler.filters:
        above.addFilter(its_filter)
    return above
