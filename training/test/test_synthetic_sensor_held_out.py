"""The sensor models that are kept for measuring: each shows what its way of measuring must."""

import numpy as np
import pytest

from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.sensor import sample_sensor, sense
from hand_pose_training.synthetic.sensors.dots import DotPattern
from hand_pose_training.synthetic.sensors.faults import Sensor
from hand_pose_training.synthetic.sensors.matching import WindowMatcher
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.sensors.phasors import PhasorCamera

WIDTH, HEIGHT = 80, 60
WINDOW = Window(0, 0, WIDTH, HEIGHT)
INNER = slice(6, -6), slice(6, -6)  # at the border dots are missing
CLEAN_MATCHER = WindowMatcher(25.0, 3.0, 0.0, 1.0, 0.0, 0.0, 0.3, 0.0, 9.0, 8.0, 1 / 256, 1e-5)
CLEAN_DOTS = DotPattern(25.0, 3.0, 0.0, 100.0, 0.0, 1, 0.6, 1.0, 1 / 256, 1e-5, 500.0)
CLEAN_PHASORS = PhasorCamera(100e6, 1.0, 0.3, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1e-5, 500.0)


def seen(sensor, image: np.ndarray, seed: int = 0) -> np.ndarray:
    return sense(image, WINDOW, np.arange(WIDTH), np.arange(HEIGHT), sensor, np.random.default_rng(seed))


def bar(width: int, near: float = 0.5, far: float = 0.6) -> np.ndarray:
    """A bar of so many pixels before a wall."""
    image = np.full((HEIGHT, WIDTH), 1 / far, np.float32)
    image[:, 40 : 40 + width] = 1 / near
    return image


@pytest.mark.parametrize("kind", SensorKind)
def test_held_out_sensors_are_other_models_and_repeat(kind: SensorKind):
    held_out = sample_sensor(np.random.default_rng(1), 500.0, kind, held_out=True)
    assert not isinstance(held_out, Sensor) and isinstance(sample_sensor(np.random.default_rng(1), 500.0, kind), Sensor)
    np.testing.assert_array_equal(seen(held_out, bar(8)), seen(held_out, bar(8)))
    assert not np.array_equal(seen(held_out, bar(8)), seen(held_out, bar(8), seed=1))


@pytest.mark.parametrize("sensor", [CLEAN_MATCHER, CLEAN_DOTS, CLEAN_PHASORS], ids=lambda s: type(s).__name__)
def test_without_noise_a_wall_is_where_it_is(sensor):
    np.testing.assert_allclose(seen(sensor, np.full((HEIGHT, WIDTH), 1 / 0.7, np.float32))[INNER], 0.7, atol=1e-3)
    assert not seen(sensor, np.zeros((HEIGHT, WIDTH), np.float32)).any()
    outside = sense(bar(8), WINDOW, np.array([-1, 15, WIDTH]), np.array([-1, 15]), sensor, np.random.default_rng(0))
    assert outside[1, 1] == pytest.approx(0.6, abs=1e-3) and np.count_nonzero(outside) == 1


def test_window_matching_loses_what_is_narrower_than_half_its_window():
    # Of a window of 7 px a bar of 2 px fills at most two of five columns, one of 12 px all.
    assert not (seen(CLEAN_MATCHER, bar(2)) < 0.55).any()
    np.testing.assert_array_equal((seen(CLEAN_MATCHER, bar(12)) < 0.55).all(axis=0).nonzero()[0], np.arange(40, 52))


def test_stronger_texture_in_front_fattens_outlines_and_joins_bars():
    strong = CLEAN_MATCHER._replace(front=2.0)
    assert (seen(strong, bar(12)) < 0.55).sum() > (seen(CLEAN_MATCHER, bar(12)) < 0.55).sum()
    pair = bar(6)
    pair[:, 48:54] = pair[:, 40:46]  # 2 px of wall between two bars
    between = seen(strong, pair)[:, 46:48]
    assert (between < 0.55).all()


def test_estimates_lean_to_whole_pixels():
    # 25 px m at 1 / 0.81 m^-1: 20.25 px; sin(2 pi 0.25) = 1.
    depth = seen(CLEAN_MATCHER._replace(locking_px=0.1), np.full((HEIGHT, WIDTH), 0.81, np.float32))
    assert 25.0 / depth[30, 40] == pytest.approx(20.15, abs=0.01)


def test_pixels_that_the_second_camera_does_not_see_are_empty():
    # 25 (1 / 0.5 - 1 / 0.6) = 8.3 px beside the bar.
    empty = (seen(CLEAN_MATCHER._replace(side=1.0), bar(12)) == 0).all(axis=0)
    np.testing.assert_array_equal(empty.nonzero()[0], np.arange(32, 40))


def test_dots_make_outlines_uneven_by_about_their_pitch():
    edges = (seen(CLEAN_DOTS, bar(20)) < 0.55)[6:-6, 50:].sum(axis=1)
    assert edges.min() >= 8 and edges.max() <= 16 and edges.std() > 0.5


def test_too_few_dots_leave_a_pixel_empty_and_weak_ones_are_lost():
    wall = np.full((HEIGHT, WIDTH), 1 / 0.7, np.float32)
    assert (seen(CLEAN_DOTS._replace(lost=0.7, dots=4), wall) == 0)[INNER].mean() > 0.7
    assert not seen(CLEAN_DOTS._replace(reflect=0.4), wall).any()  # 0.4 / 0.7^2 < 1
    assert seen(CLEAN_DOTS._replace(reflect=0.6), wall)[INNER].all()


def test_mixed_pixels_lie_between_two_near_surfaces():
    depth = seen(CLEAN_PHASORS, bar(12))[30]
    mixed = np.flatnonzero((np.abs(depth - 0.5) > 2e-3) & (np.abs(depth - 0.6) > 2e-3))
    assert len(mixed) >= 2 and set(mixed) <= {39, 40, 51, 52}
    assert (depth[mixed] > 0.5).all() and (depth[mixed] < 0.6).all()


def test_a_mixed_pixel_is_the_phase_of_the_summed_light():
    # A pixel at 0.6 m, one of whose eight neighbours' worth of light, 3 of 8, comes from 0.5 m.
    depth = seen(CLEAN_PHASORS._replace(blur=0.8), bar(12))[30, 39]
    wave = 4 * np.pi * 100e6 / 299_792_458.0
    slope = (1 / 0.5 - 1 / 0.6) / 2 * 500

    def light(z: float) -> float:
        return 1 / z**2 / np.sqrt(1 + min((slope * z) ** 2, 25.0))

    # Pixels 38 (flat wall), 39 (the wall's last) and 40 (the bar's first), which the outline's slope darkens.
    flat = 1 / 0.6**2
    phasor = (light(0.6) * (1 + 0.2) + 0.3 * flat) * np.exp(1j * wave * 0.6) + 0.3 * light(0.5) * np.exp(1j * wave * 0.5)
    assert depth == pytest.approx(np.angle(phasor) / wave, abs=1e-4)


def test_contradictory_and_little_light_is_dropped():
    far = bar(12, 0.5, 1.25)  # 0.75 m are half a wave of 100 MHz: the parts cancel
    assert (seen(CLEAN_PHASORS._replace(blur=1.0, contrast=0.9), far) == 0)[:, 39].all()
    assert seen(CLEAN_PHASORS._replace(blur=1.0, contrast=0.9), far)[:, :35].all()
    wall = np.full((HEIGHT, WIDTH), 0.5, np.float32)  # 2 m: 1 / 2^2, and 0.3 of it from around
    assert seen(CLEAN_PHASORS._replace(light=0.3), wall).all()
    assert not seen(CLEAN_PHASORS._replace(light=0.35), wall).any()


def test_stray_light_pulls_far_surfaces_nearer():
    image = bar(40, 0.4, 0.9)
    pulled = seen(CLEAN_PHASORS._replace(glare=0.05), image)[30, 10]
    assert 0.6 < pulled < 0.899
