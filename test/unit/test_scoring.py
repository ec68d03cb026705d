import numpy as np
import pytest
from hand_bags import SHAPE, moved

from hand_pose_ros.metrics import area_under, good_frame_curve, mean_joint_error
from hand_pose_ros.scoring.clock_offset import clock_offset
from hand_pose_ros.scoring.errors import ErrorTally
from hand_pose_ros.scoring.histogram import ERROR_EDGES_M, TIME_EDGES_MS, Histogram
from hand_pose_ros.scoring.identity import IdentityTally
from hand_pose_ros.scoring.jitter import JitterTally
from hand_pose_ros.scoring.lag import SHIFTS_NS, LagTally
from hand_pose_ros.scoring.matching import KnownHand, match_hands, match_known
from hand_pose_ros.scoring.tally import HandTally
from hand_pose_ros.scoring.timeline import BINS, Timeline

NAMES = tuple(f"joint_{i}" for i in range(21))
PERIOD_NS = 33_333_333


def known(x, i=1, y=0.0, side=2):
    return KnownHand(i, side, moved(SHAPE, x, y, 0.5))


def test_pairs_are_as_many_as_the_gate_lets():
    # Nearest first would pair 0 with 0.01 and leave 0.045, which is 55 mm from -0.01, alone.
    matches = match_hands([known(0.01, 7), known(-0.045, 8)], [known(0.0, 1), known(0.045, 2)])
    assert [(m.true.id, m.found.id) for m in matches] == [(1, 8), (2, 7)]
    assert matches[0].errors == pytest.approx(np.full(21, 0.045))


def test_what_is_left_is_missed_or_false():
    missed, false = match_hands([known(0.2, 9)], [known(0.0, 1)])
    assert (missed.true.id, missed.found, missed.errors) == (1, None, None)
    assert (false.true, false.found.id) == (None, 9)


def test_a_true_hand_at_no_known_place_is_not_missed_and_what_may_be_it_is_not_false():
    unknown = KnownHand(2, 1, np.full((21, 3), np.nan))
    matches = match_known([known(0.0, 7), known(0.3, 8)], [known(0.0, 1), unknown])
    assert [(m.true.id, m.found.id) for m in matches] == [(1, 7)]
    assert match_known([known(0.0, 7)], [unknown]) is None
    assert [m.true for m in match_known([known(0.0, 7)], [])] == [None]


def test_histograms_know_shares_exactly_and_percentiles_to_a_bin():
    values = np.random.default_rng(0).gamma(2.0, 0.006, 5000)
    parts = [Histogram(ERROR_EDGES_M), Histogram(ERROR_EDGES_M)]
    parts[0].add(values[:700])
    parts[1].add(np.append(values[700:], np.nan))
    parts[0].merge(parts[1])
    thresholds = np.array([0.005, 0.010, 0.080])
    assert parts[0].total == 5000
    assert parts[0].share_within(thresholds) == pytest.approx([(values <= t).mean() for t in thresholds], abs=1e-12)
    for rank in (1, 50, 99):
        assert parts[0].percentile(rank) == pytest.approx(np.percentile(values, rank), abs=1.1e-4)
    times = Histogram(TIME_EDGES_MS)
    times.add(1e3 * values)
    assert times.percentile(50) == pytest.approx(np.percentile(1e3 * values, 50), rel=0.011)


def test_a_histogram_holds_its_edges_and_what_is_beyond():
    histogram = Histogram(ERROR_EDGES_M)
    assert np.isnan(histogram.percentile(50)) and np.isnan(histogram.share_within([0.02])).all()
    histogram.add([0.020, 0.0, 5.0])
    assert histogram.share_within([0.0199, 0.020]) == pytest.approx([1 / 3, 2 / 3])
    assert (histogram.percentile(100), histogram.lowest) == (5.0, 0.0)


def test_errors_are_those_of_the_metrics():
    errors = np.abs(np.random.default_rng(1).normal(0, 0.01, (300, 21)))
    errors[::3, 4] = np.nan
    tally = ErrorTally(NAMES)
    for row in errors:
        tally.add(row)
    figures = tally.figures(detection_rate=0.5)
    assert figures["mean_error_mm"] == pytest.approx(1e3 * mean_joint_error(errors), abs=1e-3)
    assert figures["joint_error_mm"]["joint_4"] == pytest.approx(1e3 * np.nanmean(errors[:, 4]), abs=1e-3)
    assert figures["good_frame_curve"]["share"] == pytest.approx(good_frame_curve(errors), abs=1e-5)
    auc = area_under(good_frame_curve(errors))
    assert figures["good_frame_auc_0_80mm"] == pytest.approx(auc, abs=1e-4)
    assert figures["good_frame_auc_with_missed_hands"] == pytest.approx(auc / 2, abs=1e-4)


def test_tallies_of_other_joints_are_put_together_by_name():
    one, other = ErrorTally(("wrist", "index_tip")), ErrorTally(("index_tip", "palm"))
    one.add(np.array([0.001, 0.002]))
    other.add(np.array([0.004, 0.010]))
    one.merge(other)
    assert one.figures(1.0)["joint_error_mm"] == {"wrist": 1.0, "index_tip": 3.0, "palm": 10.0}
    assert one.mean_m == pytest.approx(0.017 / 4)


def test_an_id_that_changes_and_a_hand_that_comes_back():
    tally = IdentityTally()
    ids = [5, 5, None, 5, 6, None, 7]
    for i in ids:
        tally.add(match_hands([] if i is None else [known(0.0, i)], [known(0.0, 1)]))
    assert (tally.switches, tally.fragmentations) == (2, 2)


def test_a_hand_that_was_not_found_yet_is_no_fragment():
    tally = IdentityTally()
    for found in ([], [], [known(0.0, 3)]):
        tally.add(match_hands(found, [known(0.0, 1)]))
    assert (tally.switches, tally.fragmentations) == (0, 0)


def jitter(frames, **settings):
    tally = JitterTally(**settings)
    for k, (found, true) in enumerate(frames):
        tally.add(k * PERIOD_NS, match_hands(found, true))
    return tally


def test_jitter_of_independent_noise_is_its_deviation():
    rng = np.random.default_rng(2)
    still = KnownHand(1, 2, moved(SHAPE, 0, 0, 0.5))
    frames = [([still._replace(joints=still.joints + rng.normal(0, 0.002, (21, 3)))], [still]) for _ in range(300)]
    # 2 mm on each axis are sqrt(3) times 2 mm in space.
    assert 1e3 * jitter(frames).rms_m == pytest.approx(2 * np.sqrt(3), rel=0.03)


def test_jitter_leaves_drift_out_and_looks_at_rest_alone():
    drifting = [([known(0.0001 * k, 1)], [known(0.0, 1)]) for k in range(50)]
    assert jitter(drifting).rms_m == pytest.approx(0.0, abs=1e-9)
    moving = [([known(0.001 * k, 1)], [known(0.001 * k, 1)]) for k in range(50)]  # 30 mm/s
    assert jitter(moving).joints == 0 and np.isnan(jitter(moving).rms_m)
    assert jitter(moving, rest_speed_m_s=0.05).joints == 48 * 21
    switching = [([known(0.0, 1 + k % 2)], [known(0.0, 1)]) for k in range(50)]
    assert jitter(switching).joints == 0


def path_at(seconds):
    """(..., 3) metres: a hand waving."""
    s = np.asarray(seconds, float)
    return np.stack([0.1 * np.sin(5 * s), 0.05 * np.cos(3 * s), 0.5 + 0.02 * np.sin(7 * s)], axis=-1)


def lag_of(delay_s, bias=0.0, hands=1):
    tally = LagTally()
    for k in range(150):
        now = k / 30
        for hand in range(hands):
            tally.add(hand, path_at(now - delay_s) + bias * hand, path_at(now - SHIFTS_NS * 1e-9))
    return tally


@pytest.mark.parametrize("delay_s", [-0.043, 0.0, 0.066, 0.2])
def test_lag_is_the_delay_of_the_answers(delay_s):
    assert lag_of(delay_s).lag_ms() == pytest.approx(1e3 * delay_s, abs=0.5)


def test_a_model_that_answers_to_one_side_is_not_late_and_recordings_add_up():
    assert lag_of(0.05, bias=0.03, hands=2).lag_ms() == pytest.approx(50, abs=0.5)
    whole = lag_of(0.05)
    whole.merge(lag_of(0.05, bias=0.5, hands=2))
    assert whole.lag_ms() == pytest.approx(50, abs=0.5) and whole.frames == 450


def test_a_hand_at_rest_has_no_lag():
    tally, rng = LagTally(), np.random.default_rng(3)
    for _ in range(100):
        tally.add(1, rng.normal(0, 0.002, 3), np.zeros((len(SHIFTS_NS), 3)))
    assert np.isnan(tally.lag_ms())
    assert np.isnan(lag_of(0.4).lag_ms())  # beyond what is looked at


def test_a_hand_that_goes_straight_on_has_no_lag():
    tally = LagTally()
    for k in range(100):
        tally.add(1, np.array([0.1 * k / 30, 0, 0]), np.outer(0.1 * (k / 30 - SHIFTS_NS * 1e-9), [1, 0, 0]))
    assert np.isnan(tally.lag_ms())


def speed(seconds):
    return np.abs(np.sin(2.1 * seconds) + 0.7 * np.sin(5.3 * seconds + 1))


@pytest.mark.parametrize("offset_s", [-3.217, 0.0, 0.004, 1.5])
def test_the_clock_offset_is_found_to_milliseconds(offset_s):
    first, second = np.arange(0, 30, 1 / 30), np.arange(2, 33, 1 / 100)
    found = clock_offset(first, speed(first), second, speed(second - offset_s), limit_s=5.0)
    assert found.seconds == pytest.approx(offset_s, abs=0.003) and found.correlation > 0.99


def test_clocks_that_are_hours_apart_are_compared_about_their_beginnings():
    times = np.arange(0, 20, 1 / 30)
    found = clock_offset(times, speed(times), times + 7200, speed(times + 1.25), limit_s=5.0, about_s=7200.0)
    assert found.seconds == pytest.approx(7200 - 1.25, abs=0.003)


def test_without_motion_or_overlap_there_is_no_offset():
    times = np.arange(0, 20, 1 / 30)
    assert clock_offset(times, 0 * times, times, speed(times), 5.0) is None
    assert clock_offset(times, speed(times), times + 100, speed(times), 5.0) is None
    assert clock_offset(times[:1], times[:1], times, speed(times), 5.0) is None


def test_the_time_line_grows_coarser_instead_of_longer():
    line = Timeline()
    for k in range(3 * BINS):
        line.add(k * 100_000_000, 0.010 if k % 2 else 0.020)
    line.add(3 * BINS * 100_000_000, None)
    figures = line.figures()
    assert len(figures["seconds"]) <= BINS and figures["seconds"][0] == pytest.approx(0.2)
    assert figures["mean_error_mm"][0] == pytest.approx(15.0)
    assert figures["missed"][-1] == 1.0 and figures["mean_error_mm"][-1] is None


def test_a_sequence_begins_anew():
    tally = HandTally(NAMES)
    for k in range(40):
        if k == 20:
            tally.begin_sequence()
        # In the second one another id, 10 mm to the side of what is known, as it was missed at the end of the first.
        found = [known(0.0, 5)] if k < 19 else [known(0.01, 6)] if k > 19 else []
        tally.add(k * PERIOD_NS, match_hands(found, [known(0.0, 1)]))
        tally.lag.add(1, path_at(k / 30 - 0.05) + 0.01 * (k >= 20), path_at(k / 30 - SHIFTS_NS * 1e-9))
    assert (tally.identity.switches, tally.identity.fragmentations) == (0, 0)
    assert tally.jitter.joints == (17 + 18) * 21
    assert tally.lag.lag_ms() == pytest.approx(50, abs=0.5)


def test_a_tally_counts_hands_sides_and_recordings():
    tally = HandTally(NAMES)
    tally.add(0, match_hands([known(0.003, 4, side=1)], [known(0.0, 1), known(0.3, 2)]))
    tally.add(1, match_hands([known(0.0, 4)], []))
    tally.add_unknown()
    total = HandTally(())
    total.merge(tally)
    total.merge(tally)
    figures = total.figures()
    assert (figures["frames"], figures["frames_without_known_truth"]) == (4, 2)
    assert (figures["true_hands"], figures["missed_hands"], figures["false_hands"]) == (4, 2, 2)
    assert (figures["detection_rate"], figures["false_hands_per_frame"], figures["side_right_rate"]) == (0.5, 0.5, 0.0)
    assert figures["mean_error_mm"] == pytest.approx(3.0) and figures["jitter_at_rest_mm"] is None
    assert HandTally(()).figures()["detection_rate"] is None
