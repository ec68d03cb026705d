"""Synthetic colour pictures: whose surface a pixel shows, its normal, its colour, and labels that agree with depth images'."""

from dataclasses import replace

import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.color_crop import ColorCrop
from hand_pose_training.data import DataSettings, as_right_hands, fixed_set, joints_m, training_crops
from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.synthetic.preview import preview
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.scene import Scene
from hand_pose_training.synthetic.shading import color_crop, color_picture, normals, scaled, surfaces

COLOR = SyntheticSettings(size=32, negatives=0.0, color=True)
CAMERA = Camera(80, 60, 100.0, 100.0, 39.5, 29.5)
WINDOW = Window.of_image(CAMERA)


def box_before_a_wall(material: str = "skin") -> Scene:
    """A cube of 10 cm, its front 0.5 m away, in the middle of the image; the wall 1 m away."""
    scene = Scene(CAMERA, [], np.array([0, 0, 0.55]))
    scene.add(primitives.box(np.full(3, 0.1)), np.eye(3), np.array([0, 0, 0.55]), material=material)
    scene.planes.append((np.array([0.0, 0.0, 1.0]), 1.0))
    return scene


def test_a_sample_depends_on_its_number_and_the_seed_alone():
    crops, again = SyntheticCrops(3, 4, COLOR), SyntheticCrops(3, 4, COLOR)
    crops[0]
    for name, values in crops[2].items():
        np.testing.assert_array_equal(values, again[2][name])
    assert not np.array_equal(crops[2]["rgb_crop"], SyntheticCrops(4, 4, COLOR)[2]["rgb_crop"])


def test_labels_are_those_of_the_depth_images():
    """The same scenes, windows and joints; the depth behind the wrist instead of that behind the centre."""
    color = fixed_set("heldout", 32, crops=4, crop_kind="rgb_crop")
    depth = fixed_set("heldout", 32, crops=4)
    assert color["rgb_crop"].shape == (4, 3, 32, 32)
    assert color["rgb_crop"].min() >= 0 and color["rgb_crop"].max() <= 1 and color["rgb_crop"].std() > 0.05
    np.testing.assert_allclose(color["joints"][..., :2], depth["joints"][..., :2], atol=1e-4)
    expected = depth["joints"][..., 2] - depth["joints"][:, :1, 2]
    np.testing.assert_allclose(color["joints"][..., 2], expected, atol=1e-4)
    found = joints_m(color, color["joints"])
    np.testing.assert_allclose(found, joints_m(depth, depth["joints"]), atol=1e-4)
    np.testing.assert_allclose(color["center"], found[:, 0], atol=1e-4)


def test_mirrored_hands_stay_on_their_pixels():
    batch = fixed_set("heldout", 16, crops=8, crop_kind="rgb_crop")
    right = as_right_hands(batch)
    left = batch["right_side"] == 0
    assert 0 < left.sum() < 8
    np.testing.assert_array_equal(right["rgb_crop"][left], batch["rgb_crop"][left][..., ::-1])
    np.testing.assert_allclose(joints_m(right, right["joints"]), joints_m(batch, batch["joints"]), atol=1e-5)


def test_crops_without_a_hand_teach_no_joints():
    crops = SyntheticCrops(1, 3, replace(COLOR, negatives=1.0))
    sample = crops[1]
    assert sample["present"] == 0 and not sample["joint_weight"].any() and np.isfinite(sample["joints"]).all()


def test_training_crops_are_of_the_kind_that_the_network_sees():
    settings = DataSettings(size=16)
    for kind in ("rgb_crop", "depth_crop"):
        crops, _, _ = training_crops(1, settings, kind)
        assert set(crops[0]) >= {kind, "joints"} and crops[0][kind].shape[1:] == (16, 16)


def test_whose_surface_a_pixel_shows():
    scene = box_before_a_wall()
    inverse_depth, owner = surfaces(scene, WINDOW)
    np.testing.assert_array_equal(inverse_depth, scene.render(WINDOW).inverse_depth)
    inside = np.zeros((60, 80), bool)
    inside[20:40, 30:50] = True  # 0.1 m at 0.5 m are 20 pixels
    np.testing.assert_array_equal(owner, np.where(inside, 0, 1))
    scene.planes.clear()
    assert surfaces(scene, WINDOW)[1][0, 0] == 1


@pytest.mark.parametrize("normal", [(0.0, 0.0, 1.0), (0.3, 0.0, 0.9), (-0.2, 0.5, 0.8)])
def test_normals_of_a_plane_face_the_camera(normal: tuple):
    direction = np.array(normal) / np.linalg.norm(normal)
    scene = Scene(CAMERA, [], np.zeros(3), planes=[(direction, 0.7)])
    found = normals(scene.render(WINDOW).inverse_depth, CAMERA, WINDOW)
    np.testing.assert_allclose(found, np.broadcast_to(-direction, found.shape), atol=2e-3)


def test_skin_is_of_one_tone_and_stands_out_from_what_is_behind():
    """Red above green above blue on average over people, on every mesh of one person the same."""
    tones = []
    for seed in range(12):
        scene = box_before_a_wall()
        scene.add(primitives.box(np.full(3, 0.06)), np.eye(3), np.array([0.15, 0, 0.53]), material="skin")
        picture = color_picture(scene, WINDOW, np.random.default_rng(seed)).astype(float)
        first, second = picture[24:36, 34:46].mean((0, 1)), picture[27:32, 67:71].mean((0, 1))
        np.testing.assert_allclose(second, first, rtol=0.25, atol=6)
        tones.append(first)
    red, green, blue = np.mean(tones, axis=0)
    assert red > green > blue
    assert np.std(tones, axis=0).min() > 10  # pale and dark


def test_a_near_hand_is_rendered_smaller_and_looks_the_same():
    """A crop of 8 pixels of a window of 40: rendered with 16 pixels, the box covers the same crop pixels, black lies outside."""
    crop = ColorCrop(CAMERA, np.array([44.5, 9.5]), 20.0, 8, 0.25)
    picture = color_crop(box_before_a_wall(), crop, np.random.default_rng(0))
    assert picture.shape == (3, 8, 8)
    # Image rows -10.5 to 29.5, columns 24.5 to 64.5, 5 image pixels each: the first two rows lie outside the image.
    assert not picture[:, :2].any() and picture[:, 2:].any(0).all()
    box = picture[:, 6:, 1:5]
    wall = picture[:, 3:6, 6:]
    assert np.abs(box.mean((1, 2)) - wall.mean((1, 2))).max() > 0.05


def test_the_preview_shows_the_same_hands_in_colour():
    color, depth = preview(seed=3, rows=1, color=True), preview(seed=3, rows=1)
    assert color.shape == depth.shape
    crops, frames = color[:192].reshape(-1, 3).astype(int), color[192:]
    assert np.abs(crops[:, 0] - crops[:, 2]).mean() > 10
    np.testing.assert_array_equal(frames, depth[192:])


def test_scaled_cameras_see_the_same():
    small = scaled(CAMERA, 0.5)
    assert (small.width, small.height) == (40, 30)
    pixels = small.project(np.array([[0.1, -0.05, 0.5]]))
    np.testing.assert_allclose((pixels + 0.5) * 2 - 0.5, CAMERA.project(np.array([[0.1, -0.05, 0.5]])))
