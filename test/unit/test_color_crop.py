"""The window of a colour image: sizes and places by hand, the picture's cells, and the round trip."""

import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.color_crop import ColorCrop

CAMERA = Camera(640, 480, 500.0, 400.0, 320.0, 240.0)


def test_a_box_becomes_a_square_window_around_its_middle():
    crop = ColorCrop.around(CAMERA, (299.5, 199.5, 339.5, 299.5), size=4, cube_m=0.3)
    np.testing.assert_allclose(crop.center_px, (319.5, 249.5))
    assert crop.half_px == 50.0
    np.testing.assert_allclose(crop.to_image, [[50, 0, 319.5], [0, 50, 249.5]])


def test_joints_are_normalised_over_the_window_and_around_the_root():
    crop = ColorCrop(CAMERA, (320, 240), 100.0, 256, cube_m=0.3)
    # Pixel 320 + 500 * 0.05 / 0.5 = 370, 240 - 400 * 0.025 / 0.5 = 220; 0.06 m behind the root is 0.4 of half a cube.
    np.testing.assert_allclose(crop.normalize([0.05, -0.025, 0.5], root_z=0.44), [0.5, -0.2, 0.4], atol=1e-12)


def test_a_window_that_is_turned_by_90_degrees_shows_the_images_v_axis_as_its_u_axis():
    crop = ColorCrop(CAMERA, (320, 240), 100.0, 256, cube_m=0.3, angle=np.pi / 2)
    # v = 260 in the image is 20 px along the window's u axis; u = 345 is 25 px against its v axis.
    np.testing.assert_allclose(crop.normalize([0.025, 0.025, 0.5], root_z=0.5), [0.2, -0.25, 0.0], atol=1e-12)


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.9])
def test_denormalize_is_the_inverse(angle: float):
    crop = ColorCrop(CAMERA, (300.2, 251.7), 83.5, 256, cube_m=0.27, angle=angle)
    points = np.random.default_rng(5).uniform((-0.2, -0.2, 0.3), (0.2, 0.2, 0.9), size=(21, 3))
    np.testing.assert_allclose(crop.denormalize(crop.normalize(points, 0.52), 0.52), points, atol=1e-12)


def test_a_window_of_whole_pixels_is_cut_out_unchanged():
    image = np.random.default_rng(0).integers(0, 256, size=(480, 640, 3), dtype=np.uint8)
    picture = ColorCrop.around(CAMERA, (99.5, 49.5, 131.5, 81.5), size=32, cube_m=0.3).extract(image)
    assert picture.shape == (3, 32, 32) and picture.dtype == np.float32
    np.testing.assert_allclose(picture, image[50:82, 100:132].transpose(2, 0, 1) / 255, atol=1e-6)


def test_outside_the_image_is_black():
    image = np.full((480, 640, 3), 255, np.uint8)
    picture = ColorCrop.around(CAMERA, (-16.5, 99.5, 15.5, 131.5), size=32, cube_m=0.3).extract(image)
    assert (picture[:, :, :16] == 0).all() and (picture[:, :, 16:] == 1).all()


@pytest.mark.parametrize("half_px", [0.0, -3.0, np.nan, np.inf])
def test_an_empty_window_is_refused(half_px: float):
    with pytest.raises(ValueError, match="colour window"):
        ColorCrop(CAMERA, (0, 0), half_px, 256, 0.3)
