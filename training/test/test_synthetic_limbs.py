"""Arms as rigid things: contact, rest, reach and tubes, against values worked out by hand."""

import numpy as np
import pytest

from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.limbs import (
    UPPER_ARM_M,
    bent_elbow,
    count_hidden,
    limb,
    reach_of_contact,
    sample_arm,
    support,
)
from hand_pose_training.synthetic.people import Body, body_with_shoulder
from hand_pose_training.synthetic.surroundings import Keep
from hand_pose_training.synthetic.views import about, turning, unit

X, Y, Z = np.eye(3)


def test_balls_touch_where_their_radii_meet():
    still, moving = np.array([[0.0, 0, 0]]), np.array([[0.03, 0, -0.2]])
    reach = reach_of_contact(moving, np.array([0.02]), still, np.array([0.03]), Z)
    # 3 cm to the side and 5 cm apart: 4 cm beyond along z.
    assert reach == pytest.approx(0.24)
    assert reach_of_contact(moving + 0.03 * X, np.array([0.02]), still, np.array([0.03]), Z) == -np.inf


def test_a_tipped_box_rests_on_its_face():
    tipped = about(unit(np.array([0.3, 0.2, 1.0])), 0.3)
    points = primitives.box(np.array([0.2, 0.05, 0.1]))[0] @ tipped.T
    np.testing.assert_allclose(support(points, Y), tipped @ Y, atol=1e-9)


def test_a_body_that_would_tip_over_stays_on_its_lowest_point():
    points = primitives.box(np.array([0.02, 0.5, 0.02]))[0] @ about(X, 0.3).T
    np.testing.assert_allclose(support(points, Y, most_tilt=0.2), Y)


def test_joints_behind_a_ball_are_hidden():
    joints = np.tile([0.0, 0.0, 0.6], (21, 1))
    joints[:5, 0] = 0.3
    ball = np.array([[0.0, 0.0, 0.5]]), np.array([0.02])
    assert count_hidden(joints, *ball, behind_m=0.05) == 16
    assert count_hidden(joints, *ball, behind_m=0.15) == 0


def test_the_elbow_is_an_upper_arm_from_the_shoulder_and_a_forearm_from_the_wrist():
    wrist, shoulder = np.array([0.1, 0.2, 0.6]), np.array([0.2, -0.1, 0.5])
    elbow = bent_elbow(wrist, shoulder, 0.25, Y)
    assert np.linalg.norm(elbow - shoulder) == pytest.approx(UPPER_ARM_M)
    assert np.linalg.norm(elbow - wrist) == pytest.approx(0.25)
    line = unit(wrist - shoulder)
    bend = elbow - shoulder - ((elbow - shoulder) @ line) * line
    assert bend @ Y > 0


def test_a_limb_is_closed_and_of_its_volume():
    vertices, faces = limb(np.array([0.1, 0.0, 0.3]), np.array([0.2, -0.3, 0.5]), 0.04, 0.04)
    corners = vertices[faces]
    volume = np.einsum("ij,ij->", corners[:, 0], np.cross(corners[:, 1], corners[:, 2])) / 6
    length = np.linalg.norm([0.1, 0.3, 0.2])
    assert volume == pytest.approx(np.pi * 0.04**2 * (length + 4 / 3 * 0.04), rel=0.1)


def test_turning_takes_both_vectors():
    before, after = (X, unit(np.array([0.2, 1.0, 0]))), (Z, unit(np.array([1.0, 0, -0.4])))
    rotation = turning(*before, *after)
    np.testing.assert_allclose(rotation @ X, Z, atol=1e-12)
    np.testing.assert_allclose(rotation @ Y, X, atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


@pytest.mark.parametrize("right", [True, False])
def test_a_person_facing_the_camera_has_the_right_shoulder_on_the_left_of_the_image(right: bool):
    body = body_with_shoulder(np.array([0.0, 0.0, 1.0]), -Y, -Z, right)
    np.testing.assert_allclose(body.shoulder(right), [0, 0, 1], atol=1e-12)
    assert (body.chest[0] > 0) == right and body.chest[1] > 0
    np.testing.assert_allclose(body.rotation(), np.eye(3), atol=1e-12)


def test_gaps_to_a_body():
    body = Body(np.array([0.0, 0.0, 1.0]), -Y, -Z)
    ahead = body.at(0.0, -0.08, 0.14 + 0.05)  # 5 cm before the torso's middle
    np.testing.assert_allclose(body.gap(np.stack([ahead, body.at(0.0, -0.08, 0.07)])), [0.05, -0.07], atol=1e-9)


@pytest.mark.parametrize("right", [True, False])
def test_the_balls_of_an_arm_lie_in_its_mesh(right: bool):
    """Every ball's middle within the mesh's bounds, every fingertip on a ball, none much thicker than a forearm."""
    arm = sample_arm(np.random.default_rng(4), right, holding=False)
    vertices = arm.parts[0].mesh[0]
    assert (arm.balls > vertices.min(axis=0) - 0.002).all() and (arm.balls < vertices.max(axis=0) + 0.002).all()
    assert arm.radii.min() > 0.004 and arm.radii.max() < 0.07
    tips = np.linalg.norm(arm.joints[[4, 8, 12, 16, 20], None] - arm.balls, axis=2).min(axis=1)
    assert tips.max() < 1e-9


def test_things_keep_clear_of_balls():
    keep = Keep()
    mesh = primitives.box(np.array([0.2, 0.1, 0.1]))[0]
    assert keep.clear(mesh, np.eye(3), np.zeros(3))
    keep.add(np.array([[0.15, 0.0, 0.0]]), np.array([0.04]))
    assert keep.clear(mesh, np.eye(3), np.zeros(3))  # 5 cm from the face
    assert not keep.clear(mesh, np.eye(3), np.array([0.02, 0, 0]))
    assert keep.clear(mesh, about(Z, np.pi / 2), np.array([0.02, 0, 0]))
