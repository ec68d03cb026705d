"""The runtime's joint angles on hands of the synthetic model, which bends skin and bones its own way."""

import numpy as np
import pytest

from hand_pose_ros.hand.bones import measured_bones, palm_coordinates
from hand_pose_ros.hand.kinematics import ANGLE_NAMES, hand_angles, hand_joints, not_representable
from hand_pose_training.synthetic.hand_mesh import posed_hand
from hand_pose_training.synthetic.poses import ANCHORS, bone_angles, sample_pose
from hand_pose_training.synthetic.shape import sample_shape

POSES = 400


@pytest.fixture(scope="module")
def hands() -> list[np.ndarray]:
    """(21, 3) in palm coordinates: every anchor and as many sampled poses, each of another shape, every other a left hand."""
    rng = np.random.default_rng(0)
    poses = [*ANCHORS.values(), *(sample_pose(rng) for _ in range(POSES))]
    out = []
    for i, pose in enumerate(poses):
        shape, right = sample_shape(rng), bool(i % 2)
        out.append(palm_coordinates(posed_hand(bone_angles(pose), shape, right=right).joints, right=right))
    return out


def test_angles_and_back_give_the_joints(hands):
    missed = np.array([not_representable(local, hand_angles(local)) for local in hands])
    print(f"missed: {np.percentile(missed * 1e3, (50, 95, 99, 100)).round(2)} mm (p50, p95, p99, max)")
    assert missed.max() < 2e-3


def test_flexion_of_fingers_follows_the_poses_parameters():
    """The model's angles count from its own axes, so they agree up to a constant: their changes are compared."""
    rng = np.random.default_rng(1)
    shape = sample_shape(rng)
    base = ANCHORS["relaxed"].copy()
    for finger, name in enumerate(("index", "middle", "ring", "little")):
        for parameter, joint in ((1, "mcp"), (2, "pip"), (3, "dip")):
            values = []
            for change in (0.0, 0.4):
                pose = base.copy()
                pose[4 * finger + parameter] += change
                local = palm_coordinates(posed_hand(bone_angles(pose), shape).joints, right=True)
                values.append(hand_angles(local)[ANGLE_NAMES.index(f"{name}_{joint}_flexion")])
            assert values[1] - values[0] == pytest.approx(0.4, abs=0.05), (name, joint)


def test_noise_in_the_joints_gives_noise_in_the_angles(hands):
    """3 mm in every coordinate, as of a network: flexion stays within a few degrees, whatever the pose."""
    rng = np.random.default_rng(2)
    flexion = [i for i, n in enumerate(ANGLE_NAMES) if n.endswith("flexion")]
    errors = []
    for local in hands[:200]:
        noisy = palm_coordinates(local + rng.normal(size=(21, 3)) * 0.003, right=True)
        errors.append((hand_angles(noisy) - hand_angles(local))[flexion])
    errors = np.degrees(np.abs((np.array(errors) + np.pi) % (2 * np.pi) - np.pi))
    print("median error of flexion:", dict(zip([ANGLE_NAMES[i] for i in flexion], np.median(errors, axis=0).round(1))))
    assert np.median(errors) < 9


def test_a_hand_of_another_size_takes_the_pose(hands):
    """Forward kinematics with other bones: the angles are those that it was given."""
    bones = measured_bones(hands[0])
    for local in hands[:50]:
        angles = hand_angles(local)
        again = hand_angles(palm_coordinates(hand_joints(angles, bones), right=True))
        assert np.degrees(np.median(np.abs(again - angles))) < 2
