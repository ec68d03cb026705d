"""The One-Euro filter: against the paper's algorithm by hand, and what it is for."""

import numpy as np
import pytest

from hand_pose_ros.perception.smooth import JointFilter, cutoff, smoothing_factor

STEP_NS, STEP_S = 20_000_000, 0.02


def along_x(x: float) -> np.ndarray:
    return np.array([[x, 0.0, 0.5]])


def test_smoothing_factor_by_hand():
    # tau = 1 / (2 pi 5) = 0.03183 s, alpha = 1 / (1 + 0.03183 / 0.02)
    assert smoothing_factor(0.02, 5.0) == pytest.approx(1 / (1 + 0.0318310 / 0.02), rel=1e-5)


def test_three_values_by_the_papers_algorithm():
    minimum, beta = cutoff(0.5)
    filtered, velocity = 0.10, 0.0
    ours = JointFilter()
    assert ours.add(along_x(0.10), 0, 0.5)[0, 0] == 0.10
    for k, x in enumerate((0.12, 0.13, 0.125), start=1):
        # dx = (x - last filtered) / T; its own low pass at 1 Hz; f_c = f_min + beta |dx|; low pass of x.
        alpha_d = 1 / (1 + 1 / (2 * np.pi * 1.0) / STEP_S)
        velocity = alpha_d * (x - filtered) / STEP_S + (1 - alpha_d) * velocity
        alpha = 1 / (1 + 1 / (2 * np.pi * (minimum + beta * abs(velocity))) / STEP_S)
        filtered = alpha * x + (1 - alpha) * filtered
        np.testing.assert_allclose(ours.add(along_x(x), k * STEP_NS, 0.5), along_x(filtered))


def test_strength_goes_from_light_to_heavy():
    pairs = np.array([cutoff(strength) for strength in (1e-6, 0.3, 0.6, 1.0)])
    assert (np.diff(pairs, axis=0) < 0).all()
    np.testing.assert_allclose(pairs[[0, -1]], [[15, 120], [0.5, 7]], rtol=1e-4)


def noise_and_lag(strength: float) -> tuple[float, float]:
    """Share of the noise that is left at rest, and how far behind a hand of 0.5 m/s the output is, in seconds."""
    rng, rest, moving = np.random.default_rng(0), JointFilter(), JointFilter()
    noise = 0.003 * rng.normal(size=(300, 1, 3)) + 1
    left = np.concatenate([rest.add(n, k * STEP_NS, strength) for k, n in enumerate(noise)])[100:].std() / 0.003
    for k in range(100):
        at = moving.add(along_x(0.5 * k * STEP_S), k * STEP_NS, strength)
    return left, (0.5 * 99 * STEP_S - at[0, 0]) / 0.5


def test_it_calms_a_hand_at_rest_and_hardly_holds_back_a_moving_one():
    results = np.array([noise_and_lag(strength) for strength in (0.1, 0.3, 1.0)])
    assert (np.diff(results[:, 0]) < 0).all() and (np.diff(results[:, 1]) > 0).all()
    (_, light), (calm, heavy) = results[1:]
    assert light < 0.012 and calm < 0.25 and heavy < 0.08
    assert noise_and_lag(0.0) == (pytest.approx(1, abs=0.1), pytest.approx(0))


def test_turning_the_frame_turns_the_result():
    rng = np.random.default_rng(1)
    path = rng.normal(size=(20, 21, 3)).cumsum(axis=0) * 0.01
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    plain, turned = JointFilter(), JointFilter()
    for k, joints in enumerate(path):
        expected = plain.add(joints, k * STEP_NS, 0.6) @ turn.T
        np.testing.assert_allclose(turned.add(joints @ turn.T, k * STEP_NS, 0.6), expected, atol=1e-12)


@pytest.mark.parametrize("later_ns", [-STEP_NS, 0, 300_000_000])
def test_a_gap_or_a_stamp_that_goes_back_starts_anew(later_ns):
    ours = JointFilter()
    for k in range(10):
        ours.add(along_x(0.01 * k), k * STEP_NS, 1.0)
    np.testing.assert_array_equal(ours.add(along_x(1.0), 9 * STEP_NS + later_ns, 1.0), along_x(1.0))


def test_strength_may_change_while_it_runs():
    ours = JointFilter()
    ours.add(along_x(0.0), 0, 1.0)
    assert 0 < ours.add(along_x(0.1), STEP_NS, 1.0)[0, 0] < 0.1
    np.testing.assert_array_equal(ours.add(along_x(0.2), 2 * STEP_NS, 0.0), along_x(0.2))
    assert 0.2 < ours.add(along_x(0.3), 3 * STEP_NS, 1.0)[0, 0] < 0.3  # from there on
