"""Random processing of depth images: what each step may change, and what it must not."""

import numpy as np
import pytest

from hand_pose_training.synthetic import processing
from hand_pose_training.synthetic.processing import processed, smooth_field

REACH_PX = 2.5
STEPS = {step.__name__: step for _, step in processing._STEPS}


def picture(holes: float = 0.2) -> np.ndarray:
    """A block at 0.5 m before a wall at 1 m, with holes."""
    depth = np.full((60, 80), 1.0, np.float32)
    depth[20:40, 30:60] = 0.5
    depth[np.random.default_rng(3).random(depth.shape) < holes] = 0
    return depth


def many(step, depth, count: int = 60) -> list[np.ndarray]:
    before = depth.copy()
    results = [step(depth, REACH_PX, np.random.default_rng(seed)) for seed in range(count)]
    np.testing.assert_array_equal(depth, before)
    return results


@pytest.mark.parametrize("name", STEPS)
def test_every_step_changes_the_image_and_keeps_its_form(name):
    depth = picture()
    depth += (depth > 0) * np.random.default_rng(4).uniform(-0.002, 0.002, depth.shape).astype(np.float32)
    results = many(STEPS[name], depth)
    assert all(r.dtype == np.float32 and r.shape == depth.shape and np.isfinite(r).all() and r.min() >= 0 for r in results)
    assert np.mean([not np.array_equal(r, depth) for r in results]) > 0.9


@pytest.mark.parametrize("name", ["_decimated", "_filtered", "_torn", "_filled"])
def test_what_selects_invents_no_depth(name):
    for result in many(STEPS[name], picture()):
        assert set(np.unique(result)) <= {0.0, 0.5, 1.0}


@pytest.mark.parametrize("name", ["_decimated", "_filtered", "_smoothed", "_filled"])
def test_a_wall_stays_a_wall(name):
    wall = np.full((60, 80), 0.8, np.float32)
    for result in many(STEPS[name], wall):
        np.testing.assert_allclose(result, wall, rtol=1e-5)


def test_filters_let_the_front_grow_or_shrink_by_little():
    depth, front = picture(holes=0.0), []
    for result in many(STEPS["_filtered"], depth):
        near = result == 0.5
        front.append(near.sum())
        rows, columns = np.nonzero(near)
        assert rows.min() >= 20 - 4 and rows.max() < 40 + 4 and columns.min() >= 30 - 4 and columns.max() < 60 + 4
    assert min(front) < 20 * 30 < max(front)


def test_filling_fills_and_changes_nothing_else():
    depth = picture()
    for result in many(STEPS["_filled"], depth):
        np.testing.assert_array_equal(result[depth > 0], depth[depth > 0])
        assert (result == 0).sum() < 0.5 * (depth == 0).sum()


def test_tearing_takes_away_and_changes_nothing_else():
    depth = picture()
    for result in many(STEPS["_torn"], depth):
        np.testing.assert_array_equal(result[result > 0], depth[result > 0])


def test_noise_grows_with_the_distance_squared():
    far_over_near = [
        np.std(r[:, 40:] - 1.0) / np.std(r[:, :40] - 0.5)
        for r in many(STEPS["_noisy"], np.repeat(np.float32([[0.5, 1.0]]), 40, axis=1).repeat(60, axis=0))
    ]
    assert 3.5 < np.median(far_over_near) < 4.5


def test_depths_that_are_in_steps_are_few():
    slope = np.linspace(0.4, 0.6, 4000, dtype=np.float32).reshape(50, 80)
    most = (1 / 0.4 - 1 / 0.6) / 0.001 + 2  # of its 4,000 depths: 1 / z in the smallest steps
    assert all(len(np.unique(r)) <= most for r in many(STEPS["_in_steps"], slope))
    assert np.median([np.abs(r - slope).max() for r in many(STEPS["_in_steps"], slope)]) < 0.005


def test_processing_depends_on_its_generator_alone():
    depth = picture()
    first, again, other = (processed(depth, REACH_PX, np.random.default_rng(seed)) for seed in (4, 4, 5))
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other) and not np.array_equal(first, depth)


def test_a_smooth_field_changes_over_its_pitch():
    field = smooth_field((200, 200), 20.0, np.random.default_rng(1))
    beside, away = (np.corrcoef(field[:, :-n].ravel(), field[:, n:].ravel())[0, 1] for n in (2, 60))
    assert field.shape == (200, 200) and 0.7 < field.std() < 1.3 and beside > 0.95 and abs(away) < 0.3
