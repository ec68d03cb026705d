"""The detector's frame, computed by hand for cameras of several shapes, and there and back."""

import numpy as np
import pytest

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.letterbox import Letterbox, frame_shape, input_rows, width_problem

VGA = Camera(640, 480, 600.0, 500.0, 319.5, 239.5)


def test_an_image_of_four_thirds_lies_in_the_middle():
    box = Letterbox(VGA)
    assert frame_shape(160) == (128, 160)
    assert box.step == 4.0
    assert box.focal_px == pytest.approx(np.sqrt(600 * 500) / 4)
    # 480 rows are 120 of the frame: 4 above and 4 below are empty. The centre of pixel 0, which covers 0 to 4, is in pixel 2.
    assert box.place == (slice(4, 124), slice(0, 160))
    assert box.rows[:3].tolist() == [2, 6, 10] and box.rows[-1] == 478
    assert box.columns[:2].tolist() == [2, 6] and box.columns[-1] == 638


def test_each_pixel_of_the_frame_is_a_pixel_of_the_image():
    depth = np.arange(480 * 640, dtype=np.float32).reshape(480, 640)
    frame = Letterbox(VGA).extract(depth)
    assert frame.shape == (128, 160) and frame.dtype == np.float32
    assert frame[4, 0] == depth[2, 2] and frame[64, 80] == depth[242, 322]
    assert not frame[:4].any() and not frame[124:].any()


@pytest.mark.parametrize(
    "width, height, step, place",
    [
        (848, 480, 5.3, (slice(19, 109), slice(0, 160))),  # 480 / 5.3 = 90.6 rows, of which 90 have their centre in the image
        (640, 576, 4.5, (slice(0, 128), slice(9, 151))),  # 142.2 columns
        (320, 240, 2.0, (slice(4, 124), slice(0, 160))),
        (80, 60, 0.5, (slice(4, 124), slice(0, 160))),  # made larger
        (100, 400, 3.125, (slice(0, 128), slice(64, 96))),  # upright
    ],
)
def test_images_of_other_shapes(width, height, step, place):
    box = Letterbox(Camera(width, height, 400.0, 400.0, width / 2, height / 2))
    assert box.step == step
    assert box.place == place
    assert box.rows.min() >= 0 and box.rows.max() < height and box.columns.min() >= 0 and box.columns.max() < width
    assert len(box.rows) == place[0].stop - place[0].start and len(box.columns) == place[1].stop - place[1].start


def test_of_an_image_lower_than_a_pixel_of_the_frame_nothing_is_seen():
    box = Letterbox(Camera(2000, 10, 400.0, 400.0, 1000, 5))
    assert not box.extract(np.ones((10, 2000), np.float32)).any()


def test_normalised_coordinates_are_of_the_frame_s_edges():
    box = Letterbox(VGA)
    # The image's left outer edge is the frame's; its upper one is at 4 of 128 rows.
    assert box.normalize(np.array([-0.5, -0.5])) == pytest.approx([-1.0, -120 / 128])
    assert box.normalize(np.array([639.5, 479.5])) == pytest.approx([1.0, 120 / 128])
    assert box.denormalize(np.array([0.0, 0.0])) == pytest.approx([319.5, 239.5])
    pixels = np.random.default_rng(0).uniform(0, 480, (5, 2))
    assert np.allclose(box.denormalize(box.normalize(pixels)), pixels)


def test_a_pixel_of_the_frame_and_its_coordinates_are_one_place():
    """Cell i of W lies at (2 i + 1) / W - 1: that is within half an image pixel of the pixel that it was taken from."""
    for camera in (VGA, Camera(848, 480, 420.0, 420.0, 424.0, 240.0), Camera(512, 424, 365.0, 365.0, 256.0, 212.0)):
        box = Letterbox(camera)
        u = (2 * (box.place[1].start + np.arange(len(box.columns))) + 1) / 160 - 1
        v = (2 * (box.place[0].start + np.arange(len(box.rows))) + 1) / 128 - 1
        assert np.abs(box.denormalize(np.stack([u, 0 * u], -1))[:, 0] - box.columns).max() <= 0.5 + 1e-9
        assert np.abs(box.denormalize(np.stack([0 * v, v], -1))[:, 1] - box.rows).max() <= 0.5 + 1e-9


def test_widths():
    assert width_problem(160) == width_problem(320) == ""
    assert width_problem(96) == "96 is no width of a frame: a multiple of 160"
    assert input_rows(320)["depth_frame"] == ("float32", (1, 256, 320))
