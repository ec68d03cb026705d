from types import SimpleNamespace

import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera, CameraError


def camera_info(**changes):
    info = {
        "width": 640,
        "height": 480,
        "k": [500.0, 0, 320, 0, 510.0, 240, 0, 0, 1],
        "p": [400.0, 0, 310, 0, 0, 405.0, 230, 0, 0, 0, 1, 0],
        "d": [],
        "distortion_model": "plumb_bob",
        "binning_x": 0,
        "binning_y": 0,
        "roi": SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0),
    }
    return SimpleNamespace(**{**info, **changes})


def test_a_point_projects_to_its_hand_computed_pixel():
    camera = Camera(640, 480, 500, 510, 320, 240)
    # u = 500 * 0.1 / 0.5 + 320, v = 510 * -0.05 / 0.5 + 240
    np.testing.assert_allclose(camera.project(np.array([0.1, -0.05, 0.5])), [420, 189])
    np.testing.assert_allclose(camera.back_project(np.array([420.0, 189.0]), 0.5), [0.1, -0.05, 0.5])


def test_a_rectified_image_uses_p_and_a_raw_one_k_and_d():
    assert Camera.from_camera_info(camera_info()).fx == 400
    raw = Camera.from_camera_info(camera_info(d=[0.1, 0, 0, 0, 0]), rectified=False)
    assert (raw.fx, raw.distortion) == (500, (0.1, 0, 0, 0, 0))


def test_k_stands_in_where_a_driver_leaves_p_empty():
    assert Camera.from_camera_info(camera_info(p=[0.0] * 12)).fx == 500


def test_region_of_interest_then_binning():
    roi = SimpleNamespace(x_offset=100, y_offset=40, width=400, height=300)
    camera = Camera.from_camera_info(camera_info(roi=roi, binning_x=2, binning_y=2))
    assert (camera.width, camera.height) == (200, 150)
    # Sensor pixel 311 (centre of P is 310) is 210..211 in the region: bin 105 has its centre at 210.5, so cx = (210 - 0.5) / 2.
    assert (camera.fx, camera.cx, camera.cy) == (200, 104.75, 94.75)


def test_binning_keeps_rays():
    full, binned = Camera.from_camera_info(camera_info()), Camera.from_camera_info(camera_info(binning_x=2, binning_y=2))
    # Full resolution pixels 20 and 21 become binned pixel 10: their middle 20.5 looks along the same ray.
    np.testing.assert_allclose(full.back_project(np.array([20.5, 20.5]), 1.0), binned.back_project(np.array([10.0, 10.0]), 1.0))


@pytest.mark.parametrize(
    "distortion", [(0.1, -0.2, 0.001, -0.002, 0.05), (-0.2, 0.1, 0, 0), (0.5, 0.1, 1e-3, 1e-3, 0.02, 0.4, 0.05, 0.01)]
)
def test_distortion_round_trip(distortion):
    camera = Camera(640, 480, 500, 510, 320, 240, distortion)
    points = np.array([[0.1, -0.2, 0.7], [-0.3, 0.2, 1.0], [0.0, 0.0, 0.4]])
    np.testing.assert_allclose(camera.back_project(camera.project(points), points[:, 2]), points, atol=1e-9)


def test_radial_distortion_by_hand():
    camera = Camera(640, 480, 100, 100, 0, 0, (0.5, 0, 0, 0, 0))
    # x = 0.2, r^2 = 0.04, factor 1 + 0.5 * 0.04
    np.testing.assert_allclose(camera.project(np.array([0.2, 0.0, 1.0])), [100 * 0.2 * 1.02, 0])


def test_an_uncalibrated_camera_is_refused_with_the_remedy():
    with pytest.raises(CameraError, match="not calibrated.*camera info"):
        Camera.from_camera_info(camera_info(k=[0.0] * 9, p=[0.0] * 12))


def test_distortion_that_is_no_number_is_refused():
    with pytest.raises(CameraError, match="not numbers: mend D"):
        Camera.from_camera_info(camera_info(d=[0.1, float("nan"), 0, 0]), rectified=False)


def test_an_unknown_lens_is_refused_only_where_it_matters():
    fisheye = camera_info(d=[0.1, 0.1, 0, 0], distortion_model="equidistant")
    with pytest.raises(CameraError, match="equidistant.*rectif"):
        Camera.from_camera_info(fisheye, rectified=False)
    assert Camera.from_camera_info(fisheye, rectified=True).distortion == ()
