"""The runtime's grasp labels and pinches on the synthetic hand's poses, with the errors of a network."""

from collections import Counter

import numpy as np
import pytest

from hand_pose_ros.hand.bones import palm_coordinates
from hand_pose_ros.hand.grasp import openings
from hand_pose_ros.hand.grasp_label import LABELS, grasp_probabilities
from hand_pose_ros.hand.kinematics import hand_angles
from hand_pose_ros.live.parameters import Parameters
from hand_pose_training.synthetic.hand_mesh import posed_hand
from hand_pose_training.synthetic.poses import ANCHORS, bone_angles, jitter
from hand_pose_training.synthetic.shape import sample_shape

# What the model's anchors are called; the anchors that are left out are none of the six, or between two of them.
NAMED = {
    "open": ("open", "spread", "flat"),
    "pinch": ("pinch", "pinch_closed", "pinch_middle"),
    "tripod": ("tripod", "tripod_wide"),
    "power": ("power", "cup", "large_grasp"),
    "point": ("point", "gun"),
    "fist": ("fist", "fist_thumb_side", "thumbs_up"),
}
OTHERS = ("two", "three", "three_thumb", "four", "little", "horns", "call", "love", "bent", "hook")
JITTER, NOISE_M = 0.5, 0.004  # of the pose, in the model's own terms; of every coordinate of every joint


def answers(names: tuple[str, ...], count: int, seed: int) -> list[np.ndarray]:
    """Probabilities (7,) for hands around these anchors, of many shapes, as a network would see them."""
    rng = np.random.default_rng(seed)
    out = []
    for name in names:
        for _ in range(count):
            shape = sample_shape(rng)
            joints = posed_hand(bone_angles(jitter(ANCHORS[name], rng, JITTER)), shape).joints
            local = palm_coordinates(joints + rng.normal(size=(21, 3)) * NOISE_M, right=True)
            out.append(grasp_probabilities(local, hand_angles(local), np.full(21, NOISE_M**2)))
    return out


@pytest.fixture(scope="module")
def labelled() -> dict[str, list[np.ndarray]]:
    return {label: answers(names, 360 // len(names), seed=i) for i, (label, names) in enumerate(NAMED.items())}


def test_labels_of_the_models_grasps(labelled):
    right = {}
    for label, got in labelled.items():
        names = Counter((*LABELS, "none")[int(np.argmax(p))] for p in got)
        right[label] = names[label] / len(got)
        print(f"{label:7s} {right[label]:.0%} right: {dict(names.most_common())}")
    print(f"mean {np.mean(list(right.values())):.1%}")
    assert np.mean(list(right.values())) > 0.85
    assert min(right.values()) > 0.7


def test_the_anchors_themselves_have_their_label():
    rng = np.random.default_rng(0)
    for label, names in NAMED.items():
        for name in names:
            shape = sample_shape(rng)
            local = palm_coordinates(posed_hand(bone_angles(ANCHORS[name]), shape).joints, right=True)
            got = grasp_probabilities(local, hand_angles(local), np.full(21, 0.003**2))
            assert (*LABELS, "none")[int(np.argmax(got))] == label, (name, dict(zip((*LABELS, "none"), got.round(3))))


def test_probabilities_are_as_often_right_as_they_say(labelled):
    """Expected calibration error over ten bins of the likeliest label's probability."""
    best = np.array([(p.max(), (*LABELS, "")[int(np.argmax(p))] == label) for label, got in labelled.items() for p in got])
    bins = np.clip((best[:, 0] * 10).astype(int), 0, 9)
    parts = [(best[bins == b, 0].mean(), best[bins == b, 1].mean(), (bins == b).mean()) for b in range(10) if (bins == b).any()]
    for said, true, share in parts:
        print(f"says {said:.2f}, right {true:.2f} ({share:.0%} of the hands)")
    error = sum(share * abs(said - true) for said, true, share in parts)
    print(f"expected calibration error {error:.3f}")
    assert error < 0.08


def test_other_hands_are_mostly_none_of_the_six():
    got = answers(OTHERS, 60, seed=9)
    none = np.mean([int(np.argmax(p)) == len(LABELS) for p in got])
    print(f"{none:.0%} of other hands without a label; mean probability of none {np.mean([p[-1] for p in got]):.2f}")
    assert none > 0.6


def test_pinches_of_the_model_are_pinches_and_open_hands_are_none():
    rng = np.random.default_rng(1)
    parameters = Parameters()
    for name, finger in (("pinch", 0), ("pinch_closed", 0), ("pinch_middle", 1)):
        for _ in range(20):
            shape = sample_shape(rng)
            apart = openings(posed_hand(bone_angles(ANCHORS[name]), shape).joints)
            assert apart[finger] < parameters.pinch_enter_m, (name, apart)
    for name in ("open", "spread", "flat", "large_grasp"):
        shape = sample_shape(rng)
        assert openings(posed_hand(bone_angles(ANCHORS[name]), shape).joints).min() > parameters.pinch_leave_m
