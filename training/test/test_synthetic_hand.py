"""The skinned hand: rest pose, labels, axes, mirror, scale."""

import numpy as np
import pytest

from hand_pose_ros.skeleton import HAND21
from hand_pose_training.synthetic.glb import read_skinned_mesh
from hand_pose_training.synthetic.hand_mesh import ASSET, BONES, FOREARM, TIP_BONES, hand_model, posed_hand
from hand_pose_training.synthetic.poses import POSE_SIZE, bone_angles
from hand_pose_training.synthetic.shape import sample_shape

REST, UNIT = np.zeros((BONES, 3)), np.ones((BONES, 3))
PIP, DIP = 7, 8  # bones of the index finger


def angle_at(joints: np.ndarray, before: str, at: str, after: str) -> float:
    """Degrees that a finger bends at a joint."""
    a, b, c = joints[HAND21.indices(before, at, after)]
    first, second = b - a, c - b
    return np.degrees(np.arccos(first @ second / np.linalg.norm(first) / np.linalg.norm(second)))


def test_mesh_is_read_whole():
    mesh = read_skinned_mesh(ASSET)
    assert mesh.vertices.shape == (1360, 3) and mesh.faces.shape == (2314, 3)
    assert mesh.joint_names[0] == "wrist" and len(mesh.joint_names) == 25
    np.testing.assert_allclose(mesh.weights.sum(axis=1), 1, atol=1e-6)


def test_file_that_is_no_glb_is_refused(tmp_path):
    (tmp_path / "hand.glb").write_bytes(b"not a mesh at all")
    with pytest.raises(ValueError, match=r"hand\.glb is no binary glTF"):
        read_skinned_mesh(tmp_path / "hand.glb")


def test_rest_pose_is_the_mesh_with_the_wrist_at_the_origin():
    model = hand_model()
    wrist = np.linalg.inv(model.inverse_bind[0])[:3, 3]
    np.testing.assert_allclose(posed_hand(REST, UNIT).vertices, model.vertices - wrist, atol=1e-9)


def test_tip_labels_lie_3_mm_inside_the_skin_along_the_finger():
    hand = posed_hand(REST, UNIT)
    for tip in TIP_BONES:
        along = hand.bone_positions[tip] - hand.bone_positions[tip - 1]
        along /= np.linalg.norm(along)
        offset = hand.vertices - hand.bone_positions[tip]
        ahead = offset @ along
        on_axis = np.linalg.norm(offset - ahead[:, None] * along, axis=1) < 0.006
        assert ahead[on_axis].max() == pytest.approx(0.003, abs=1e-6)


def test_zero_pose_has_straight_fingers():
    joints = posed_hand(bone_angles(np.zeros(POSE_SIZE)), UNIT).joints
    for finger in ("index", "middle", "ring", "little"):
        assert angle_at(joints, f"{finger}_mcp", f"{finger}_pip", f"{finger}_dip") < 8  # the little finger is crooked sideways
        assert angle_at(joints, f"{finger}_pip", f"{finger}_dip", f"{finger}_tip") < 8


def test_flexion_bends_to_the_palm_and_abduction_to_the_thumb():
    straight = posed_hand(bone_angles(np.zeros(POSE_SIZE)), UNIT).joints
    pose = np.zeros(POSE_SIZE)
    pose[2] = np.radians(60)  # index pip
    bent = posed_hand(bone_angles(pose), UNIT).joints
    assert angle_at(bent, "index_mcp", "index_pip", "index_dip") == pytest.approx(60, abs=1)
    tip = HAND21.index("index_tip")
    assert bent[tip, 0] < straight[tip, 0] - 0.02  # the palm faces -x
    pose = np.zeros(POSE_SIZE)
    pose[0] = np.radians(10)
    assert posed_hand(bone_angles(pose), UNIT).joints[tip, 2] < straight[tip, 2] - 0.01  # the thumb is at -z


def test_left_hand_is_the_mirror_image():
    angles = bone_angles(np.linspace(0, 0.5, POSE_SIZE))
    right, left = posed_hand(angles, UNIT), posed_hand(angles, UNIT, right=False)
    np.testing.assert_allclose(left.joints, right.joints * (1, 1, -1), atol=1e-12)
    np.testing.assert_allclose(left.vertices, right.vertices * (1, 1, -1), atol=1e-12)
    for hand in (left, right):
        np.testing.assert_allclose(np.linalg.det(hand.bone_rotations), 1, atol=1e-6)


def test_equal_scales_make_the_same_hand_larger():
    angles = bone_angles(np.linspace(0, 0.5, POSE_SIZE))
    np.testing.assert_allclose(posed_hand(angles, UNIT * 1.1).vertices, posed_hand(angles, UNIT).vertices * 1.1, atol=1e-9)


def test_wrist_angle_moves_the_forearm_and_no_joint():
    bent = REST.copy()
    bent[FOREARM, 0] = 0.8
    rest, flexed = posed_hand(REST, UNIT), posed_hand(bent, UNIT)
    np.testing.assert_array_equal(rest.joints, flexed.joints)
    assert np.abs(rest.vertices - flexed.vertices).max() > 0.005


def test_shapes_are_hands_of_people():
    rng = np.random.default_rng(0)
    lengths = []
    for _ in range(200):
        joints = posed_hand(bone_angles(np.zeros(POSE_SIZE)), sample_shape(rng)).joints
        lengths.append(np.linalg.norm(joints[HAND21.index("middle_tip")] - joints[0]) + 0.003)
    assert 0.145 < min(lengths) < 0.170 and 0.195 < max(lengths) < 0.225
    assert 0.175 < np.median(lengths) < 0.192
