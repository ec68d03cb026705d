"""The skinned hand: its asset, labels, axes, the thumb's saddle joint, mirror, size, people."""

import numpy as np
import pytest

from hand_pose_ros.skeleton import HAND21
from hand_pose_training.synthetic.arm import elbow, forearm_profile, sleeve_mesh
from hand_pose_training.synthetic.hand_mesh import (
    BONES,
    CAPSULES,
    FOREARM,
    METACARPALS,
    TIP_BONES,
    hand_faces,
    hand_model,
    posed_hand,
    saddle_joint,
)
from hand_pose_training.synthetic.poses import POSE_SIZE, bone_angles
from hand_pose_training.synthetic.shape import LENGTH_M, make_shape, mean_shape, sample_shape

STRAIGHT = np.zeros((BONES, 3))
MEAN = mean_shape()


def angle_at(joints: np.ndarray, before: str, at: str, after: str) -> float:
    """Degrees that a finger bends at a joint."""
    a, b, c = joints[HAND21.indices(before, at, after)]
    first, second = b - a, c - b
    return np.degrees(np.arccos(first @ second / np.linalg.norm(first) / np.linalg.norm(second)))


def posed(**degrees: float):
    """The mean hand, straight but for these pose parameters (p16=20: parameter 16 at 20 degrees)."""
    pose = np.zeros(POSE_SIZE)
    for name, value in degrees.items():
        pose[int(name[1:])] = np.radians(value)
    return posed_hand(bone_angles(pose), MEAN)


def test_mesh_is_closed_and_faces_outwards():
    faces, vertices = hand_faces(), MEAN.vertices
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there, back = set(map(tuple, edges)), set(map(tuple, edges[:, ::-1]))
    assert there == back and len(there) == len(edges)
    a, b, c = vertices[faces].transpose(1, 0, 2)
    volume = np.einsum("fi,fi->", a, np.cross(b, c)) / 6
    assert 0.0005 < volume < 0.0015  # hand and forearm, m^3
    assert 1500 < len(vertices) < 2500
    np.testing.assert_allclose(hand_model().bone_weights.sum(axis=1), 1)


def test_tip_labels_lie_3_mm_inside_the_skin_along_the_finger():
    hand = posed_hand(STRAIGHT, MEAN)
    for tip in TIP_BONES:
        along = hand.bone_positions[tip] - hand.bone_positions[tip - 1]
        along /= np.linalg.norm(along)
        offset = hand.vertices - hand.bone_positions[tip]
        ahead = offset @ along
        on_axis = np.linalg.norm(offset - ahead[:, None] * along, axis=1) < 0.009
        assert ahead[on_axis].max() == pytest.approx(0.003, abs=0.0005)


def test_joints_lie_in_the_flesh():
    hand = posed_hand(STRAIGHT, MEAN)
    for start in METACARPALS:
        for bone in (start + 1, start + 2, start + 3):
            axes = hand.bone_rotations[bone]
            offset = (hand.vertices - hand.bone_positions[bone]) @ axes
            ring = offset[(np.abs(offset[:, 2]) < 0.005) & (np.abs(offset[:, 0]) < 0.012) & (np.abs(offset[:, 1]) < 0.03)]
            back, palm = ring[:, 1].max(), -ring[:, 1].min()
            assert 0.3 < back / (back + palm) < 0.6


def test_zero_pose_has_straight_parallel_fingers_in_the_palms_plane():
    joints = posed().joints
    for finger in ("index", "middle", "ring", "little"):
        assert angle_at(joints, f"{finger}_mcp", f"{finger}_pip", f"{finger}_dip") < 0.1
        along = joints[HAND21.index(f"{finger}_tip")] - joints[HAND21.index(f"{finger}_mcp")]
        np.testing.assert_allclose(along / np.linalg.norm(along), (0, -1, 0), atol=0.01)


@pytest.mark.parametrize("finger", ["index", "middle", "ring", "little"])
def test_flexion_by_90_degrees_brings_every_finger_before_the_palm(finger):
    number = ["index", "middle", "ring", "little"].index(finger)
    mcp, tip = HAND21.indices(f"{finger}_mcp", f"{finger}_tip")
    bent = posed(**{f"p{4 * number + 1}": 90}).joints
    along = bent[tip] - bent[mcp]
    assert along[0] / np.linalg.norm(along) < -0.97  # the palm faces -x
    at_pip = posed(**{f"p{4 * number + 2}": 60}).joints
    assert angle_at(at_pip, f"{finger}_mcp", f"{finger}_pip", f"{finger}_dip") == pytest.approx(60, abs=0.1)


def test_abduction_moves_a_finger_to_the_thumb():
    tip = HAND21.index("index_tip")
    assert posed(p0=10).joints[tip, 2] < posed().joints[tip, 2] - 0.01  # the thumb is at -z


def test_saddle_joint_turns_about_axes_that_do_not_meet():
    saddle = 0.005, 0.005, 1.0, 0.0  # without lean: flexion about x 5 mm behind, abduction about y 5 mm before the middle
    rotation, head = saddle_joint(np.pi / 2, 0.0, 0.0, saddle)
    np.testing.assert_allclose(rotation @ (0, 0, -1), (0, -1, 0), atol=1e-12)
    np.testing.assert_allclose(head, (0, -0.005, 0.005), atol=1e-12)
    rotation, head = saddle_joint(0.0, np.pi / 2, 0.0, saddle)
    np.testing.assert_allclose(rotation @ (0, 0, -1), (-1, 0, 0), atol=1e-12)
    np.testing.assert_allclose(head, (0.005, 0, -0.005), atol=1e-12)
    np.testing.assert_allclose(saddle_joint(0.0, 0.0, 0.0, saddle)[1], 0, atol=1e-12)


def test_leaning_axes_pronate_the_thumb_by_17_degrees_over_the_whole_range():
    lean = np.radians(10.0)
    saddle = 0.005, 0.005, np.cos(lean), np.sin(lean)
    by_flexion, _ = saddle_joint(np.radians(50), 0.0, 0.0, saddle)
    by_abduction, _ = saddle_joint(0.0, np.radians(50), 0.0, saddle)
    turns = [np.arctan2(r[1, 0] - r[0, 1], r[0, 0] + r[1, 1]) for r in (by_flexion, by_abduction)]
    assert np.degrees(sum(turns)) == pytest.approx(17, abs=2)


def test_opposition_brings_the_thumbs_pad_to_the_fingers():
    at_ease, opposed = posed(), posed(p16=30, p17=35)
    tip = HAND21.index("thumb_tip")
    assert opposed.joints[tip, 2] > at_ease.joints[tip, 2] + 0.03  # across the palm
    assert opposed.joints[tip, 0] < at_ease.joints[tip, 0] - 0.01  # and out of it
    pad = -opposed.bone_rotations[3][:, 1]
    assert pad[0] > 0.3 and pad[0] > -at_ease.bone_rotations[3][0, 1] + 0.3  # the pad turns to the palm


def test_left_hand_is_the_mirror_image():
    angles = bone_angles(np.linspace(0, 0.5, POSE_SIZE))
    right, left = posed_hand(angles, MEAN), posed_hand(angles, MEAN, right=False)
    np.testing.assert_allclose(left.joints, right.joints * (1, 1, -1), atol=1e-12)
    np.testing.assert_allclose(left.vertices, right.vertices * (1, 1, -1), atol=1e-12)
    for hand in (left, right):
        np.testing.assert_allclose(np.linalg.det(hand.bone_rotations), 1, atol=1e-5)


def test_a_longer_hand_is_the_same_hand_larger():
    angles = bone_angles(np.linspace(0, 0.5, POSE_SIZE))
    larger = make_shape(np.zeros(len(hand_model().basis)), 0.209, np.ones((BONES, 3)))
    np.testing.assert_allclose(posed_hand(angles, larger).vertices, posed_hand(angles, MEAN).vertices * 1.1, atol=1e-7)
    np.testing.assert_allclose(larger.finger_radius_m, MEAN.finger_radius_m * 1.1)
    assert (MEAN.size, larger.size) == pytest.approx((1.0, 1.1))


def test_radii_are_those_of_the_skin():
    for number in (4, 7, 10, 13):  # the middle phalanges, whose skin is nearly a tube
        start, end = MEAN.bones[CAPSULES[number]]
        along = (end - start) / np.linalg.norm(end - start)
        offset = MEAN.vertices - (start + end) / 2
        off_axis = np.linalg.norm(offset - (offset @ along)[:, None] * along, axis=1)
        near = (np.abs(offset @ along) < 0.004) & (off_axis < 0.014)
        assert MEAN.radii_m[number] == pytest.approx(off_axis[near].mean(), rel=0.15)


def test_wrist_angle_moves_the_forearm_and_no_joint():
    bent = STRAIGHT.copy()
    bent[FOREARM, 0] = 0.8
    rest, flexed = posed_hand(STRAIGHT, MEAN), posed_hand(bent, MEAN)
    np.testing.assert_array_equal(rest.joints, flexed.joints)
    np.testing.assert_allclose(elbow(rest, MEAN), (0, MEAN.forearm_m, 0), atol=1e-6)
    assert elbow(flexed, MEAN) @ elbow(rest, MEAN) == pytest.approx(np.cos(0.8) * MEAN.forearm_m**2)
    end = flexed.vertices[MEAN.vertices[:, 1] > 0.2]
    assert np.linalg.norm(end.mean(axis=0) - elbow(flexed, MEAN)) < 0.02  # the skin goes along


def test_sleeve_encloses_the_forearm():
    hand = posed_hand(STRAIGHT, MEAN)
    vertices, _ = sleeve_mesh(hand, MEAN, np.random.default_rng(0))
    rim = vertices[:-2].reshape(6, 16, 3)
    for ring in rim:
        skin = hand.vertices[np.abs(hand.vertices[:, 1] - ring[0, 1]) < 0.008]
        if len(skin):
            assert (np.ptp(ring[:, [0, 2]], axis=0) > np.ptp(skin[:, [0, 2]], axis=0)).all()
    assert (np.diff(forearm_profile(MEAN)[:, 1]) > 0).all()  # wider to the elbow


def test_shapes_are_hands_of_people():
    rng = np.random.default_rng(0)
    shapes = [sample_shape(rng) for _ in range(200)]
    lengths = []
    for shape in shapes:
        joints = posed_hand(STRAIGHT, shape).joints
        lengths.append(np.linalg.norm(joints[HAND21.index("middle_tip")] - joints[0]) + 0.003)
    assert LENGTH_M == (0.145, 0.215)
    assert 0.140 < min(lengths) < 0.170 and 0.200 < max(lengths) < 0.222
    assert 0.178 < np.median(lengths) < 0.196
    index = np.array([shape.finger_radius_m[1] for shape in shapes])
    assert 0.0065 < index.min() < index.max() < 0.0125  # thickness 13 to 25 mm
    assert np.ptp(index) > 0.002
    assert all(0.011 < shape.palm_half_thickness_m < 0.025 for shape in shapes)
    assert all((shape.forearm_radii_m > 0.014).all() and (shape.forearm_radii_m < 0.045).all() for shape in shapes)


def test_held_out_people_are_others():
    model = hand_model()
    assert 16 <= model.held_out.sum() <= len(model.held_out) / 3
    assert len(np.unique(model.coefficients, axis=0)) == len(model.coefficients)
    kept, other = (sample_shape(np.random.default_rng(5), held_out=held_out) for held_out in (False, True))
    assert np.abs(kept.vertices - other.vertices).max() > 0.002
