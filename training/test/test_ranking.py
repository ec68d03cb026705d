"""Area under the ROC and the risk-coverage curve, against values computed by hand."""

import numpy as np
import pytest

from hand_pose_training.ranking import risk_coverage, roc_auc


def test_area_under_roc_counts_the_pairs_in_order():
    scores, positive = np.array([0.9, 0.4, 0.6, 0.1]), np.array([True, True, False, False])
    assert roc_auc(scores, positive) == pytest.approx(3 / 4)  # only (0.4, 0.6) is out of order
    assert roc_auc(-scores, positive) == pytest.approx(1 / 4)
    assert roc_auc(np.array([0.5, 0.5, 0.2]), np.array([True, False, False])) == pytest.approx((0.5 + 1) / 2)


def test_area_under_roc_needs_both():
    assert np.isnan(roc_auc(np.array([0.1, 0.2]), np.array([True, True])))


def test_risk_coverage_is_the_mean_error_of_the_surest():
    errors = np.array([0.010, 0.004, 0.001, 0.005])
    confidence = np.array([0.1, 0.9, 0.8, 0.5])  # in order: 4, 1, 5, 10 mm; means 4, 2.5, 10/3, 5
    found = risk_coverage(errors, confidence)
    assert found["mean_error_mm"]["0.5"] == 2.5 and found["mean_error_mm"]["1.0"] == 5.0
    assert found["mean_error_mm"]["0.1"] == 4.0  # the surest one
    assert found["area_mm"] == pytest.approx((4 + 2.5 + 10 / 3 + 5) / 4, abs=0.005)
    assert found["best_area_mm"] == pytest.approx((1 + 2.5 + 10 / 3 + 5) / 4, abs=0.005)
    assert found["unranked_area_mm"] == 5.0


def test_risk_coverage_leaves_out_what_is_not_known():
    found = risk_coverage(np.array([0.002, np.nan]), np.array([0.5, 0.9]))
    assert found["mean_error_mm"]["1.0"] == 2.0
    assert risk_coverage(np.array([np.nan]), np.array([0.9])) is None
