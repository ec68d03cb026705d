"""Each fault of the depth sensor alone, on a step: a near half at 0.5 m left of a far half at 0.8 m."""

import numpy as np
import pytest

from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.sensor import PERFECT, sample_sensor, sense
from hand_pose_training.synthetic.sensors.faults import Sensor
from hand_pose_training.synthetic.sensors.optics import SensorKind, mark_hidden

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
    outside = sense(step_image(), WINDOW, np.array([-1, 5, WIDTH]), np.array([-1, 3]), PERFECT, np.random.default_rng(0))
    np.testing.assert_allclose(outside, [[0, 0, 0], [0, NEAR, 0]], rtol=1e-6)


def test_what_lies_beyond_the_depth_that_matters_may_read_zero():
    arguments = (step_image(), WINDOW, np.arange(WIDTH), np.arange(HEIGHT), PERFECT)
    depth = sense(*arguments, np.random.default_rng(0), far_m=0.6)
    np.testing.assert_allclose(depth[:, :EDGE], NEAR, rtol=1e-6)
    assert not depth[:, EDGE:].any()


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


def test_smooth_noise_is_shared_by_neighbours():
    noise = seen(Sensor(focal_baseline=25.0, smooth_px=0.1, smooth_pitch_px=8))[:, :EDGE] - NEAR
    assert 0.3e-3 < noise.std() < 1.2e-3
    assert np.diff(noise, axis=1).std() < 0.35 * noise.std()


def test_disparity_and_depth_are_quantised():
    depth = seen(Sensor(focal_baseline=25.0, disparity_px=0.3, disparity_step_px=1 / 8)).astype(float)
    eighths = 25.0 / depth * 8
    np.testing.assert_allclose(eighths, np.round(eighths), atol=1e-3)
    millimetres = seen(Sensor(axial_m=0.01, step_m=0.001)).astype(float) * 1000
    np.testing.assert_allclose(millimetres, np.round(millimetres), atol=1e-3)


def test_edges_lose_the_pixels_behind_or_in_front():
    empty = (seen(Sensor(edge_px=2, drop_behind=1.01)) == 0).all(axis=0)
    np.testing.assert_array_equal(np.nonzero(empty)[0], [30, 31])
    empty = (seen(Sensor(edge_px=2, drop_front=1.01)) == 0).all(axis=0)
    np.testing.assert_array_equal(np.nonzero(empty)[0], [28, 29])


def test_a_ragged_edge_loses_more_here_than_there_and_in_stretches():
    sensor = Sensor(edge_px=5, drop_behind=1.01, ragged=1.0, ragged_pitch_px=4)
    lost = (seen(sensor)[:, EDGE:] == 0).sum(axis=1)
    assert lost.min() <= 1 and lost.max() >= 4
    assert (np.abs(np.diff(lost)) <= 2).mean() > 0.9


def test_flying_pixels_lie_between_front_and_back():
    depth = seen(Sensor(edge_px=1, fly=1.0))
    assert (np.abs(depth[:, 29] - NEAR) > 1e-3).mean() > 0.9
    assert depth[:, 29].min() >= NEAR - 1e-6 and depth[:, 29].max() <= FAR + 1e-6
    np.testing.assert_allclose(depth[:, :29], NEAR, rtol=1e-6)


def test_stray_pixels_are_at_edges_alone():
    wrong = np.abs(seen(Sensor(edge_px=1, stray=0.5, stray_m=0.03)) - 1 / step_image()) > 1e-4
    assert 0.3 < wrong[:, 29:31].mean() < 0.7
    assert not wrong[:, :29].any() and not wrong[:, 31:].any()


def test_fattening_grows_the_front():
    near = seen(Sensor(fatten_px=3.0)) < 0.6
    assert near[:, : EDGE + 3].all() and not near[:, EDGE + 3 :].any()
    ragged = seen(Sensor(fatten_px=3.0, ragged=1.0, ragged_pitch_px=3)) < 0.6
    assert ragged[:, :EDGE].all() and 0.2 < ragged[:, EDGE : EDGE + 3].mean() < 0.9


def test_the_shadow_is_as_wide_as_the_disparities_differ():
    # 8 px m: 8 (1 / 0.5 - 1 / 0.8) = 6 px of the far half, on the near half's right, are hidden from a device on the left.
    empty = (seen(Sensor(focal_baseline=8.0, shadow=-1)) == 0).all(axis=0)
    np.testing.assert_array_equal(np.nonzero(empty)[0], [30, 31, 32, 33, 34, 35])
    assert seen(Sensor(focal_baseline=8.0, shadow=1)).all()
    mirrored = seen(Sensor(focal_baseline=8.0, shadow=1), step_image()[:, ::-1].copy())
    np.testing.assert_array_equal(np.nonzero((mirrored == 0).all(axis=0))[0], [24, 25, 26, 27, 28, 29])


def test_a_plane_hides_nothing_of_itself_unless_it_is_steep():
    hidden = np.ones(WIDTH, bool)
    mark_hidden(1 / (0.5 + 0.002 * np.arange(WIDTH)), 25.0, -1, hidden)
    assert not hidden.any()
    # From 0.5 m on, 25 px m lose a pixel of disparity in 0.01 m: depth that grows by 0.02 m a pixel is seen from nowhere left.
    mark_hidden(1 / (0.5 + 0.02 * np.arange(20)), 25.0, -1, hidden[:20])
    assert hidden[1:10].all()


def test_weak_returns_drop_out_with_distance():
    depth = seen(Sensor(range_m=0.65))
    assert depth[:, :EDGE].all() and not depth[:, EDGE:].any()


def test_inner_corners_are_seen_too_far():
    image = np.full((HEIGHT, WIDTH), 1 / 0.52, np.float32)
    image[:, :EDGE] = 1 / 0.50
    error = seen(Sensor(multipath=0.4), image)[20] - 1 / image[20]
    np.testing.assert_allclose(error[EDGE : EDGE + 5], 0.4 * 0.02 / 4, atol=1e-6)
    assert not error[:EDGE].any() and not error[EDGE + 6 :].any()


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


# Median deviation on a wall at 1 m, millimetres: the figures of `sensors.kinds`.
AT_1_M = {SensorKind.STRUCTURED_LIGHT: (0.5, 2.5), SensorKind.STEREO: (1.5, 4.0), SensorKind.TIME_OF_FLIGHT: (1.0, 3.5)}


@pytest.mark.parametrize("held_out", [False, True])
@pytest.mark.parametrize("kind", SensorKind)
def test_noise_on_a_wall_is_as_published(kind: SensorKind, held_out: bool):
    rng = np.random.default_rng(2)
    wall = np.full((HEIGHT, WIDTH), 1.0, np.float32)
    deviations, middles = [], []
    for _ in range(60):
        sensor = sample_sensor(rng, 480.0, kind, held_out)
        assert sensor.kind is kind
        depth = sense(wall, WINDOW, np.arange(WIDTH), np.arange(HEIGHT), sensor, rng)[5:-5, 5:-5]
        assert (depth > 0).mean() > 0.7
        deviations.append(depth[depth > 0].std())
        middles.append(np.median(depth[depth > 0]))
    low, high = AT_1_M[kind]
    assert low < 1e3 * np.median(deviations) < high
    assert np.abs(np.array(middles) - 1).max() < 0.012


def test_kinds_come_up_evenly_unless_told():
    rng = np.random.default_rng(4)
    kinds = np.bincount([sample_sensor(rng, 480.0).kind for _ in range(600)])
    assert (np.abs(kinds - 200) < 50).all()
