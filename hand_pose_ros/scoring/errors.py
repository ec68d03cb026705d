"""Joint errors of any number of hands: means by joint, median, good-frame curve."""

from __future__ import annotations

from typing import Any

import numpy as np

from hand_pose_ros.metrics import CURVE_THRESHOLDS_M, area_under, rounded
from hand_pose_ros.scoring.histogram import ERROR_EDGES_M, Histogram


class ErrorTally:
    """Sums over the hands that were paired.

    :param names: of the joints that are scored, K
    """

    def __init__(self, names: tuple[str, ...]) -> None:
        self.names = names
        self._sums, self._counts = np.zeros(len(names)), np.zeros(len(names), np.int64)
        self._joints, self._worst = Histogram(ERROR_EDGES_M), Histogram(ERROR_EDGES_M)

    def add(self, errors: np.ndarray) -> None:
        """One hand: (K,) metres, NaN for joints that are not known."""
        known = np.isfinite(errors)
        if not known.any():
            return
        self._sums += np.where(known, errors, 0.0)
        self._counts += known
        self._joints.add(errors)
        self._worst.add(errors[known].max())

    def merge(self, other: ErrorTally) -> None:
        """Add another's; joints are put together by name."""
        names = (*self.names, *(name for name in other.names if name not in self.names))
        rows = [names.index(name) for name in other.names]
        missing = len(names) - len(self.names)
        self._sums, self._counts = np.pad(self._sums, (0, missing)), np.pad(self._counts, (0, missing))
        self._sums[rows] += other._sums
        self._counts[rows] += other._counts
        self.names = names
        self._joints.merge(other._joints)
        self._worst.merge(other._worst)

    @property
    def mean_m(self) -> float:
        """Over all known joints of all hands; NaN where there are none."""
        return float(self._sums.sum() / self._counts.sum()) if self._counts.any() else float("nan")

    def figures(self, detection_rate: float) -> dict[str, Any]:
        """The error keys of a JSON of figures.

        :param detection_rate: share of the true hands that were found. A hand that was not is never good in the second AUC
        """
        curve = self._worst.share_within(CURVE_THRESHOLDS_M)
        by_joint = np.where(self._counts > 0, self._sums / np.maximum(self._counts, 1), np.nan)
        return {
            "mean_error_mm": rounded(1e3 * self.mean_m, 3),
            "median_error_mm": rounded(1e3 * self._joints.percentile(50)),
            "p95_error_mm": rounded(1e3 * self._joints.percentile(95)),
            "good_frame_auc_0_80mm": rounded(area_under(curve), 4),
            "good_frame_auc_with_missed_hands": rounded(area_under(curve) * detection_rate, 4),
            "good_frames_20mm": rounded(float(self._worst.share_within(np.array([0.020]))[0]), 4),
            "joint_error_mm": {name: rounded(1e3 * error, 3) for name, error in zip(self.names, by_joint)},
            "good_frame_curve": {
                "threshold_mm": [round(1e3 * t) for t in CURVE_THRESHOLDS_M],
                "share": [rounded(share, 5) for share in curve],
            },
        }
