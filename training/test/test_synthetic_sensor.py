"""Each fault of the depth sensor alone, on a step: a near half at 0.5 m left of a far half at 0.8 m."""

import numpy as np
import pytest

from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.sensor import PERFECT, Sensor, sample_sensor, sense

WIDTH, HEIGHT, EDGE = 60, 40, 30  # the near half has columns 0..29
WINDOW = Window(0, 0, WIDTH, HEIGHT)
NEAR, FAR = 0.5, 0.8


def step_image() -> np.ndarray:
    image = np.full((HEIGHT, WIDTH), 1 / FAR, np.float32)
    image[:, :EDGE] = 1 / NEAR
    return image


def seen(sensor: Sensor, image: np.ndarray | None = None, seed: int = 0) -> np.ndarray:
    image = step_image() if image is None else image
    return sense(image, WINDOW, np.arange(WIDTH), np.arange(HEIGHT), sensor, np.random.default_rng(seed))


def test_perfect_sensor_sees_what_is_there():
    np.testing.assert_allclose(seen(PERFECT), 1 / step_image(), rtol=1e-6)


def test_nothing_is_seen_of_nothing_and_outside_the_window():
    assert not seen(Sensor(lateral_px=1), np.zeros((HEIGHT, WIDTH), np.float32)).any()
    outside = sense(step_image(), WINDOW, np.array([-1, 5, WIDTH]), np.array([3]), PERFECT, np.random.default_rng(0))
    np.testing.assert_allclose(outside, [[0, NEAR, 0]], rtol=1e-6)


def test_same_generator_state_same_image():
    sensor = Sensor(lateral_px=1, axial_m=0.003)
    np.testing.assert_array_equal(seen(sensor), seen(sensor))
    assert not np.array_equal(seen(sensor), seen(sensor, seed=1))


def test_axial_noise_grows_with_depth():
    noise = seen(Sensor(axial_m=0.002)) - 1 / step_image()
    assert noise[:, :EDGE].std() == pytest.approx(0.001, rel=0.1)
    assert noise[:, EDGE:].std() == pytest.approx(0.0016, rel=0.1)


def test_disparity_noise_grows_with_the_square_of_depth():
    noise = seen(Sensor(focal_baseline=25.0, disparity_px=0.05)) - 1 / step_image()
    assert noise[:, :EDGE].std() == pytest.approx(0.25 / 25 * 0.05, rel=0.1)
    assert noise[:, EDGE:].std() == pytest.approx(0.64 / 25 * 0.05, rel=0.1)


def test_disparity_and_depth_are_quantised():
    depth = seen(Sensor(focal_baseline=25.0, disparity_px=0.3, disparity_step_px=1 / 8)).astype(float)
    eighths = 25.0 / depth * 8
    np.testing.assert_allclose(eighths, np.round(eighths), atol=1e-3)
    millimetres = seen(Sensor(axial_m=0.01, step_m=0.001)).astype(float) * 1000
    np.testing.assert_allclose(millimetres, np.round(millimetres), atol=1e-3)


def test_edges_lose_the_pixels_behind_or_in_front():
    empty = (seen(Sensor(edge_px=2, drop_behind=1.0)) == 0).all(axis=0)
    np.testing.assert_array_equal(np.nonzero(empty)[0], [30, 31])
    empty = (seen(Sensor(edge_px=2, drop_front=1.0)) == 0).all(axis=0)
    np.testing.assert_array_equal(np.nonzero(empty)[0], [28, 29])


def test_flying_pixels_lie_between_front_and_back():
    depth = seen(Sensor(edge_px=1, fly=1.0))
    assert (np.abs(depth[:, 29] - NEAR) > 1e-3).mean() > 0.9
    assert depth[:, 29].min() >= NEAR - 1e-6 and depth[:, 29].max() <= FAR + 1e-6
    np.testing.assert_allclose(depth[:, :29], NEAR, rtol=1e-6)


def test_fattening_grows_the_front():
    near = seen(Sensor(fatten_px=3.0)) < 0.6
    assert near[:, :EDGE].all() and not near[:, EDGE + 3 :].any()
    assert 0.2 < near[:, EDGE : EDGE + 3].mean() < 0.9


def test_shadow_lies_on_one_side_of_the_front():
    # The disparities differ by 25 (1 / 0.5 - 1 / 0.8) = 18.75 px, more than the shadow that is looked for.
    empty = (seen(Sensor(focal_baseline=25.0, shadow_px=-4)) == 0).all(axis=0)
    np.testing.assert_array_equal(np.nonzero(empty)[0], [30, 31, 32, 33])
    assert seen(Sensor(focal_baseline=25.0, shadow_px=4)).all()


def test_steep_surfaces_drop_out():
    # Depth grows by 5 mm a pixel; a pixel is 0.5 m / 500 px = 1 mm wide, so the tangent is about 5 at 0.5 m, 4 at 0.625 m.
    image = np.broadcast_to((1 / (0.5 + 0.005 * np.arange(WIDTH))).astype(np.float32), (HEIGHT, WIDTH)).copy()
    inner = slice(2, 25)
    sensor = Sensor(edge_px=1, grazing_tan=2.0, focal_px=500.0)
    assert not seen(sensor, image)[:, inner].any()
    assert seen(sensor._replace(grazing_tan=8.0), image)[:, inner].all()


def test_holes_are_blobs():
    empty = seen(Sensor(holes=1.5, holes_pitch_px=6)) == 0
    assert 0.01 < empty.mean() < 0.3
    # Most empty pixels have an empty neighbour.
    assert (empty[:, 1:] & empty[:, :-1]).sum() > 0.7 * empty.sum()


def test_lateral_noise_moves_the_edge_by_about_its_deviation():
    edges = (seen(Sensor(lateral_px=1.0, lateral_pitch_px=2.0)) < 0.6).sum(axis=1)
    assert edges.mean() == pytest.approx(EDGE, abs=1) and 0.2 < edges.std() < 1.5


def test_sampled_sensors_see_most_of_a_plane():
    rng = np.random.default_rng(2)
    plane = np.full((HEIGHT, WIDTH), 1 / 0.7, np.float32)
    for _ in range(50):
        depth = seen(sample_sensor(rng, 480.0), plane)
        assert (depth > 0).mean() > 0.85
        assert np.median(depth[depth > 0]) == pytest.approx(0.7, abs=0.012)
