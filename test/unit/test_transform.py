"""Rigid transforms of points, covariances and whole results, against numbers worked out by hand."""

import numpy as np
import pytest
from known_hand import axes, flat_hand

from hand_pose_ros.geometry.transform import RigidTransform, TransformError
from hand_pose_ros.hand.frames import palm_pose
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21

HALF = np.sqrt(0.5)
QUARTER_TURN_Z = (0.0, 0.0, HALF, HALF)  # x becomes y, y becomes -x
X_TO_Y_TO_Z = (0.5, 0.5, 0.5, 0.5)  # a third of a turn about (1, 1, 1)


def test_points():
    turned = RigidTransform.from_quaternion(QUARTER_TURN_Z, (10.0, 20.0, 30.0))
    np.testing.assert_allclose(turned.points([1.0, 2.0, 3.0]), [8.0, 21.0, 33.0])
    np.testing.assert_allclose(turned.points(np.zeros((4, 2, 3))), np.tile([10.0, 20.0, 30.0], (4, 2, 1)))
    np.testing.assert_allclose(RigidTransform.from_quaternion(X_TO_Y_TO_Z, (0, 0, 0)).points([1.0, 2.0, 3.0]), [3.0, 1.0, 2.0])


def test_optical_frame_in_the_camera_body():
    """REP 103: a camera's body has x forward, y left, z up; its optical frame z forward, x right, y down."""
    optical = RigidTransform.from_quaternion((-0.5, 0.5, -0.5, 0.5), (0.0, 0.0, 0.0))
    np.testing.assert_allclose(optical.points([0.1, 0.2, 0.5]), [0.5, -0.1, -0.2])


def test_covariances_turn_with_the_axes():
    six = [1.0, 0.5, 0.0, 2.0, 0.25, 3.0]  # xx xy xz yy yz zz
    # After a quarter turn about z the new x is the old -y, the new y the old x.
    turned = RigidTransform.from_quaternion(QUARTER_TURN_Z, (1.0, 1.0, 1.0)).covariances(six)
    np.testing.assert_allclose(turned, [2.0, -0.5, -0.25, 1.0, 0.0, 3.0], atol=1e-15)
    # By 30 degrees: xx = 4 cos^2 + sin^2, xy = (4 - 1) cos sin, yy = 4 sin^2 + cos^2.
    angle = np.radians(30)
    slight = RigidTransform.from_quaternion((0, 0, np.sin(angle / 2), np.cos(angle / 2)), (0, 0, 0))
    expected = [3.25, 3 * np.sqrt(3) / 4, 0, 1.75, 0, 9]
    np.testing.assert_allclose(slight.covariances(np.tile([4.0, 0, 0, 1, 0, 9], (2, 1))), [expected] * 2, atol=1e-12)


def test_unknown_covariances_stay_unknown():
    unknown = np.array([[-1.0, 0, 0, 0, 0, 0], [np.nan] * 6, [1.0, 0, 0, 2, 0, 3]])
    turned = RigidTransform.from_quaternion(QUARTER_TURN_Z, (0, 0, 0)).covariances(unknown)
    np.testing.assert_array_equal(turned[0], unknown[0])
    assert np.isnan(turned[1]).all()
    np.testing.assert_allclose(turned[2], [2, 0, 0, 1, 0, 3], atol=1e-15)


def test_there_and_back():
    there = RigidTransform.from_quaternion(np.array([0.1, -0.7, 0.3, 0.2]) / np.linalg.norm([0.1, -0.7, 0.3, 0.2]), (1, -2, 3))
    points = np.random.default_rng(0).normal(size=(5, 3))
    np.testing.assert_allclose(there.inverse().points(there.points(points)), points, atol=1e-12)
    assert np.abs(there.points(points) - points).max() > 1


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda: RigidTransform.from_quaternion((0, 0, 0, 0), (0, 0, 0)), r"has length 0, not 1: mend who publishes it to TF"),
        (lambda: RigidTransform.from_quaternion((0, 0, 0, 1.5), (0, 0, 0)), "has length 1.5, not 1"),
        (lambda: RigidTransform.from_quaternion((0, 0, 0, np.nan), (0, 0, 0)), "has length nan, not 1"),
        (lambda: RigidTransform.from_quaternion((0, 0, 1), (0, 0, 0)), r"shape \(3,\): give x, y, z, w"),
        (lambda: RigidTransform.from_quaternion((0, 0, 0, 1), (0, 0, np.inf)), "is not finite"),
        (lambda: RigidTransform(np.eye(3), np.zeros(2)), r"translation of shape \(2,\)"),
        (lambda: RigidTransform(2 * np.eye(3), np.zeros(3)), "without scale or mirror"),
        (lambda: RigidTransform(np.diag([1.0, 1, -1]), np.zeros(3)), "without scale or mirror"),
    ],
)
def test_what_is_no_transform_is_refused(make, said):
    with pytest.raises(TransformError, match=said):
        make()


def test_a_result_in_another_frame():
    joints, six = flat_hand(0.3), np.tile([1.0, 0.5, 0.0, 2.0, 0.25, 3.0], (21, 1)) * 1e-6
    hand = Hand(7, 1, Side.LEFT, 0.9, 0.8, joints, six, np.full(21, 0.7), HAND21)
    result = FrameResult(5, "camera", (hand,), {"network": 2.0})
    turn = RigidTransform.from_quaternion(QUARTER_TURN_Z, (1.0, 0.0, 0.0))
    other = result.transformed(turn, "base_link")
    assert (other.stamp_ns, other.frame_id, other.stage_ms) == (5, "base_link", {"network": 2.0})
    (moved,) = other.hands
    assert (moved.id, moved.slot, moved.side, moved.side_probability, moved.presence) == (7, 1, Side.LEFT, 0.9, 0.8)
    np.testing.assert_allclose(moved.joints, np.stack([1 - joints[:, 1], joints[:, 0], joints[:, 2]], 1))
    np.testing.assert_allclose(moved.covariance[3], np.array([2.0, -0.5, -0.25, 1.0, 0.0, 3.0]) * 1e-6, atol=1e-20)
    # The palm is built from the joints, so that it turns with them.
    before, after = palm_pose(hand.joints, HAND21), palm_pose(moved.joints, HAND21)
    np.testing.assert_allclose(axes(after.quaternion), turn.rotation @ axes(before.quaternion), atol=1e-9)
    assert result.frame_id == "camera" and (hand.joints == joints).all()
