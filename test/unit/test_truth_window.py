import numpy as np
import pytest
from hand_bags import SHAPE, moved

from hand_pose_ros.evaluation.truth_window import TruthFrame, TruthWindow
from hand_pose_ros.scoring.matching import KnownHand

MS = 1_000_000


def moment(ms, *hands):
    return TruthFrame(ms * MS, tuple(KnownHand(i, 2, moved(SHAPE, x, 0, 0.5)) for i, x in hands))


def window(*moments, tolerance=5, gap=100, reach=250, starts=()):
    starts_ns = [start * MS for start in starts]
    return TruthWindow(iter(moments), tolerance_ns=tolerance * MS, max_gap_ns=gap * MS, reach_ns=reach * MS, starts_ns=starts_ns)


def places(hands):
    return None if hands is None else {hand.id: hand.joints.mean(axis=0)[0] for hand in hands}


def test_between_two_moments_the_hands_go_straight():
    truth = window(moment(0, (1, 0.0), (2, 1.0)), moment(40, (2, 1.2), (1, 0.04)))
    assert places(truth.at(0)) == pytest.approx({1: 0.0, 2: 1.0})
    assert places(truth.at(10 * MS)) == pytest.approx({1: 0.01, 2: 1.05})
    assert places(truth.at(40 * MS)) == pytest.approx({1: 0.04, 2: 1.2})


def test_a_gap_is_not_bridged_but_a_near_moment_counts():
    truth = window(moment(0, (1, 0.0)), moment(101, (1, 1.0)), moment(150, (1, 2.0)))
    assert places(truth.at(5 * MS)) == pytest.approx({1: 0.0})
    assert truth.at(6 * MS) is None and truth.at(95 * MS) is None
    assert places(truth.at(96 * MS)) == pytest.approx({1: 1.0})
    assert places(truth.at(155 * MS)) == pytest.approx({1: 2.0})  # after the end, still near
    assert truth.at(156 * MS) is None


def test_nothing_is_between_two_sequences():
    moments = [moment(ms, (1, 0.0 if ms < 50 else 1.0)) for ms in range(0, 101, 10)]
    truth = window(*moments, starts=[45])
    assert places(truth.at(40 * MS)) == pytest.approx({1: 0.0})
    assert places(truth.at(44 * MS)) == pytest.approx({1: 0.0})
    assert places(truth.at(46 * MS)) == pytest.approx({1: 1.0})
    assert truth.centers(1, np.array([46, 90]) * MS) is None  # of which the first is between the two
    assert truth.centers(1, np.array([50, 90]) * MS)[:, 0] == pytest.approx([1.0, 1.0])
    assert places(window(*moments).at(44 * MS)) == pytest.approx({1: 0.4})


def test_a_hand_that_came_or_went_between_is_not_known():
    truth = window(moment(0, (1, 0.0)), moment(40), moment(80))
    assert truth.at(20 * MS) is None
    assert places(truth.at(36 * MS)) == {}
    assert places(truth.at(60 * MS)) == {}


def test_before_the_first_and_without_any_nothing_is_known():
    assert window(moment(100, (1, 0.0))).at(0) is None
    assert window().at(0) is None


def test_centres_at_shifted_moments():
    truth = window(*(moment(k * 20, (1, k * 0.02)) for k in range(60)))
    truth.at(600 * MS)
    stamps = np.array([360, 450, 600, 845]) * MS
    assert truth.centers(1, stamps)[:, 0] == pytest.approx([0.36, 0.45, 0.6, 0.845])
    assert truth.centers(1, np.array([100 * MS, 600 * MS])) is None  # forgotten
    assert truth.centers(2, stamps) is None


def test_centres_across_a_gap_are_not_known():
    moments = [moment(k * 20, (1, 0.0)) for k in range(60) if not 30 <= k < 36]
    truth = window(*moments)
    truth.at(500 * MS)
    assert truth.centers(1, np.array([400, 580]) * MS) is not None
    assert truth.centers(1, np.array([400, 700]) * MS) is None


def test_what_is_kept_does_not_grow():
    truth = window(*(moment(k * 10, (1, 0.0)) for k in range(5000)))
    for k in range(0, 5000, 3):
        assert truth.at(k * 10 * MS) is not None
        assert len(truth._kept) <= 54
