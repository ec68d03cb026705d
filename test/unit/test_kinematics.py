"""Joint angles, against hands whose angles are known by hand."""

import time
from itertools import pairwise

import numpy as np
import pytest
from known_hand import flat_hand

from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.hand.bones import ADULT, HandGeometryError, measured_bones, palm_coordinates
from hand_pose_ros.hand.kinematics import ANGLE_NAMES, THUMB_COUPLING, hand_angles, hand_joints, not_representable
from hand_pose_ros.skeleton import HAND21

FINGERS = ("index", "middle", "ring", "little")


def degrees(joints: np.ndarray, right: bool = True) -> dict[str, float]:
    return dict(zip(ANGLE_NAMES, np.degrees(hand_angles(palm_coordinates(joints, right=right)))))


def posed(**angles: float) -> np.ndarray:
    """Joints in palm coordinates of the adult's hand with these angles in degrees, all others zero."""
    return hand_joints(np.radians([angles.get(name, 0.0) for name in ANGLE_NAMES]), ADULT)


def random_angles(rng: np.random.Generator) -> np.ndarray:
    """Angles in radians of a hand whose fingers are all bent."""
    values = np.empty(26)
    for i, name in enumerate(ANGLE_NAMES):
        hinge = name.endswith(("pip_flexion", "dip_flexion", "ip_flexion"))
        low, high = {"flexion": (35, 75) if hinge else (-20, 80)}.get(name.rpartition("_")[2], (-12, 12))
        values[i] = np.radians(rng.uniform(low, high))
    values[ANGLE_NAMES.index("thumb_cmc_rotation")] = THUMB_COUPLING @ values[:2] + np.radians(rng.normal() * 5)
    return values


def turned(joints: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    quaternion = rng.normal(size=4)
    return RigidTransform.from_quaternion(quaternion / np.linalg.norm(quaternion), rng.normal(size=3)).points(joints)


def mirrored(joints: np.ndarray) -> np.ndarray:
    return joints * (-1, 1, 1)


def test_names_have_side_less_joints_of_the_skeleton():
    assert len(set(ANGLE_NAMES)) == len(ANGLE_NAMES) == 26
    for name in ANGLE_NAMES:
        joint, _, kind = name.rpartition("_")
        assert joint in HAND21.joint_names and kind in ("flexion", "abduction", "rotation")
    for joint in HAND21.joint_names:
        if joint != "wrist" and not joint.endswith("tip"):
            assert f"{joint}_flexion" in ANGLE_NAMES


def test_a_flat_hand_has_no_angles():
    got = degrees(flat_hand())
    assert all(abs(got[n]) < 1e-9 for n in ANGLE_NAMES if not n.startswith("thumb")), got
    # Its thumb lies in the plane of the palm beside the index finger: the zero of the thumb.
    assert all(abs(got[n]) < 1e-9 for n in ANGLE_NAMES if n.startswith("thumb")), got


def test_a_bend_of_every_joint_by_90_degrees_and_by_30():
    for bend in (30, 90):
        got = degrees(flat_hand(np.radians(bend)))
        for finger in FINGERS:
            for joint in ("mcp", "pip", "dip"):
                assert got[f"{finger}_{joint}_flexion"] == pytest.approx(bend)
            assert got[f"{finger}_mcp_abduction"] == pytest.approx(0, abs=1e-9)
            assert got[f"{finger}_mcp_rotation"] == pytest.approx(0, abs=1e-9)


def test_bends_to_the_back_are_negative():
    got = degrees(flat_hand(np.radians(-10)))
    assert [got[f"index_{j}_flexion"] for j in ("mcp", "pip", "dip")] == pytest.approx([-10] * 3)


def test_abduction_is_away_from_the_middle_finger():
    joints = flat_hand()
    for finger, sign in (("index", -1), ("middle", -1), ("ring", 1), ("little", 1)):  # the picture's x: the thumb is left
        base, *others = (HAND21.index(f"{finger}_{j}") for j in ("mcp", "pip", "dip", "tip"))
        for k, joint in enumerate(others, start=1):
            joints[joint] = joints[base] + 0.03 * k * np.array([sign * np.sin(0.3), -np.cos(0.3), 0])
    got = degrees(joints)
    for finger in FINGERS:
        assert got[f"{finger}_mcp_abduction"] == pytest.approx(np.degrees(0.3))
        assert got[f"{finger}_mcp_flexion"] == pytest.approx(0, abs=1e-9)


def thumb(joints: np.ndarray, *directions: tuple[float, float, float]) -> np.ndarray:
    """The hand with thumb bones of 3 cm in these directions of the picture (x right, y down, z away; the hand shows its back)."""
    out = joints.copy()
    for name, direction in zip(("thumb_mcp", "thumb_ip", "thumb_tip"), directions):
        i = HAND21.index(name)
        out[i] = out[i - 1] + 0.03 * np.asarray(direction)
    return out


def test_the_thumbs_signs():
    s, c = np.sin(0.5), np.cos(0.5)
    across, out, held_out = (s, -c, 0), (0, -c, s), (-s, -c, 0)
    assert degrees(thumb(flat_hand(), across, across, across))["thumb_cmc_flexion"] == pytest.approx(np.degrees(0.5))
    assert degrees(thumb(flat_hand(), held_out, held_out, held_out))["thumb_cmc_flexion"] == pytest.approx(-np.degrees(0.5))
    got = degrees(thumb(flat_hand(), out, out, out))
    assert (got["thumb_cmc_abduction"], got["thumb_mcp_flexion"]) == (pytest.approx(np.degrees(0.5)), pytest.approx(0, abs=1e-6))
    # Bent within the plane of the palm at both joints, the nail is to the side: no rotation.
    got = degrees(thumb(flat_hand(), (0, -1, 0), across, (np.sin(1.2), -np.cos(1.2), 0)))
    assert got["thumb_mcp_flexion"] == pytest.approx(np.degrees(0.5))
    assert got["thumb_ip_flexion"] == pytest.approx(np.degrees(0.7))
    for name in ("thumb_cmc_flexion", "thumb_cmc_abduction", "thumb_cmc_rotation", "thumb_mcp_abduction"):
        assert got[name] == pytest.approx(0, abs=1e-6)
    # Bent towards the back of the hand: its pad would be turned to the fingers' pads.
    got = degrees(thumb(flat_hand(), (0, -1, 0), (s * 0.1, -np.sqrt(1 - 0.01 * s * s), 0), (s, -c, -0.3)))
    assert got["thumb_cmc_rotation"] > 20


def test_left_hands_have_the_angles_of_right_ones():
    rng = np.random.default_rng(1)
    for _ in range(50):
        joints = hand_joints(random_angles(rng), ADULT)
        left = palm_coordinates(mirrored(joints), right=False)
        assert np.allclose(left, palm_coordinates(joints, right=True), atol=1e-12)


def test_angles_do_not_depend_on_where_the_hand_is():
    rng = np.random.default_rng(2)
    for _ in range(50):
        joints = hand_joints(random_angles(rng), ADULT)
        a, b = (hand_angles(palm_coordinates(j, right=True)) for j in (joints, turned(joints, rng)))
        assert np.allclose(a, b, atol=1e-9)


def test_angles_and_back_round_trip():
    rng = np.random.default_rng(3)
    errors, angle_errors = [], []
    for _ in range(300):
        angles = random_angles(rng)
        local = palm_coordinates(turned(hand_joints(angles, ADULT), rng), right=True)
        again = hand_angles(local)
        errors.append(np.linalg.norm(hand_joints(again, measured_bones(local)) - local, axis=1).max())
        angle_errors.append(np.abs(again - angles).max())
    assert max(errors) < 2e-3, max(errors)
    assert np.median(errors) < 0.3e-3 and np.degrees(np.median(angle_errors)) < 3


def test_bones_are_measured_as_they_were_made():
    got = measured_bones(posed(index_pip_flexion=40, thumb_cmc_abduction=30))
    assert np.allclose(got.bases, ADULT.bases) and np.allclose(got.lengths, ADULT.lengths)


def test_a_finger_that_becomes_straight_keeps_its_frame():
    """The rotation falls back on zero smoothly: nothing jumps on the way through straight and beyond."""
    values = [
        hand_angles(posed(index_mcp_flexion=20, index_mcp_rotation=15, index_pip_flexion=pip, index_dip_flexion=0.6 * pip))
        for pip in np.linspace(60, -10, 281)
    ]
    steps = np.degrees(np.abs(np.diff(values, axis=0)))
    assert steps.max() < 1.5, dict(zip(ANGLE_NAMES, steps.max(axis=0)))
    index = [ANGLE_NAMES.index(n) for n in ("index_mcp_rotation", "index_pip_flexion")]
    bent, straight = np.degrees(values[0])[index], np.degrees(values[240])[index]
    assert bent == pytest.approx([15, 60], abs=0.5)
    assert straight == pytest.approx([0, 0], abs=1e-6)


def test_angles_change_as_little_as_the_joints_do():
    """A path through hands of all kinds: no jump between neighbours, as a singularity would give."""
    rng = np.random.default_rng(4)
    corners = [random_angles(rng) for _ in range(12)]
    previous = None
    for a, b in pairwise(corners):
        for share in np.linspace(0, 1, 60, endpoint=False):
            angles = hand_angles(hand_joints((1 - share) * a + share * b, ADULT))
            assert previous is None or np.degrees(np.abs(angles - previous)).max() < 8
            previous = angles


def test_what_hinges_cannot_do_is_told_in_metres():
    local = posed(index_pip_flexion=40)
    assert not_representable(local, hand_angles(local)).max() < 1e-6
    local = posed(index_pip_flexion=60, index_dip_flexion=50)
    tip = HAND21.index("index_tip")
    local[tip, 1] += 0.01  # sideways, out of the plane of the finger
    missed = not_representable(local, hand_angles(local))
    assert 0.002 < missed[tip] < 0.010
    assert missed[[0, 1, 5, 6, 12]] == pytest.approx(0, abs=1e-9)


def test_a_hand_without_a_palm_has_no_angles():
    for joints in (np.linspace([0, 0, 0.5], [0, 0.1, 0.5], 21), np.full((21, 3), np.nan)):
        with pytest.raises(HandGeometryError, match="no palm frame and no angles"):
            palm_coordinates(joints, right=True)


def test_joints_in_one_place_give_numbers():
    joints = flat_hand(0.3)
    joints[HAND21.indices("ring_pip", "ring_dip", "ring_tip", "thumb_mcp", "thumb_ip")] = joints[HAND21.index("ring_mcp")]
    assert np.isfinite(hand_angles(palm_coordinates(joints, right=True))).all()


def test_angles_of_a_hand_take_less_than_a_third_of_a_millisecond():
    joints, taken = flat_hand(0.4), []
    for _ in range(300):
        begin = time.perf_counter()
        hand_angles(palm_coordinates(joints, right=True))
        taken.append(time.perf_counter() - begin)
    assert min(taken) < 0.3e-3
