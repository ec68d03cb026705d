"""Poses: ranges, anchors, pinches, self-penetration."""

import numpy as np
import pytest

from hand_pose_training.synthetic import poses
from hand_pose_training.synthetic.hand_mesh import CAPSULES, HandShape, PosedHand, hand_model, posed_hand
from hand_pose_training.synthetic.shape import mean_shape, sample_shape

MEAN = mean_shape()
_PHALANGES = 15  # the first of CAPSULES, three a finger from the thumb


def posed(pose: np.ndarray, shape: HandShape = MEAN) -> PosedHand:
    return posed_hand(poses.bone_angles(pose), shape)


def owners() -> np.ndarray:
    """(V,) the bone that moves each vertex alone or nearly so, -1 if none does."""
    model = hand_model()
    return np.where(model.bone_weights[:, 0] > 0.9, model.bone_ids[:, 0], -1)


def tip_vertices(hand: PosedHand, tip: int) -> np.ndarray:
    """The skin of a finger's last phalanx."""
    return hand.vertices[hand_model().bone_ids[:, 0] == tip - 1]


def deepest_vertex(hand: PosedHand, shape: HandShape) -> float:
    """How deep, in metres, any vertex of one finger lies inside another finger's flesh: by the skin, not by `penetration`."""
    deepest, owner = 0.0, owners()
    for number, (start, end) in enumerate(CAPSULES[:_PHALANGES]):
        finger = number // 3
        others = np.isin(owner, CAPSULES[:_PHALANGES][np.arange(_PHALANGES) // 3 != finger, 0])
        # The web joins the first phalanges of neighbours, and the thumb's ball lies at the palm.
        if number % 3 == 0:
            others &= ~np.isin(owner, CAPSULES[:_PHALANGES:3, 0])
        a, b = hand.bone_positions[[start, end]]
        points = hand.vertices[others]
        share = np.clip((points - a) @ (b - a) / ((b - a) @ (b - a)), 0, 1)
        distance = np.linalg.norm(points - a - share[:, None] * (b - a), axis=1)
        deepest = max(deepest, (shape.radii_m[number] - distance).max(initial=0.0))
    return deepest


@pytest.mark.parametrize("name", poses.ANCHORS)
def test_anchor_does_not_go_through_itself(name):
    assert poses.penetration(poses.ANCHORS[name]) < poses.MAX_PENETRATION_M
    np.testing.assert_allclose(poses.clip_to_ranges(poses.ANCHORS[name]), poses.ANCHORS[name])


@pytest.mark.parametrize(("anchor", "tips"), [("pinch_closed", [9]), ("pinch_middle", [14]), ("tripod", [9, 14]), ("pinch", [9])])
def test_pinches_meet(anchor, tips):
    hand = posed(poses.ANCHORS[anchor])
    thumb = tip_vertices(hand, 4)
    for tip in tips:
        gaps = np.linalg.norm(thumb[:, None] - tip_vertices(hand, tip), axis=2)
        assert gaps.min() < 0.008  # skin to skin
        pads = hand.bone_rotations[3][:, 1] @ hand.bone_rotations[tip - 1][:, 1]
        assert pads < 0.3  # the pads do not look the same way


def test_thumb_lies_on_the_fist():
    hand = posed(poses.ANCHORS["fist"])
    fingers = np.concatenate([hand.vertices[hand_model().bone_ids[:, 0] == bone] for bone in (7, 12)])
    gaps = np.linalg.norm(tip_vertices(hand, 4)[:, None] - fingers, axis=2)
    assert gaps.min() < 0.008
    assert hand.joints[4, 0] < hand.bone_positions[[7, 12], 0].max()  # before the fingers, on the palm's side


def test_penetration_sees_a_finger_through_its_neighbour():
    pose = poses.ANCHORS["flat"].copy()
    pose[0] = np.radians(-30)  # the index finger into the middle one
    assert poses.penetration(pose) > 0.008
    assert deepest_vertex(posed(pose), MEAN) > 0.004


def test_penetration_sees_a_thumb_through_the_palm():
    pose = poses.ANCHORS["open"].copy()
    pose[poses.THUMB] = np.radians([50, -20, 0, 40, 40, 0])
    assert poses.penetration(pose) > poses.MAX_PENETRATION_M


def test_penetration_is_of_the_shape_that_is_asked_for():
    thin = HandShape(**{**vars(MEAN), "radii_m": MEAN.radii_m - 0.001})
    fist = poses.ANCHORS["fist"]
    assert poses.penetration(fist, thin) == pytest.approx(poses.penetration(fist) - 0.002, abs=1e-9)


def test_sampled_poses_are_in_range_and_not_through_themselves():
    rng = np.random.default_rng(1)
    deepest = []
    for _ in range(300):
        shape = sample_shape(rng)
        pose = poses.sample_pose(rng, shape)
        np.testing.assert_array_equal(pose, poses.clip_to_ranges(pose))
        assert poses.penetration(pose, shape) < poses.MAX_PENETRATION_M
        deepest.append(deepest_vertex(posed(pose, shape), shape))
    assert np.mean(np.array(deepest) > 0.005) < 0.02
    assert max(deepest) < 0.008


def test_a_pose_near_another_is_not_through_itself_either():
    rng = np.random.default_rng(7)
    fist = poses.ANCHORS["fist"]
    plain = [poses.penetration(poses.jitter(fist, rng, 0.5)) for _ in range(40)]
    assert max(plain) > poses.MAX_PENETRATION_M  # noise alone does that
    for _ in range(40):
        shape = sample_shape(rng)
        pose = poses.sample_pose(rng, shape, fist)
        assert poses.penetration(pose, shape) < poses.MAX_PENETRATION_M
        assert np.abs(pose - fist)[:16].max() < np.radians(70)  # a thick hand's fist is not as tight, but no open hand


def test_segment_distance():
    x = np.array([1.0, 0, 0])
    zero = np.zeros(3)
    assert poses._segment_distance(zero, x, np.array([0.5, 2, 0]), np.array([0.5, 5, 0])) == pytest.approx(2)
    assert poses._segment_distance(zero, x, np.array([4.0, 4, 0]), np.array([4.0, 9, 0])) == pytest.approx(5)
    assert poses._segment_distance(zero, x, np.array([-1.0, 0, 3]), np.array([7.0, 0, 3])) == pytest.approx(3)
