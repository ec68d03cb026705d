"""Errors over the time of one recording, in a number of bins that does not grow."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_pose_ros.metrics import rounded

BINS = 240


class Timeline:
    """Means over stretches of time; a stretch is doubled whenever the recording turns out longer."""

    def __init__(self, step_ns: int = 100_000_000) -> None:
        self._step_ns = step_ns
        self._start_ns: int | None = None
        self._sums, self._counts, self._missed = np.zeros(BINS), np.zeros(BINS), np.zeros(BINS)

    def add(self, stamp_ns: int, error_m: float | None) -> None:
        """A true hand at that time: the mean error of the one found for it, None where it was missed."""
        if self._start_ns is None:
            self._start_ns = stamp_ns
        while (place := (stamp_ns - self._start_ns) // self._step_ns) >= BINS:
            self._double()
        if error_m is None:
            self._missed[place] += 1
        elif np.isfinite(error_m):
            self._sums[place] += error_m
            self._counts[place] += 1

    def _double(self) -> None:
        for bins in (self._sums, self._counts, self._missed):
            bins[: BINS // 2] = bins[0::2] + bins[1::2]
            bins[BINS // 2 :] = 0
        self._step_ns *= 2

    def figures(self) -> dict[str, Any]:
        """Seconds since the beginning (middle of each stretch with a true hand), mean error in mm, share of hands missed."""
        used = np.flatnonzero(self._counts + self._missed)
        means = np.divide(self._sums, self._counts, out=np.full(BINS, np.nan), where=self._counts > 0)
        return {
            "seconds": [rounded((i + 0.5) * self._step_ns * 1e-9, 3) for i in used],
            "mean_error_mm": [rounded(1e3 * means[i], 2) for i in used],
            "missed": [rounded(self._missed[i] / (self._counts[i] + self._missed[i]), 3) for i in used],
        }
