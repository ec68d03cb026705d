import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.crop import CubeCrop, pack_symmetric, unpack_symmetric

CAMERA = Camera(640, 480, 500, 500, 320, 240)


def crop(center=(0.0, 0.0, 0.5), cube_m=0.2, size=4, camera=CAMERA):
    return CubeCrop(camera, np.array(center), cube_m, size)


def test_the_window_is_the_cube_at_the_centres_depth():
    c = crop()
    np.testing.assert_allclose(c.half_px, [100, 100])  # 500 * 0.1 / 0.5
    np.testing.assert_allclose(c.center_px, [320, 240])
    # Cells lie at -3/4, -1/4, 1/4, 3/4 of the half window.
    columns, rows = c.sample_pixels()
    np.testing.assert_array_equal(columns, [245, 295, 345, 395])
    np.testing.assert_array_equal(rows, [165, 215, 265, 315])


def test_extract_by_hand():
    depth = np.full((480, 640), 0.5, np.float32)
    depth[:, 295] = 0.45  # half a cube in front of the centre
    depth[165, :] = 0.0  # invalid
    depth[215, :] = 0.7  # beyond the cube
    depth[265, 395] = 0.35  # before the cube
    out = crop().extract(depth)
    np.testing.assert_allclose(out, [[1, 1, 1, 1], [1, 1, 1, 1], [0, -0.5, 0, 1], [0, -0.5, 0, 0]], atol=1e-6)


def test_outside_the_image_is_background():
    out = crop(center=(0.32, 0, 0.5)).extract(np.full((480, 640), 0.5, np.float32))  # the window's middle is the right border
    np.testing.assert_array_equal(out[:, :2], 0)
    np.testing.assert_array_equal(out[:, 2:], 1)


def test_normalised_joints_by_hand():
    c = crop()
    np.testing.assert_allclose(c.normalize(np.array([0.1, -0.05, 0.5])), [1, -0.5, 0])
    np.testing.assert_allclose(c.normalize(np.array([0.0, 0.0, 0.55])), [0, 0, 0.5])


@pytest.mark.parametrize("distortion", [(), (0.1, -0.05, 0.001, 0.002, 0.0)])
def test_denormalize_is_the_exact_inverse(distortion):
    camera = Camera(640, 480, 480, 470, 300, 250, distortion)
    c = crop(center=(0.12, -0.07, 0.6), cube_m=0.25, size=96, camera=camera)
    points = np.random.default_rng(0).uniform(-0.1, 0.1, (50, 3)) + c.center
    np.testing.assert_allclose(c.denormalize(c.normalize(points)), points, atol=1e-9)


def test_covariance_follows_the_inverses_jacobian():
    c = crop(center=(0.05, -0.1, 0.4), cube_m=0.25, size=96)
    joint = np.array([[0.3, -0.4, 0.2]])
    root = np.random.default_rng(1).normal(size=(3, 3))
    covariance = root @ root.T
    step = 1e-6
    jacobian = np.stack(
        [(c.denormalize(joint + step * e) - c.denormalize(joint - step * e))[0] / (2 * step) for e in np.eye(3)], axis=1
    )
    expected = jacobian @ covariance @ jacobian.T
    np.testing.assert_allclose(
        unpack_symmetric(c.covariance_to_metres(joint, pack_symmetric(covariance)[None]))[0], expected, rtol=1e-6
    )


def test_a_centre_behind_the_camera_is_refused():
    for center in ((0, 0, -0.5), (0, 0, 0), (np.nan, 0, 0.5)):
        with pytest.raises(ValueError, match="in front of the camera"):
            crop(center=center)


def test_symmetric_packing_order():
    np.testing.assert_array_equal(unpack_symmetric([1, 2, 3, 4, 5, 6]), [[1, 2, 3], [2, 4, 5], [3, 5, 6]])
