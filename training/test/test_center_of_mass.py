"""The centre of mass of the nearest object."""

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_training.datasets.center_of_mass import MIN_AREA_M2, center_of_mass, nearest_object

CAMERA = Camera(320, 240, 240.0, 240.0, 160.0, 120.0)


def scene(**blocks):
    """Rectangles (rows, columns, metres) before nothing."""
    depth = np.zeros((240, 320), np.float32)
    for rows, columns, z in blocks.values():
        depth[rows[0] : rows[1], columns[0] : columns[1]] = z
    return depth


def test_the_nearest_object_is_taken_and_the_wall_is_not():
    depth = scene(wall=((0, 240), (0, 320), 1.5), hand=((100, 141), (50, 91), 0.5), other=((100, 141), (200, 241), 0.7))
    mask = nearest_object(depth, CAMERA, 0.25)
    assert mask.sum() == 41 * 41 and mask[120, 70] and not mask[120, 220]
    np.testing.assert_allclose(center_of_mass(depth, CAMERA, 0.25), [(70 - 160) * 0.5 / 240, 0.0, 0.5], atol=1e-7)


def test_noise_before_the_hand_does_not_count():
    depth = scene(hand=((100, 141), (50, 91), 0.5), noise=((10, 16), (10, 18), 0.2))
    depth[120:123, 70] = 0.3  # flying pixels before the hand
    assert 0 < (depth == np.float32(0.2)).sum() * (0.2 / 240) ** 2 < MIN_AREA_M2
    assert nearest_object(depth, CAMERA, 0.25)[120, 70]


def test_a_corner_of_something_nearer_is_left_out():
    # 8x60 pixels at 0.4 m are 13 cm^2; the hand's 41x41 at 0.5 m are 73.
    depth = scene(wall=((0, 240), (0, 320), 1.5), hand=((100, 141), (50, 91), 0.5), sleeve=((232, 240), (260, 320), 0.4))
    mask = nearest_object(depth, CAMERA, 0.25)
    assert mask.sum() == 41 * 41 and mask[120, 70]


def test_a_long_arm_beyond_the_cube_does_not_pull_the_centre():
    # At 0.5 m a cube of 0.25 m is 120 pixels: a hand of 40x40 whose arm runs 200 pixels to the right and away.
    depth = scene(hand=((100, 141), (50, 91), 0.5))
    for column in range(91, 300):
        depth[110:131, column] = 0.5 + (column - 90) * 0.002
    center = center_of_mass(depth, CAMERA, 0.25)
    assert center[2] < 0.6
    u = CAMERA.project(center)[0]
    assert 70 < u < 110  # of the hand and the wrist, not of the whole arm, whose middle is past 150


def test_only_what_is_in_the_box_counts():
    depth = scene(near=((100, 141), (50, 91), 0.5), boxed=((100, 141), (200, 241), 0.7))
    center = center_of_mass(depth, CAMERA, 0.25, (180.0, 0.0, 319.0, 239.0))
    np.testing.assert_allclose(CAMERA.project(center), [220, 120], atol=1e-5)


def test_an_empty_image_has_no_centre():
    assert center_of_mass(np.zeros((240, 320), np.float32), CAMERA, 0.25) is None
    assert center_of_mass(scene(speck=((5, 9), (5, 9), 0.5), more=((5, 12), (50, 56), 0.5)), CAMERA, 0.25) is None
