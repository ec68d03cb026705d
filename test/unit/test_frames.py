"""Palm and bone frames, against hands whose frames are known."""

import numpy as np
import pytest
from known_hand import PALM_AXES, axes, flat_hand

from hand_pose_ros.hand.frames import bone_quaternions, palm_covariance, palm_pose, quaternion_from_matrix
from hand_pose_ros.skeleton import HAND21, Skeleton


def test_palm_of_a_flat_right_hand():
    palm = palm_pose(flat_hand(), HAND21)
    assert np.allclose(palm.center, [0.1 + 0.02 / 5, 0.05 - 4 * 0.08 / 5, 0.5])
    assert np.allclose(axes(palm.quaternion), PALM_AXES)


def test_palm_z_of_a_left_hand_is_out_of_the_palm():
    mirrored = flat_hand() * [-1, 1, 1]  # a left hand, its back still towards the camera
    assert np.allclose(axes(palm_pose(mirrored, HAND21).quaternion)[:, 2], [0, 0, 1])


def test_palm_on_a_line_has_a_centre_but_no_orientation():
    line = np.linspace([0, 0, 0.5], [0, 0.1, 0.5], 21)
    palm = palm_pose(line, HAND21)
    assert np.isfinite(palm.center).all() and np.isnan(palm.quaternion).all()
    assert palm_covariance(line, np.ones((21, 6)), HAND21) is None
    assert np.isfinite(bone_quaternions(line, HAND21)).all()


def test_skeleton_without_palm():
    two = Skeleton("two", ("a", "b"), (("a", "b"),))
    assert palm_pose(np.eye(3)[:2], two) is None
    assert palm_covariance(np.eye(3)[:2], np.ones((2, 6)), two) is None


def test_straight_bones_are_parallel_to_the_palm():
    for q in bone_quaternions(flat_hand(), HAND21):
        assert np.allclose(axes(q), PALM_AXES)


@pytest.mark.parametrize("bend", [0.3, np.pi / 3, np.pi / 2])
def test_flexed_bones_turn_about_y(bend):
    q = bone_quaternions(flat_hand(bend), HAND21)
    for number, name in enumerate(("index_mcp", "index_pip", "index_dip"), start=1):
        frame = axes(q[HAND21.index(name)])
        assert np.allclose(frame[:, 0], [0, -np.cos(number * bend), np.sin(number * bend)])  # along the bone
        assert np.allclose(frame[:, 1], [-1, 0, 0])  # the axis of flexion stays
        assert np.isclose(np.linalg.det(frame), 1)
    assert np.allclose(q[HAND21.index("index_tip")], q[HAND21.index("index_dip")])
    assert np.allclose(axes(q[0]), PALM_AXES)


def test_bone_folded_back_completely():
    joints = flat_hand()
    joints[HAND21.index("ring_dip")] = joints[HAND21.index("ring_pip")] + [0, 0.02, 0]
    frame = axes(bone_quaternions(joints, HAND21)[HAND21.index("ring_pip")])
    assert np.allclose(frame, np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]]).T)


def test_x_lies_along_every_bone_of_any_hand():
    rng = np.random.default_rng(3)
    for _ in range(20):
        joints = rng.normal(0, 0.05, (21, 3))
        q = bone_quaternions(joints, HAND21)
        assert np.allclose(np.linalg.norm(q, axis=1), 1)
        for parent, child in HAND21.bone_indices:
            if parent:
                bone = joints[child] - joints[parent]
                assert np.allclose(axes(q[parent])[:, 0], bone / np.linalg.norm(bone))


def test_two_joints_in_one_place_keep_the_frame():
    joints = flat_hand()
    joints[HAND21.index("index_pip")] = joints[HAND21.index("index_mcp")]
    assert np.allclose(axes(bone_quaternions(joints, HAND21)[HAND21.index("index_mcp")]), PALM_AXES)


def test_quaternion_from_matrix_for_every_branch():
    rng = np.random.default_rng(0)
    for q in [np.eye(4)[i] for i in range(4)] + list(rng.normal(size=(50, 4))):
        q = q / np.linalg.norm(q)
        got = quaternion_from_matrix(axes(q))
        assert got[3] >= 0
        assert np.allclose(axes(got), axes(q))


def test_palm_covariance_agrees_with_sampling():
    joints, rng = flat_hand(), np.random.default_rng(1)
    sigma = np.array([0.001, 0.002, 0.003])
    covariance = np.tile([sigma[0] ** 2, 0, 0, sigma[1] ** 2, 0, sigma[2] ** 2], (21, 1))
    got = palm_covariance(joints, covariance, HAND21)
    assert np.allclose(got[:3, :3], np.diag(sigma**2))
    turns = []
    for _ in range(4000):
        noisy = joints + rng.normal(size=(21, 3)) * sigma
        r = axes(palm_pose(noisy, HAND21).quaternion) @ PALM_AXES.T  # small rotation about the camera's axes
        turns.append([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1]])
    sampled = np.cov(np.array(turns).T / 2)
    assert np.allclose(np.diag(got[3:, 3:]), np.diag(sampled), rtol=0.1)


def test_palm_covariance_unknown_where_a_joint_is():
    covariance = np.ones((21, 6)) * 1e-6
    covariance[HAND21.index("ring_mcp"), 0] = -1
    assert palm_covariance(flat_hand(), covariance, HAND21) is None
