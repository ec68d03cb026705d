"""Metric joints from a network that sees colour: the root's depth from the depth image, by hand, and a hand in the pipeline."""

from dataclasses import replace

import numpy as np
import pytest
from scenes import blank, draw_hand
from tiny_color_model import DEPTHS, VARIANCE, tiny_color_card, write_tiny_color_model
from tiny_model import CUBE_M, OFFSETS

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.color_crop import ColorCrop, RootedCrop
from hand_pose_ros.geometry.crop import unpack_symmetric
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.perception.color_estimate import (
    ROOT_SIGMA_M,
    ColorHandEstimator,
    hand_estimator,
    joints_inside_m,
    root_depth,
    surface_depth,
)
from hand_pose_ros.perception.estimate import HandEstimator, StageClock
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame

CAMERA = Camera(160, 120, 100.0, 100.0, 79.5, 59.5)
CENTER = np.array([0.0, 0.0, 0.5])


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return load_engine(write_tiny_color_model(tmp_path_factory.mktemp("model") / "tiny_color.onnx"))


def wall(z: float = 0.5) -> np.ndarray:
    return np.full((120, 160), z, np.float32)


def red_spot(row: int, column: int) -> np.ndarray:
    """Red in 4 x 4 pixels around the corner that four pixels share, left above (row, column)."""
    color = np.zeros((120, 160, 3), np.uint8)
    color[row - 2 : row + 2, column - 2 : column + 2, 0] = 250
    return color


def frame(depth: np.ndarray, color: np.ndarray | None = None, camera: Camera = CAMERA) -> DepthFrame:
    return DepthFrame(depth, camera, 0, "camera", color)


def test_surface_is_the_median_of_valid_pixels_inside_the_cube():
    depth = wall(0.0)
    depth[59:62, 79:82] = [[0.50, 0.51, 0.0], [0.9, 0.49, 0.0], [0.0, 0.2, 0.47]]
    # 0 is invalid, 0.9 and 0.2 lie outside 0.5 +- 0.125: 0.47, 0.49, 0.50, 0.51 remain.
    assert surface_depth(depth, np.array([80.3, 59.8]), 1, 0.5, 0.125) == pytest.approx(0.495)
    assert np.isnan(surface_depth(depth, np.array([10.0, 10.0]), 1, 0.5, 0.125))


@pytest.mark.parametrize("pixel", [(-50.0, 20.0), (20.0, 400.0), (np.nan, 3.0), (1e9, 0.0)])
def test_outside_the_image_nothing_is_read(pixel: tuple):
    assert np.isnan(surface_depth(wall(), np.array(pixel), 3, 0.5, 0.125))


def test_each_joint_says_where_the_root_is():
    """A wall at 0.5 m, joints 10 mm behind it and 20 mm behind the root: the root at 0.49 m."""
    pixels = np.stack([np.linspace(60, 100, 21), np.full(21, 60.0)], axis=1)
    found = root_depth(frame(wall()), pixels, np.full(21, 0.02), np.full(21, 0.01), 0.5, CUBE_M)
    assert found == pytest.approx(0.49, abs=1e-6)


def test_what_hides_half_of_the_joints_does_not_move_the_root():
    pixels = np.stack([np.linspace(60, 100, 21), np.full(21, 60.0)], axis=1)
    depth = wall()
    depth[:, :80] = 0.42  # in front of the first ten
    depth[:, 95:] = 0.0  # the last three have no depth
    found = root_depth(frame(depth), pixels, np.zeros(21), np.zeros(21), 0.5, CUBE_M)
    assert found == pytest.approx(0.5, abs=1e-6)


def test_too_few_readable_joints_tell_nothing():
    pixels = np.stack([np.linspace(60, 100, 21), np.full(21, 60.0)], axis=1)
    depth = wall(0.0)
    depth[:, 55:68] = 0.5  # four joints, 2 px apart, and one pixel beyond
    assert root_depth(frame(depth), pixels[:4], np.zeros(4), np.zeros(4), 0.5, CUBE_M) is None
    assert root_depth(frame(depth), pixels[:5], np.zeros(5), np.zeros(5), 0.5, CUBE_M) == pytest.approx(0.5)


def test_how_deep_joints_lie_goes_by_their_names():
    inside = joints_inside_m("hand21")
    assert inside[:5].tolist() == [0.020, 0.022, 0.015, 0.009, 0.005]
    assert inside[5:9].tolist() == [0.015, 0.009, 0.007, 0.005]


def test_covariance_to_metres_by_numerical_derivatives():
    window = ColorCrop(Camera(640, 480, 500.0, 400.0, 320.0, 240.0), (300, 200), 90.0, 64, 0.3, angle=0.4)
    crop, joints = RootedCrop(window, CENTER, 0.6, root_sigma_m=0.01), np.array([[0.3, -0.5, 0.2], [-0.9, 0.1, -0.4]])
    shape = np.random.default_rng(0).normal(size=(2, 3, 3))
    normal = shape @ shape.transpose(0, 2, 1) * 1e-4
    found = unpack_symmetric(crop.covariance_to_metres(joints, normal[:, [0, 0, 0, 1, 1, 2], [0, 1, 2, 1, 2, 2]]))
    for i in range(2):
        columns = [crop.denormalize(joints[i] + 1e-6 * axis) - crop.denormalize(joints[i] - 1e-6 * axis) for axis in np.eye(3)]
        jacobian = np.stack(columns, axis=1) / 2e-6
        root = (replace(crop, root_z=0.6001).denormalize(joints[i]) - crop.denormalize(joints[i])) / 1e-4
        np.testing.assert_allclose(
            found[i], jacobian @ normal[i] @ jacobian.T + 1e-4 * np.outer(root, root), rtol=1e-6, atol=1e-12
        )


def test_joints_in_metres_by_hand(engine):
    """Red at pixel (89.5, 59.5) on a wall at 0.5 m; the window is 50 px wide, so (u, v) = (0.4, 0)."""
    estimator = ColorHandEstimator(engine, CUBE_M, 0.1, 1.5)
    (found,) = estimator.run(frame(wall(), red_spot(60, 90)), [CENTER], [False], StageClock("crop", "network"))
    np.testing.assert_allclose(found.normalized[:, :2], OFFSETS[:, :2] + [0.4, 0], atol=0.03)
    roots = 0.5 + joints_inside_m("hand21") - DEPTHS * CUBE_M / 2
    z = np.quantile(roots, 0.7) + DEPTHS * CUBE_M / 2
    np.testing.assert_allclose(found.joints[:, 2], z, atol=1e-6)
    pixels = found.normalized[:, :2] * 25 + [79.5, 59.5]
    np.testing.assert_allclose(found.joints[:, :2], (pixels - [79.5, 59.5]) / 100 * z[:, None], atol=1e-6)
    middle = found.covariance()[10]
    assert middle[5] == pytest.approx(VARIANCE * (CUBE_M / 2) ** 2 + ROOT_SIGMA_M**2, rel=1e-4)
    assert found.presence == pytest.approx(0.9) and np.isnan(found.right_side)


def test_a_window_of_another_size_does_not_change_the_depths(engine):
    """Twice the window: half of u, and what lies behind the root in the same metres."""
    red, clock = red_spot(60, 90), StageClock("crop", "network")
    (once,) = ColorHandEstimator(engine, CUBE_M, 0.1, 1.5).run(frame(wall(), red), [CENTER], [False], clock)
    (twice,) = ColorHandEstimator(engine, 2 * CUBE_M, 0.1, 1.5).run(frame(wall(), red), [CENTER], [False], clock)
    assert twice.normalized[10, 0] == pytest.approx(once.normalized[10, 0] / 2, abs=0.03)
    np.testing.assert_allclose(np.diff(twice.joints[:, 2]), np.diff(once.joints[:, 2]), atol=1e-9)


def test_the_card_says_how_wide_the_window_is(tmp_path):
    path = write_tiny_color_model(tmp_path / "wide.onnx", card=tiny_color_card(window_m=0.4))
    camera = Camera(640, 480, 476.0, 476.0, 320.0, 240.0)
    depth = blank()
    draw_hand(depth, (0, 0.085, 0.5), (0, -1, 0), forearm_m=0)
    color = np.zeros((480, 640, 3), np.uint8)
    color[..., 0] = 250 * (depth > 0)
    (hand,) = Pipeline(load_engine(path)).process(DepthFrame(depth, camera, 0, "camera", color)).hands
    # The joints' offsets in u, 0.01 from one to the next, are shares of half the window.
    assert np.diff(hand.joints[:, 0]).mean() == pytest.approx(0.01 * 0.2, rel=0.05)


def test_a_mirrored_look_is_mirrored_back(engine):
    estimator, color = ColorHandEstimator(engine, CUBE_M, 0.1, 1.5), red_spot(60, 90)
    plain, mirrored = estimator.run(frame(wall(), color), [CENTER] * 2, [False, True], StageClock("crop", "network"))
    # The red lies where it is; the offsets of the joints from it are those of the other side.
    assert mirrored.normalized[:, 0].mean() == pytest.approx(plain.normalized[:, 0].mean(), abs=1e-5)
    np.testing.assert_allclose(mirrored.normalized[:, 0], plain.normalized[::-1, 0], atol=1e-5)
    np.testing.assert_allclose(mirrored.normalized[:, 1:], plain.normalized[:, 1:], atol=1e-5)


def test_a_hand_without_depth_is_not_seen(engine):
    estimator, clock = ColorHandEstimator(engine, CUBE_M, 0.1, 1.5), StageClock("crop", "network")
    assert estimator.run(frame(wall(0.0), red_spot(60, 80)), [CENTER], [False], clock) == [None]
    assert estimator.run(frame(wall(), red_spot(60, 80)), [np.array([0, 0, 2.0])], [False], clock) == [None]


def test_a_frame_without_colour_is_refused(engine):
    with pytest.raises(ValueError, match="tiny_color sees colour"):
        ColorHandEstimator(engine, CUBE_M, 0.1, 1.5).run(frame(wall()), [CENTER], [False], StageClock("crop", "network"))
    with pytest.raises(ValueError, match="not registered to a depth image"):
        frame(wall(), np.zeros((60, 80, 3), np.uint8))


def test_the_card_chooses_the_estimator(engine):
    assert type(hand_estimator(engine, CUBE_M, 0.1, 1.5)) is ColorHandEstimator
    assert issubclass(ColorHandEstimator, HandEstimator)


def test_a_model_with_another_input_than_its_card_says_is_refused(tmp_path):
    path = write_tiny_color_model(tmp_path / "wrong.onnx", card=tiny_color_card(input_size=48))
    with pytest.raises(ModelError, match=r"rgb_crop.*\(N, 3, 48, 48\)"):
        load_engine(path)


def test_a_hand_in_the_pipeline(engine):
    """Found in depth, told by colour: what is red is the hand, its joints lie in the middle of its surface."""
    camera = Camera(640, 480, 476.0, 476.0, 320.0, 240.0)
    pipeline = Pipeline(engine)
    for i, x in enumerate(np.linspace(0.0, 0.1, 5)):
        depth = blank()
        draw_hand(depth, (x, 0.085, 0.5), (0, -1, 0), forearm_m=0)
        color = np.zeros((480, 640, 3), np.uint8)
        color[..., 0] = 250 * (depth > 0)
        (hand,) = pipeline.process(DepthFrame(depth, camera, i * 33_000_000, "camera", color)).hands
        assert hand.id == 1
        assert np.linalg.norm(hand.joints.mean(0) - [x, 0, 0.5]) < 0.025
