"""Numbers counted in narrow bins: percentiles and shares of any number of values in memory that does not grow."""

from __future__ import annotations

import numpy as np

# Errors: bins of 0.1 mm up to 0.2 m. Times: bins of 1 % from a microsecond to a hundred seconds, in milliseconds.
ERROR_EDGES_M = np.arange(2001) * 1e-4
TIME_EDGES_MS = 1e-3 * 1.01 ** np.arange(1852)


class Histogram:
    """Counts by bin; values beyond the last edge are counted too.

    :param edges: (B,) ascending; bin i holds what is above edge i - 1 and up to edge i
    """

    def __init__(self, edges: np.ndarray) -> None:
        self.edges = edges
        self.counts = np.zeros(len(edges) + 1, np.int64)
        self.lowest, self.highest = np.inf, -np.inf

    @property
    def total(self) -> int:
        """How many values were counted."""
        return int(self.counts.sum())

    def add(self, values: np.ndarray | float) -> None:
        """Count the finite ones of the values."""
        values = np.asarray(values, float).ravel()
        values = values[np.isfinite(values)]
        if not values.size:
            return
        # A value that is an edge but for rounding belongs below it, as `<= threshold` has it.
        places = np.searchsorted(self.edges, values * (1 - 1e-9), side="left")
        np.add.at(self.counts, places, 1)
        self.lowest = min(self.lowest, float(values.min()))
        self.highest = max(self.highest, float(values.max()))

    def merge(self, other: Histogram) -> None:
        """Add what another one of the same edges counted."""
        self.counts += other.counts
        self.lowest, self.highest = min(self.lowest, other.lowest), max(self.highest, other.highest)

    def share_within(self, thresholds: np.ndarray) -> np.ndarray:
        """(T,) of the values, the share that is at most each threshold; thresholds are edges. NaN where nothing was counted."""
        thresholds = np.asarray(thresholds, float)
        if not self.total:
            return np.full(thresholds.shape, np.nan)
        bins = np.searchsorted(self.edges, thresholds * (1 - 1e-9), side="left")
        return np.cumsum(self.counts)[bins] / self.total

    def percentile(self, rank: float) -> float:
        """The value that `rank` percent of all lie below, to a bin's width; NaN where nothing was counted."""
        if not self.total:
            return float("nan")
        sums = np.cumsum(self.counts)
        wanted = rank / 100 * self.total
        place = int(np.searchsorted(sums, wanted, side="left"))
        if place >= len(self.edges):
            return self.highest
        place = max(place, int(np.flatnonzero(self.counts)[0]))
        low = self.edges[place - 1] if place else min(self.lowest, self.edges[0])
        part = (wanted - (sums[place] - self.counts[place])) / self.counts[place]
        value = low + np.clip(part, 0, 1) * (self.edges[place] - low)
        return float(np.clip(value, self.lowest, self.highest))
