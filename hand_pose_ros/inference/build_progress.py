"""How far a build is: TensorRT tells of nested phases of unknown length, a user wants one figure that grows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class BuildProgress:
    """How far a build is.

    :param share: from 0 to 1
    :param text: what it is at, in TensorRT's words
    """

    share: float = 0.0
    text: str = "starting"

    def __str__(self) -> str:
        return f"{self.share:.0%} ({self.text})"


class PhaseTracker:
    """Nested phases to one share: a step of an outer phase is worth as much as all steps of the phases within it.

    :param told: gets every progress that differs from the one before; its share never falls

    May be called from several threads, as TensorRT does.
    """

    def __init__(self, told: Callable[[BuildProgress], None]) -> None:
        self._told = told
        self._open: list[tuple[str, int, int]] = []  # (phase, done, total), outermost first
        self._last = BuildProgress()
        self._lock = threading.Lock()

    def __call__(self, phase: str, done: int, total: int) -> None:
        """`done` of `total` steps of `phase`; a phase that is not open yet begins inside the innermost one."""
        with self._lock:
            self._add(phase, done, total)

    def _add(self, phase: str, done: int, total: int) -> None:
        names = [name for name, _, _ in self._open]
        if phase in names:
            del self._open[names.index(phase) :]
        self._open.append((phase, done, max(total, 1)))
        progress = BuildProgress(max(self._share(), self._last.share), phase)
        if done >= total and len(self._open) > 1:
            self._open.pop()
        if progress != self._last:
            self._last = progress
            self._told(progress)

    def _share(self) -> float:
        share, worth = 0.0, 1.0
        for _, done, total in self._open:
            share += worth * min(done, total) / total
            worth /= total
        return min(share, 1.0)
