"""The running estimate of a hand's sizes, and joints that are held to it."""

import numpy as np
import pytest
from test_kinematics import mirrored, posed, random_angles, turned

from hand_pose_ros.hand.bone_lengths import BoneEstimate
from hand_pose_ros.hand.bones import ADULT, HandBones, measured_bones, palm_coordinates
from hand_pose_ros.hand.kinematics import hand_joints
from hand_pose_ros.skeleton import HAND21

SURE, DOUBTFUL = 0.002**2, 0.02**2
TIP = HAND21.index("index_tip")


def learned(frames: int = 60, noise_m: float = 0.003, seed: int = 0) -> BoneEstimate:
    rng = np.random.default_rng(seed)
    estimate = BoneEstimate()
    for _ in range(frames):
        local = hand_joints(random_angles(rng), ADULT) + rng.normal(size=(21, 3)) * noise_m
        estimate.add(palm_coordinates(local, right=True), np.full(21, noise_m**2))
    return estimate


def test_one_frame_is_taken_as_it_is():
    estimate = BoneEstimate()
    estimate.add(posed(index_pip_flexion=40), np.full(21, SURE))
    assert np.allclose(estimate.bones.lengths, ADULT.lengths) and np.allclose(estimate.bones.bases, ADULT.bases)
    assert estimate.frames == 1


def test_the_mean_of_many_frames_is_better_than_one():
    rng = np.random.default_rng(1)
    one = measured_bones(hand_joints(random_angles(rng), ADULT) + rng.normal(size=(21, 3)) * 0.003)
    many = learned(200).bones
    assert np.abs(many.lengths - ADULT.lengths).mean() < np.abs(one.lengths - ADULT.lengths).mean() / 3
    assert np.abs(many.lengths - ADULT.lengths).max() < 0.0015


def test_a_doubtful_joint_hardly_counts():
    estimate = BoneEstimate()
    estimate.add(posed(), np.full(21, SURE))
    longer = posed()
    longer[TIP] += [0.02, 0, 0]
    variance = np.full(21, SURE)
    variance[TIP] = DOUBTFUL
    estimate.add(longer, variance)
    # Weights are those of the bone's two ends: 1 / (2 SURE) and 1 / (SURE + DOUBTFUL).
    share = (1 / (SURE + DOUBTFUL)) / (1 / (SURE + DOUBTFUL) + (1 - 1 / 300) / (2 * SURE))
    assert estimate.bones.lengths[1, 2] == pytest.approx(ADULT.lengths[1, 2] + 0.02 * share)
    assert np.allclose(estimate.bones.lengths[2:], ADULT.lengths[2:])


def test_a_frame_that_is_far_off_counts_as_three_deviations():
    estimate = BoneEstimate()
    for _ in range(5):
        estimate.add(posed(), np.full(21, SURE))
    wrong = posed()
    wrong[TIP] += [0.5, 0, 0]
    estimate.add(wrong, np.full(21, SURE))
    assert estimate.bones.lengths[1, 2] - ADULT.lengths[1, 2] < 3 * np.sqrt(2 * SURE) / 5


def test_another_hand_is_learned_in_time():
    estimate = learned(300, 0.001)
    small = HandBones(ADULT.bases * 0.9, ADULT.lengths * 0.9)
    for _ in range(1500):
        estimate.add(hand_joints(np.zeros(26), small), np.full(21, SURE))
    assert np.allclose(estimate.bones.lengths, small.lengths, atol=2e-4)


@pytest.mark.parametrize("right", [True, False])
def test_stabilized_joints_keep_the_lengths_and_the_directions(right):
    rng = np.random.default_rng(2)
    estimate = learned(200)
    known, settled = estimate.bones, estimate.frames / (estimate.frames + 10)
    for _ in range(20):
        local = hand_joints(random_angles(rng), ADULT) + rng.normal(size=(21, 3)) * 0.003
        joints = turned(local if right else mirrored(local), rng)
        still = estimate.stabilized(joints, 1.0)
        before, after = measured_bones(joints - joints[0]), measured_bones(still - still[0])
        assert np.allclose(after.lengths, before.lengths + settled * (known.lengths - before.lengths), atol=1e-9)
        for parent, child in HAND21.bone_indices:
            one, other = joints[child] - joints[parent], still[child] - still[parent]
            assert np.allclose(one / np.linalg.norm(one), other / np.linalg.norm(other))
        assert np.array_equal(still[0], joints[0])


def test_half_a_share_goes_half_the_way():
    estimate, joints = learned(200), posed(index_pip_flexion=30) * 1.1
    none, half, whole = (measured_bones(estimate.stabilized(joints, share)).lengths for share in (0.0, 0.5, 1.0))
    assert np.allclose(none, measured_bones(joints).lengths)
    assert np.allclose(half, (none + whole) / 2)


def test_lengths_jitter_less_when_stabilized():
    """What it is for: a network's noise along the bones goes, that across them stays."""
    rng = np.random.default_rng(3)
    estimate, base = learned(300), posed(index_pip_flexion=40)
    frames = [base + rng.normal(size=(21, 3)) * 0.003 for _ in range(100)]
    still = [estimate.stabilized(frame, 1.0) for frame in frames]
    raw, held = (np.std([measured_bones(f).lengths for f in fs], axis=0).mean() for fs in (frames, still))
    assert held < raw / 5
    errors = [np.linalg.norm(np.array(fs) - base, axis=2).mean() for fs in (frames, still)]
    assert errors[1] < errors[0] * 1.1
