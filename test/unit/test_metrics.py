import numpy as np
import pytest

from hand_pose_ros import metrics
from hand_pose_ros.skeleton import Skeleton

PAIR = Skeleton("pair", ("a", "b"), (("a", "b"),))
NAN = float("nan")
# Two frames of two joints: errors of 5 and 12 mm, then 0 mm and not known.
ERRORS = np.array([[0.005, 0.012], [0.0, NAN]])


def test_joint_errors_are_euclidean():
    truth = np.zeros((1, 2, 3))
    predicted = np.array([[[0.003, 0.004, 0.0], [0.0, 0.0, -0.012]]])
    assert metrics.joint_errors(predicted, truth) == pytest.approx(np.array([[0.005, 0.012]]))


def test_shapes_that_differ_are_refused():
    with pytest.raises(ValueError, match="differ in shape"):
        metrics.joint_errors(np.zeros((2, 3)), np.zeros((1, 2, 3)))


def test_mean_and_median_leave_unknown_joints_out():
    assert metrics.mean_joint_error(ERRORS) == pytest.approx(0.017 / 3)
    assert metrics.median_joint_error(ERRORS) == pytest.approx(0.005)
    assert metrics.per_joint_error(ERRORS) == pytest.approx([0.0025, 0.012])


def test_nothing_known_is_nan_not_zero():
    nothing = np.full((2, 2), NAN)
    assert np.isnan(metrics.mean_joint_error(nothing))
    assert np.isnan(metrics.median_joint_error(np.empty((0, 2))))
    assert np.isnan(metrics.per_joint_error(nothing)).all()
    assert np.isnan(metrics.good_frame_curve(np.empty((0, 2)), np.array([0.01]))).all()


def test_good_frames_go_by_the_worst_known_joint():
    thresholds = np.array([0.0, 0.005, 0.0119, 0.012, 0.020])
    assert metrics.good_frame_curve(ERRORS, thresholds) == pytest.approx([0.5, 0.5, 0.5, 1.0, 1.0])


def test_good_frames_by_the_average_are_more():
    thresholds = np.array([0.0, 0.0084, 0.0085])
    # The averages are 8.5 and, of the one known joint, 0 mm.
    assert metrics.good_frame_curve(ERRORS, thresholds, by=metrics.AVERAGE_JOINT) == pytest.approx([0.5, 0.5, 1.0])
    with pytest.raises(ValueError, match="not by 'median'"):
        metrics.good_frame_curve(ERRORS, thresholds, by="median")


def test_frames_without_a_known_joint_count_nowhere():
    errors = np.array([[0.005, 0.012], [NAN, NAN]])
    for by in (metrics.WORST_JOINT, metrics.AVERAGE_JOINT):
        assert metrics.good_frame_curve(errors, np.array([0.004, 0.012]), by) == pytest.approx([0.0, 1.0])


def test_correct_keypoints_are_counted_over_all_known_joints():
    assert metrics.pck_curve(ERRORS, np.array([0.0, 0.005, 0.0119, 0.012])) == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1.0])
    assert np.isnan(metrics.pck_curve(np.full((1, 2), NAN), np.array([0.01]))).all()


def test_area_under_a_curve():
    thresholds = np.array([0.0, 0.02, 0.04])
    assert metrics.area_under(np.array([1.0, 1.0, 1.0]), thresholds) == pytest.approx(1.0)
    # (0 + 0.5) / 2 * 0.02 + (0.5 + 1) / 2 * 0.02 = 0.02, over a span of 0.04
    assert metrics.area_under(np.array([0.0, 0.5, 1.0]), thresholds) == pytest.approx(0.5)


def test_percentiles_interpolate_and_skip_what_is_not_finite():
    assert metrics.percentiles([1.0, 2.0, 3.0, 4.0, NAN, float("inf")], 0, 50, 100) == pytest.approx([1.0, 2.5, 4.0])
    assert np.isnan(metrics.percentiles([], 50)).all()


def test_latency_keys_carry_their_unit():
    assert metrics.latency_figures("network", [2.0, 4.0]) == {"network_p50_ms": 3.0, "network_p99_ms": 3.98}
    assert metrics.latency_figures("network", []) == {"network_p50_ms": None, "network_p99_ms": None}


def test_error_figures_are_in_millimetres():
    figures = metrics.error_figures(ERRORS, PAIR)
    assert figures["mean_error_mm"] == pytest.approx(5.67)
    assert figures["median_error_mm"] == pytest.approx(5.0)
    assert figures["joint_error_mm"] == {"a": 2.5, "b": 12.0}
    assert figures["good_frames_20mm"] == 1.0
    # The worst joints are 0 and 12 mm: the curve is 0.5 up to 11 mm and 1 from 12 to 80 mm, with one slanted step between.
    assert figures["good_frame_auc_0_80mm"] == pytest.approx((0.5 * 11 + 0.75 + 68) / 80, abs=1e-4)
