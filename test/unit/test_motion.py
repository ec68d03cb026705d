"""Where a hand is going: the filter's numbers by hand, and what it does over gaps and jumps."""

import numpy as np
import pytest

from hand_pose_ros.perception.motion import ACCELERATION, FADE_S, MAX_GAP_S, MEASURED_M, START_SPEED_M_S, Motion

START = np.array([0.1, 0.0, 0.5])
STEP_NS, STEP_S = 40_000_000, 0.04


def test_second_sight_by_hand():
    motion = Motion(START, 0)
    np.testing.assert_array_equal(motion.predict(STEP_NS), START)  # nothing known of its speed
    # F P F' + Q of P = diag(R, v0^2): pp = R + dt^2 v0^2 + q dt^3 / 3, pv = dt v0^2 + q dt^2 / 2.
    pp = MEASURED_M**2 + STEP_S**2 * START_SPEED_M_S**2 + ACCELERATION * STEP_S**3 / 3
    pv = STEP_S * START_SPEED_M_S**2 + ACCELERATION * STEP_S**2 / 2
    assert motion.deviation(STEP_NS) == pytest.approx(np.sqrt(pp))
    seen = np.add(START, [0.02, 0.0, 0.0])
    motion.see(seen, STEP_NS)
    gain, speed_gain = pp / (pp + MEASURED_M**2), pv / (pp + MEASURED_M**2)
    np.testing.assert_allclose(motion.position, np.add(START, [gain * 0.02, 0, 0]))
    np.testing.assert_allclose(motion.velocity, [speed_gain * 0.02, 0, 0])
    # What was seen leaves (1 - gain) pp of the variance: less than the measurement's own.
    assert motion.deviation(STEP_NS) == pytest.approx(np.sqrt((1 - gain) * pp)) and motion.deviation(STEP_NS) < MEASURED_M


def test_a_steady_hand_is_met_and_a_still_one_stays():
    moving, still = Motion(START, 0), Motion(START, 0)
    rng = np.random.default_rng(0)
    for k in range(1, 40):
        moving.see(np.add(START, [0.6 * STEP_S * k, 0, 0]), k * STEP_NS)
        still.see(START + 0.002 * rng.normal(size=3), k * STEP_NS)
    ahead = moving.predict(40 * STEP_NS) - START
    assert ahead[0] == pytest.approx(0.6 * STEP_S * 40, abs=0.003)
    assert np.linalg.norm(still.predict(40 * STEP_NS) - START) < 0.008


def test_an_unseen_hand_comes_to_rest():
    motion = Motion(START, 0)
    for k in range(1, 40):
        motion.see(np.add(START, [0.6 * STEP_S * k, 0, 0]), k * STEP_NS)
    ahead = motion.predict(39 * STEP_NS + 500_000_000) - motion.position
    np.testing.assert_allclose(ahead, motion.velocity * FADE_S * (1 - np.exp(-0.5 / FADE_S)))
    assert motion.deviation(39 * STEP_NS + 500_000_000) > 10 * motion.deviation(40 * STEP_NS)


@pytest.mark.parametrize("later_ns", [-STEP_NS, 0, round((MAX_GAP_S + 0.01) * 1e9)])
def test_speed_is_forgotten_over_gaps_and_where_time_goes_back(later_ns):
    motion = Motion(START, 0)
    for k in range(1, 10):
        motion.see(np.add(START, [0.02 * k, 0, 0]), k * STEP_NS)
    np.testing.assert_array_equal(motion.predict(9 * STEP_NS + later_ns), motion.position)
    motion.see(START, 9 * STEP_NS + later_ns)
    np.testing.assert_array_equal(motion.velocity, 0)
    np.testing.assert_array_equal(motion.position, START)


@pytest.mark.parametrize("later_ns", [-STEP_NS, round((MAX_GAP_S + 0.01) * 1e9), 10**10])
def test_over_gaps_and_where_time_goes_back_a_hand_may_be_anywhere(later_ns):
    motion = Motion(START, 0)
    for k in range(1, 10):
        motion.see(START, k * STEP_NS)
    before_ns = 9 * STEP_NS + round((MAX_GAP_S - 0.01) * 1e9)
    assert motion.deviation(9 * STEP_NS + later_ns) > motion.deviation(before_ns) > 0.2


def test_a_jump_is_no_movement():
    motion = Motion(START, 0)
    for k in range(1, 10):
        motion.see(START, k * STEP_NS)
    there = np.add(START, [0.3, 0, 0])
    motion.see(there, 10 * STEP_NS)
    np.testing.assert_array_equal(motion.predict(11 * STEP_NS), there)
