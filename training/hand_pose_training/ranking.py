"""What a score is worth: how well it parts hands from other things, and how well a confidence ranks errors."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import rankdata

from hand_pose_ros.metrics import rounded

COVERAGES = tuple(round(0.1 * k, 1) for k in range(1, 11))


def roc_auc(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the receiver operating characteristic: the chance that a positive's score is above a negative's, ties half.

    :param scores: (N,)
    :param positive: (N,) bool
    :return: 0 to 1, NaN without positives or without negatives
    """
    positive = np.asarray(positive, bool)
    positives, negatives = int(positive.sum()), int((~positive).sum())
    if not positives or not negatives:
        return float("nan")
    # Mann & Whitney: the positives' ranks less those that they have among themselves.
    ranks = rankdata(scores)
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def risk_coverage(errors: np.ndarray, confidence: np.ndarray) -> dict[str, Any] | None:
    """The mean error of the so many surest (the risk-coverage curve of Geifman & El-Yaniv, NeurIPS 2017).

    :param errors, confidence: (N,) metres and 0 to 1; NaN errors are left out
    :return: mean_error_mm by coverage; area_mm, the mean over all coverages; area_mm of the best ranking that there is and of
        none, between which it lies; None without errors
    """
    known = np.isfinite(errors)
    errors, confidence = np.asarray(errors, float)[known], np.asarray(confidence, float)[known]
    if not len(errors):
        return None
    curve = _risks(errors[np.argsort(-confidence, kind="stable")])
    shown = np.ceil(np.array(COVERAGES) * len(errors) - 1e-9).astype(int) - 1
    return {
        "mean_error_mm": {f"{coverage:.1f}": rounded(1e3 * curve[k]) for coverage, k in zip(COVERAGES, shown)},
        "area_mm": rounded(1e3 * curve.mean()),
        "best_area_mm": rounded(1e3 * _risks(np.sort(errors)).mean()),
        "unranked_area_mm": rounded(1e3 * errors.mean()),
    }


def _risks(errors: np.ndarray) -> np.ndarray:
    """(N,) mean of the first 1, 2, ... N errors."""
    return np.cumsum(errors) / np.arange(1, len(errors) + 1)
