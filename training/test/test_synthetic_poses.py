"""Poses: ranges, anchors, self-penetration, grasps."""

import numpy as np
import pytest

from hand_pose_ros.skeleton import HAND21
from hand_pose_training.synthetic import grasp, poses
from hand_pose_training.synthetic.hand_mesh import BONES, bone_positions, posed_hand
from hand_pose_training.synthetic.shape import sample_shape

UNIT = np.ones((BONES, 3))


def tip_distance(anchor: str, finger: str) -> float:
    joints = posed_hand(poses.bone_angles(poses.ANCHORS[anchor]), UNIT).joints
    return np.linalg.norm(joints[HAND21.index(f"{finger}_tip")] - joints[HAND21.index("thumb_tip")])


@pytest.mark.parametrize("name", poses.ANCHORS)
def test_anchor_does_not_go_through_itself(name):
    assert poses.penetration(poses.ANCHORS[name]) < 0.006


@pytest.mark.parametrize(("anchor", "finger"), [("pinch", "index"), ("pinch_middle", "middle"), ("tripod", "index")])
def test_pinches_meet(anchor, finger):
    assert 0.010 < tip_distance(anchor, finger) < 0.018  # the pads touch: both labels lie inside the fingers


def test_penetration_sees_a_finger_through_its_neighbour():
    pose = poses.ANCHORS["flat"].copy()
    pose[0] = np.radians(-30)  # the index finger into the middle one
    assert poses.penetration(pose) > 0.008


def test_sampled_poses_are_in_range_and_hardly_ever_through_themselves():
    rng = np.random.default_rng(1)
    drawn = [poses.sample_pose(rng) for _ in range(300)]
    for pose in drawn:
        np.testing.assert_array_equal(pose, poses.clip_to_ranges(pose))
    assert np.mean([poses.penetration(p) > poses.MAX_PENETRATION_M for p in drawn]) < 0.01


def test_segment_distance():
    x = np.array([1.0, 0, 0])
    zero = np.zeros(3)
    assert poses._segment_distance(zero, x, np.array([0.5, 2, 0]), np.array([0.5, 5, 0])) == pytest.approx(2)
    assert poses._segment_distance(zero, x, np.array([4.0, 4, 0]), np.array([4.0, 9, 0])) == pytest.approx(5)
    assert poses._segment_distance(zero, x, np.array([-1.0, 0, 3]), np.array([7.0, 0, 3])) == pytest.approx(3)


@pytest.mark.parametrize(
    ("solid", "size", "point", "distance"),
    [
        (grasp.Solid.BOX, (1, 2, 3), (3, 0, 0), 2),
        (grasp.Solid.BOX, (1, 2, 3), (4, 6, 0), 5),
        (grasp.Solid.BOX, (1, 2, 3), (0.75, 0, 0), -0.25),
        (grasp.Solid.CYLINDER, (1, 2, 0), (3, 0, 4), 4),
        (grasp.Solid.CYLINDER, (1, 2, 0), (0, 5, 0), 3),
        (grasp.Solid.ELLIPSOID, (1, 1, 1), (0, 3, 4), 4),
    ],
)
def test_distance_to_a_held_solid(solid, size, point, distance):
    assert grasp._distance(np.array(point, float), int(solid), np.array(size, float)) == pytest.approx(distance)


def test_grasping_fingers_touch_the_object_and_do_not_sink_in():
    rng = np.random.default_rng(3)
    touching, deepest = [], []
    for _ in range(100):
        shape = sample_shape(rng)
        pose, held = grasp.sample_grasp(rng, shape)
        gaps = grasp.finger_gaps(bone_positions(poses.bone_angles(pose), shape), held)
        touching.append((gaps < 0.012).sum())
        deepest.append(gaps.min())
    assert np.mean(np.array(touching) >= 2) > 0.85
    assert np.median(deepest) > 0.0  # no bone inside the object
