"""The constant offset between two clocks, from the same motion seen by both."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hand_pose_ros.scoring.lag import vertex

STEP_S = 0.01
# Motion of so much of both is compared, at least.
LEAST_OVERLAP_S = 2.0
WEAK = 0.5


class ClockOffset(NamedTuple):
    """:param seconds: what the second signal's stamps are ahead of the first's
    :param correlation: of the two signals at that offset, -1 to 1; below WEAK it is a guess
    """

    seconds: float
    correlation: float


def clock_offset(
    first_s: np.ndarray, first: np.ndarray, second_s: np.ndarray, second: np.ndarray, limit_s: float, about_s: float = 0.0
) -> ClockOffset | None:
    """The offset at which two signals correlate best (Pearson, over their overlap).

    :param first_s, second_s: (N,), (M,) ascending times in seconds, each by its own clock
    :param first, second: (N,), (M,) the signals, for example speeds of a hand
    :param about_s, limit_s: offsets from about_s - limit_s to about_s + limit_s are looked at
    :return: to a part of STEP_S by a parabola; None where there is no such overlap or one does not change
    """
    if len(first_s) < 2 or len(second_s) < 2:
        return None
    times = np.arange(first_s[0], first_s[-1], STEP_S)
    one = np.interp(times, first_s, first)
    steps = np.arange(-round(limit_s / STEP_S), round(limit_s / STEP_S) + 1)
    correlations = np.full(len(steps), -np.inf)
    for i, step in enumerate(steps):
        at = times + about_s + step * STEP_S
        inside = slice(*np.searchsorted(at, [second_s[0], second_s[-1]]))
        if (inside.stop - inside.start) * STEP_S < LEAST_OVERLAP_S:
            continue
        a, b = one[inside], np.interp(at[inside], second_s, second)
        a, b = a - a.mean(), b - b.mean()
        size = float(np.sqrt((a * a).sum() * (b * b).sum()))
        if size > 0:
            correlations[i] = float((a * b).sum()) / size
    best = int(np.argmax(correlations))
    if not np.isfinite(correlations[best]):
        return None
    inner = 0 < best < len(steps) - 1 and np.isfinite(correlations[best - 1 : best + 2]).all()
    part = vertex(correlations[best - 1 : best + 2]) if inner else 0.0
    return ClockOffset(about_s + (float(steps[best]) + part) * STEP_S, correlations[best])
