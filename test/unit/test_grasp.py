"""Openings, the grasp's frame, pinches and labels, on hands whose fingertips are put where they are wanted."""

from itertools import pairwise

import numpy as np
import pytest
from known_hand import flat_hand
from test_kinematics import mirrored, posed, turned

from hand_pose_ros.hand.bones import ADULT
from hand_pose_ros.hand.frames import palm_pose
from hand_pose_ros.hand.grasp import grasp_frame, openings, pinching
from hand_pose_ros.hand.grasp_label import LABELS, grasp_label, grasp_probabilities
from hand_pose_ros.hand.kinematics import hand_angles
from hand_pose_ros.skeleton import HAND21

TIPS = {f: HAND21.index(f"{f}_tip") for f in ("thumb", "index", "middle", "ring", "little")}
WIDTH = 0.06


def gripping(width: float = WIDTH, *fingers: str) -> np.ndarray:
    """A flat hand, back to the camera and fingers up, whose thumb and these fingers have their tips 5 cm before the palm."""
    joints = flat_hand()
    middle = joints[HAND21.index("middle_mcp")] + [0, 0, 0.05]
    half = np.array([width / 2, 0, 0])
    joints[TIPS["thumb"]] = middle - half
    for finger in fingers or ("index",):
        joints[TIPS[finger]] = middle + half
    return joints


def test_openings_are_between_the_tips():
    joints = flat_hand()
    joints[TIPS["thumb"]] = joints[TIPS["index"]] + [0.03, 0.04, 0]
    assert openings(joints)[0] == pytest.approx(0.05)
    assert openings(joints)[3] == pytest.approx(np.linalg.norm(joints[TIPS["little"]] - joints[TIPS["thumb"]]))


def test_the_grasp_lies_between_thumb_and_finger():
    joints = gripping()
    got = grasp_frame(joints)
    assert got.width == pytest.approx(WIDTH, abs=2e-3)
    assert np.allclose(got.origin, (joints[TIPS["thumb"]] + joints[TIPS["index"]]) / 2, atol=2e-3)
    assert got.axes[:, 0] == pytest.approx([1, 0, 0], abs=0.03)  # closing: from the thumb, at the left, to the finger
    palm = palm_pose(joints, HAND21).center
    assert got.axes[:, 2] @ (got.origin - palm) > 0.04  # approach: out of the palm
    assert got.axes[:, 2] @ got.axes[:, 0] == pytest.approx(0, abs=1e-12)
    assert np.linalg.det(got.axes) == pytest.approx(1)


def test_two_fingers_share_the_grasp():
    joints = gripping(WIDTH, "index", "middle")
    joints[TIPS["index"], 1] -= 0.01
    joints[TIPS["middle"], 1] += 0.01
    got = grasp_frame(joints)
    assert got.origin[1] == pytest.approx(joints[TIPS["thumb"], 1], abs=1e-3)


def test_it_moves_and_turns_with_the_hand():
    rng = np.random.default_rng(0)
    joints = gripping()
    one = grasp_frame(joints)
    for _ in range(20):
        seed = rng.integers(1 << 30)
        moved = grasp_frame(turned(joints, np.random.default_rng(seed)))
        probe = np.vstack([one.origin, one.origin + 0.1 * one.axes.T])
        there = turned(probe, np.random.default_rng(seed))
        assert np.allclose(moved.origin, there[0]) and np.allclose(moved.axes, (there[1:] - there[0]).T / 0.1)


def test_a_left_hand_has_the_mirror_image():
    right, left = grasp_frame(gripping()), grasp_frame(mirrored(gripping()))
    assert np.allclose(left.origin, right.origin * (-1, 1, 1))
    assert np.allclose(left.axes[:, [0, 2]], right.axes[:, [0, 2]] * np.array([[-1], [1], [1]]))
    assert np.linalg.det(left.axes) == pytest.approx(1)  # so its y is the other way round


def test_closing_to_nothing_turns_the_frame_steadily():
    frames = [grasp_frame(gripping(width)) for width in np.linspace(0.03, 0.0, 121)]
    assert all(frame is not None for frame in frames)
    steps = [np.linalg.norm(a.axes - b.axes) for a, b in pairwise(frames)]
    assert max(steps) < 0.15
    assert frames[-1].width == pytest.approx(0, abs=1e-3)


def test_without_directions_there_is_no_grasp():
    joints = np.full((21, 3), 0.5)
    assert grasp_frame(joints) is None
    joints[TIPS["thumb"]] = np.nan
    assert grasp_frame(joints) is None
    line = np.linspace([0, 0, 0.5], [0.2, 0, 0.5], 21)  # closing and approach on one line
    assert grasp_frame(line) is None


def test_a_pinch_begins_near_and_ends_far():
    before = None
    seen = []
    for apart in (0.05, 0.03, 0.024, 0.03, 0.039, 0.041, 0.03, 0.02):
        before = pinching(np.array([apart, 0.1, 0.1, 0.1]), before, 0.025, 0.04)
        seen.append(bool(before[0]))
        assert not before[1:].any()
    assert seen == [False, False, True, True, True, False, False, True]


def probabilities(local: np.ndarray, deviation_m: float = 0.003) -> dict[str, float]:
    values = grasp_probabilities(local, hand_angles(local), np.full(21, deviation_m**2))
    assert values.sum() == pytest.approx(1)
    return dict(zip((*LABELS, ""), values))


STRAIGHT, CLOSED = (0, 5, 3), (82, 98, 60)


def fingers(index, middle, ring, little, **thumb: float) -> np.ndarray:
    angles = {
        f"{name}_{joint}_flexion": value
        for name, flexions in zip(("index", "middle", "ring", "little"), (index, middle, ring, little))
        for joint, value in zip(("mcp", "pip", "dip"), flexions)
    }
    return posed(**angles, **thumb)


def with_thumb_at(local: np.ndarray, *names: str, gap: float = 0.014) -> np.ndarray:
    """The hand with the thumb's tip beside the mean of these fingers' tips."""
    out = local.copy()
    out[TIPS["thumb"]] = out[[TIPS[n] for n in names]].mean(axis=0) - np.array([0, 0, gap])
    return out


CASES = {
    "open": fingers(STRAIGHT, STRAIGHT, STRAIGHT, STRAIGHT, thumb_cmc_flexion=-45, thumb_cmc_abduction=30),
    "fist": fingers(CLOSED, CLOSED, CLOSED, CLOSED, thumb_cmc_flexion=15, thumb_cmc_abduction=45),
    "point": fingers(STRAIGHT, CLOSED, CLOSED, CLOSED, thumb_cmc_flexion=15, thumb_cmc_abduction=45),
    "power": fingers((55, 65, 35), (58, 67, 35), (60, 68, 35), (60, 66, 35), thumb_cmc_abduction=65),
    "pinch": with_thumb_at(fingers((50, 48, 30), (25, 30, 15), (20, 25, 15), (18, 22, 10)), "index"),
    "tripod": with_thumb_at(fingers((54, 48, 30), (58, 50, 30), (66, 65, 40), (68, 68, 40)), "index", "middle"),
}


@pytest.mark.parametrize("label", LABELS)
def test_the_six_are_told_apart(label):
    got = probabilities(CASES[label])
    assert max(got, key=got.get) == label, got
    assert got[label] > 0.6, got
    name = grasp_label(np.array(list(got.values())))
    assert (name.name, name.confidence) == (label, pytest.approx(got[label]))


@pytest.mark.parametrize("label", LABELS)
def test_size_and_side_do_not_matter(label):
    assert probabilities(CASES[label] * 0.75)[label] == pytest.approx(probabilities(CASES[label])[label], abs=0.02)


def test_a_hand_that_is_badly_seen_has_no_sure_label():
    for label in LABELS:
        sure, unsure = probabilities(CASES[label], 0.002)[label], probabilities(CASES[label], 0.03)[label]
        assert unsure < sure and unsure < 0.75, label


def test_another_hand_has_no_label():
    horns = fingers(STRAIGHT, CLOSED, CLOSED, STRAIGHT, thumb_cmc_flexion=15, thumb_cmc_abduction=45)
    got = grasp_label(np.array(list(probabilities(horns).values())))
    assert got.name == "" and np.isnan(got.confidence)


def test_the_adult_hand_is_a_hand():
    assert ADULT.bases[2, 1] == ADULT.bases[2, 2] == 0 and ADULT.bases[1, 2] == ADULT.bases[4, 2]
