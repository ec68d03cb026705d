"""Augmented labels are the labels of the augmented scene, and the image agrees with them."""

import numpy as np
import pytest
from depth_files import spread_joints

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import CubeCrop
from hand_pose_training.datasets.augment import Augmentation, AugmentedCrop, AugmentSettings, draw

CAMERA = Camera(640, 480, 588.03, 587.07, 320.0, 240.0)
CENTER = np.array([0.15, -0.10, 0.7])  # far from the optical axis, where a turned image is not a turned scene
JOINTS = spread_joints(9, tuple(CENTER))
SIZE = 128
KINDS = {
    "rotation": Augmentation(rotation=1.1),
    "half turn": Augmentation(rotation=-np.pi),
    "translation": Augmentation(translation=(0.01, -0.008, 0.006)),
    "scale": Augmentation(scale=0.9),
    "stretch": Augmentation(stretch=(1.1, 0.92)),
    "all": Augmentation(2.5, (-0.01, 0.01, 0.01), 1.1, (0.9, 1.1)),
}


def plane_image(joints):
    """A 9x9 square at every joint's depth, on the pixels nearest to it."""
    image = np.zeros((480, 640), np.float32)
    for x, y, z in joints:
        u, v = round(x * 588.03 / z + 320), round(y * 587.07 / z + 240)
        image[v - 4 : v + 5, u - 4 : u + 5] = z
    return image


def test_no_augmentation_is_the_plain_crop():
    plain, augmented = CubeCrop(CAMERA, CENTER, 0.25, SIZE), AugmentedCrop(CAMERA, CENTER, 0.25, SIZE)
    image = plane_image(JOINTS)
    np.testing.assert_array_equal(augmented.extract(image), plain.extract(image))
    np.testing.assert_allclose(augmented.normalize(JOINTS), plain.normalize(JOINTS))


@pytest.mark.parametrize("kind", KINDS)
def test_the_image_shows_every_joint_where_its_label_is(kind):
    cut = AugmentedCrop(CAMERA, CENTER, 0.25, SIZE, KINDS[kind])
    image, labels = cut.extract(plane_image(JOINTS)), cut.normalize(JOINTS)
    inside = (np.abs(labels[:, :2]) < 0.97).all(axis=1) & (np.abs(labels[:, 2]) < 1)
    assert inside.sum() >= 5
    for u, v, d in labels[inside]:
        column, row = (int(np.floor((w + 1) / 2 * SIZE)) for w in (u, v))
        # A square is a flat piece facing the camera: after a turn its depth differs by its tilt over a few pixels.
        assert image[row, column] == pytest.approx(d, abs=0.02)


@pytest.mark.parametrize("kind", KINDS)
def test_the_image_has_nothing_where_the_scene_has_nothing(kind):
    cut = AugmentedCrop(CAMERA, CENTER, 0.25, SIZE, KINDS[kind])
    image, labels = cut.extract(plane_image(JOINTS)), cut.normalize(JOINTS)
    rows, columns = np.nonzero(image < 1)
    cells = np.column_stack([2 * columns + 1, 2 * rows + 1]) / SIZE - 1
    nearest = np.abs(cells[:, None] - labels[None, :, :2]).max(axis=-1).min(axis=1)
    # Half a square is 4.5 pixels of 210 in the window, turned by up to 45 degrees and stretched.
    assert nearest.max() < 4.5 / 105 * np.sqrt(2) * 1.1 / 0.9 + 2 / SIZE


def test_a_turned_scene_keeps_its_shape_and_its_centre():
    cut = AugmentedCrop(CAMERA, CENTER, 0.25, SIZE, Augmentation(rotation=1.1))
    metres = cut.crop.denormalize(cut.normalize(np.vstack([JOINTS, CENTER])))
    before = np.linalg.norm(JOINTS[:, None] - JOINTS[None], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(metres[:9, None] - metres[None, :9], axis=-1), before, atol=1e-9)
    np.testing.assert_allclose(metres[9], CENTER, atol=1e-12)


def test_rotation_turns_x_towards_y():
    """On the optical axis a quarter turn takes a point right of the centre below it."""
    center = np.array([0.0, 0.0, 0.5])
    cut = AugmentedCrop(Camera(640, 480, 500.0, 500.0, 320.0, 240.0), center, 0.25, SIZE, Augmentation(rotation=np.pi / 2))
    np.testing.assert_allclose(cut.normalize(np.array([0.05, 0.0, 0.51])), [0.0, 0.4 / 1.02, 0.08], atol=1e-9)


def test_translation_moves_the_cube_and_scale_grows_it():
    cut = AugmentedCrop(CAMERA, np.array([0.0, 0.0, 0.5]), 0.20, SIZE, Augmentation(translation=(0.01, 0, 0), scale=1.1))
    assert cut.crop.cube_m == pytest.approx(0.22)
    # At any depth, x = 0 lies 0.01 f / 0.5 pixels left of the moved window's middle, half of which is 0.11 f / 0.5 pixels.
    np.testing.assert_allclose(cut.normalize(np.array([0.0, 0.0, 0.511])), [-0.01 / 0.11, 0.0, 0.1])
    np.testing.assert_allclose(cut.crop.denormalize(cut.normalize(np.array([0.02, 0.01, 0.49]))), [0.02, 0.01, 0.49])


def test_stretch_makes_the_hand_wider_in_the_same_window():
    cut, plain = (AugmentedCrop(CAMERA, CENTER, 0.25, SIZE, a) for a in (Augmentation(stretch=(1.1, 0.9)), Augmentation()))
    np.testing.assert_allclose(cut.normalize(JOINTS), plain.normalize(JOINTS) * (1.1, 0.9, 1.0))
    np.testing.assert_array_equal(cut.crop.half_px, plain.crop.half_px)


def test_draws_stay_in_range_and_repeat():
    settings = AugmentSettings(rotation_deg=180, translation_m=0.01, scale=0.1, stretch=0.1)
    draws = [draw(settings, np.random.default_rng(seed)) for seed in range(300)]
    assert draw(settings, np.random.default_rng(7)) == draws[7]
    turns = np.array([a.rotation for a in draws])
    assert np.abs(turns).max() <= np.pi and turns.min() < -2.8 and turns.max() > 2.8
    moves = np.array([a.translation for a in draws])
    assert np.abs(moves).max() <= 0.01 and np.abs(moves).max() > 0.009
    factors = np.array([(a.scale, *a.stretch) for a in draws])
    assert factors.min() >= 0.9 and factors.max() <= 1.1 and np.ptp(factors) > 0.18
    still = AugmentSettings(rotation_deg=0, translation_m=0, scale=0)
    assert draw(still, np.random.default_rng(1)) == Augmentation()
