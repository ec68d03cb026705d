"""Another hand's pixels are taken out of a crop, and no others."""

import numpy as np
from known_hand import flat_hand
from some_estimates import CAMERA

from hand_pose_ros.geometry.crop import BACKGROUND, CubeCrop
from hand_pose_ros.perception.rivals import REACH_M, Rivals, bone_points, rivals_of
from hand_pose_ros.skeleton import HAND21

HAND = flat_hand() - flat_hand().mean(axis=0) + [0.0, 0.0, 0.5]


def crop_of_points(*points) -> tuple[CubeCrop, np.ndarray, list[tuple[int, int]]]:
    """A crop around (0, 0, 0.5) that shows these points, one pixel each, and where they are in it."""
    crop = CubeCrop(CAMERA, np.array([0.0, 0.0, 0.5]), 0.25, 96)
    image = np.full((96, 96), BACKGROUND, np.float32)
    cells = []
    for u, v, d in crop.normalize(np.array(points)):
        row, column = int((v + 1) * 48), int((u + 1) * 48)
        image[row, column] = d
        cells.append((row, column))
    return crop, image, cells


def test_what_is_nearer_to_the_other_hand_is_hidden():
    own, other = np.array([[0.0, 0.0, 0.5]]), np.array([[0.08, 0.0, 0.45]])
    mine, theirs, before = (0.03, 0.0, 0.49), (0.06, 0.0, 0.46), (0.0, 0.03, 0.41)
    crop, image, cells = crop_of_points(mine, theirs, before)
    was = image.copy()
    Rivals(own, other).hide(crop, image)
    assert image[cells[1]] == BACKGROUND
    # Something that is before the hand but farther from the other one stays: the other hand alone is taken out.
    assert image[cells[0]] == was[cells[0]] < BACKGROUND and image[cells[2]] == was[cells[2]] < BACKGROUND
    assert (image != was).sum() == 1


def test_a_hand_out_of_the_crop_hides_nothing():
    crop, image, _ = crop_of_points((0.1, 0.0, 0.5), (0.0, 0.0, 0.5))
    was = image.copy()
    Rivals(np.array([[0.0, 0.0, 0.5]]), np.array([[0.25, 0.0, 0.5]])).hide(crop, image)
    np.testing.assert_array_equal(image, was)


def test_points_lie_on_joints_and_halfway_along_bones():
    points = bone_points(HAND, HAND21)
    assert points.shape == (21 + 20, 3)
    index = HAND21.indices("index_pip", "index_dip")
    halfway = HAND[index].mean(axis=0)
    assert np.linalg.norm(points - halfway, axis=1).min() < 1e-12


def test_rivals_are_the_hands_that_are_near():
    hands = [HAND, np.add(HAND, [0.1, 0, 0]), np.add(HAND, [0.1 + REACH_M, 0, 0.01])]
    first, second, third = rivals_of(hands, HAND21)
    np.testing.assert_array_equal(first.own, bone_points(HAND, HAND21))
    np.testing.assert_array_equal(first.others, second.own)
    np.testing.assert_array_equal(second.others, first.own)
    assert third is None and rivals_of(hands[:1], HAND21) == [None]
