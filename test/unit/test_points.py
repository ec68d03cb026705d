"""Points of a crop and their neighbourhoods, by hand and against a plain search."""

import numpy as np
import pytest

from hand_pose_ros.geometry.points import (
    RADIUS_1,
    RADIUS_2,
    crop_points,
    farthest_points,
    groups,
    input_rows,
    nearest_weights,
    neighbourhoods,
    point_set,
    size_problem,
)

LINE = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
SQUARED = (LINE[:, None] - LINE) ** 2


def hands(count: int, size: int = 48) -> np.ndarray:
    """Crops with a slanted disk of some noise."""
    rng, axis = np.random.default_rng(1), (2 * np.arange(size) + 1) / size - 1
    depth = 0.3 * axis[:, None] + 0.1 * axis + rng.normal(0, 0.05, (count, 1, size, size))
    return np.where(axis[:, None] ** 2 + axis**2 < 0.6, depth, 1).astype(np.float32)


def test_points_are_pixels_in_cube_units_at_regular_steps():
    crop = np.ones((4, 4), np.float32)
    crop[0, 0], crop[1, 3], crop[2, 1], crop[3, 3] = -0.5, 0.1, 0.2, 0.3
    assert crop_points(crop, 2).tolist() == [pytest.approx([-0.75, -0.75, -0.5]), pytest.approx([-0.25, 0.25, 0.2])]
    eight = crop_points(crop, 8)  # fewer pixels than points: all repeat
    assert np.array_equal(eight[::2], eight[1::2]) and len(np.unique(eight, axis=0)) == 4


def test_farthest_points_leave_the_widest_gap_smallest():
    assert farthest_points(SQUARED, 4).tolist() == [0, 4, 3, 2]  # from 0: 8, then 4 in the middle, then 2


def test_groups_hold_the_nearest_within_the_radius():
    found = groups(SQUARED[[1, 4]], np.array([1, 4]), 3, radius=3.0)
    assert sorted(found[0].tolist()) == [0, 1, 2]
    assert found[1].tolist() == [4, 4, 4]  # the nearest other one is 4 away


def test_weights_are_by_inverse_squared_distance():
    nearest, weights = nearest_weights(np.array([[1.0, 4.0, 9.0, 0.25]]))
    assert nearest.tolist() == [[3, 0, 1]]
    assert weights[0].tolist() == pytest.approx([4 / 5.25, 1 / 5.25, 0.25 / 5.25])
    nearest, weights = nearest_weights(np.array([[0.0, 1.0, 1.0]]))
    assert nearest[0, 0] == 0 and weights[0, 0] == pytest.approx(1, abs=1e-6)


def test_inputs_have_their_types_and_shapes_and_point_where_they_should():
    inputs = point_set(hands(2), 128)
    assert {name: (str(v.dtype), v.shape[1:]) for name, v in inputs.items()} == input_rows(128)
    assert list(inputs) == list(input_rows(128))
    points, samples = inputs["point_set"][1], inputs["samples"][1]
    level_1 = points[samples]
    level_2 = level_1[:16]
    assert len(set(samples.tolist())) == 64
    for center, group in zip(level_1, inputs["groups_1"][1]):
        assert np.linalg.norm(points[group] - center, axis=1).max() <= RADIUS_1 + 1e-6
    for center, group in zip(level_2, inputs["groups_2"][1]):
        assert np.linalg.norm(level_1[group] - center, axis=1).max() <= RADIUS_2 + 1e-6
    for fine, coarse, level in ((points, level_1, 1), (level_1, level_2, 2)):
        distance = np.linalg.norm(fine[:, None] - coarse, axis=-1)
        found = np.take_along_axis(distance, inputs[f"nearest_{level}"][1], 1)
        assert np.allclose(found, np.sort(distance, axis=1)[:, :3], atol=1e-6)
        assert np.allclose(inputs[f"weights_{level}"][1].sum(1), 1)
    # Every point has a near one in level 1, as farthest-point sampling leaves no gap.
    assert np.linalg.norm(points[:, None] - level_1, axis=-1).min(1).max() < 0.2


def test_each_crop_of_a_batch_is_its_own_and_always_the_same():
    crops = hands(3)
    together, alone = point_set(crops, 64), point_set(crops[2:], 64)
    assert all(np.array_equal(together[name][2:], alone[name]) for name in alone)


def test_an_empty_crop_has_finite_inputs():
    empty = point_set(np.ones((1, 1, 16, 16), np.float32), 64)
    assert not empty["point_set"].any()
    assert all(np.isfinite(values).all() for values in empty.values())
    assert all(values.max() < 64 for values in empty.values())
    assert neighbourhoods(np.zeros((64, 3), np.float32))["weights_1"].sum(1) == pytest.approx(np.ones(64))


@pytest.mark.parametrize("points, fits", [(1024, True), (32, True), (16, False), (1000, False)])
def test_sizes(points: int, fits: bool):
    assert (size_problem(points) == "") is fits
