"""Who is who: the optimal assignment of a few rows to a few columns."""

from __future__ import annotations

import numpy as np


def assign(cost: np.ndarray) -> list[tuple[int, int]]:
    """Pairs (row, column), each row and column in one at most: as many as can be, of those the least sum of costs.

    The Hungarian method by shortest augmenting paths (Jonker & Volgenant, Computing 38, 1987), cubic in the larger side: meant
    for up to ten or so.

    :param cost: (R, C), not negative; inf: never a pair
    """
    rows, columns = cost.shape
    if not rows or not columns:
        return []
    size = max(rows, columns)
    allowed = np.isfinite(cost)
    # What must not be paired costs more than everything else together, so that it is paired (and left out) only where it must.
    forbidden = 1.0 + 2.0 * size * float(cost[allowed].max(initial=0.0))
    square = np.full((size + 1, size + 1), forbidden)  # row and column 0 stand for "none yet"
    square[1 : rows + 1, 1 : columns + 1] = np.where(allowed, cost, forbidden)
    row_price, column_price = np.zeros(size + 1), np.zeros(size + 1)
    row_of = np.zeros(size + 1, int)
    for row in range(1, size + 1):
        row_of[0] = row
        column = 0
        shortest, before = np.full(size + 1, np.inf), np.zeros(size + 1, int)
        done = np.zeros(size + 1, bool)
        while row_of[column]:
            done[column] = True
            reached = square[row_of[column]] - row_price[row_of[column]] - column_price
            nearer = ~done & (reached < shortest)
            shortest[nearer], before[nearer] = reached[nearer], column
            open_ones = np.where(done, np.inf, shortest)
            open_ones[0] = np.inf
            following = int(open_ones.argmin())
            step = open_ones[following]
            row_price[row_of[done]] += step
            column_price[done] -= step
            shortest[~done] -= step
            column = following
        while column:
            row_of[column] = row_of[before[column]]
            column = before[column]
    pairs = ((int(row_of[c]) - 1, c - 1) for c in range(1, columns + 1))
    return sorted((r, c) for r, c in pairs if r < rows and allowed[r, c])
