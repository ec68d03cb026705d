"""Grasps: fingers close until their skin touches the thing, and nothing goes through anything."""

from dataclasses import replace

import numpy as np
import pytest

from hand_pose_training.synthetic import closing, grasp, grips, objects
from hand_pose_training.synthetic.hand_mesh import bone_positions, posed_hand
from hand_pose_training.synthetic.poses import ANCHORS, MAX_PENETRATION_M, bone_angles, clip_to_ranges, penetration
from hand_pose_training.synthetic.shape import sample_shape
from hand_pose_training.synthetic.solids import Body, Kind, Solid

# A finger of three phalanges, 40, 30 and 20 mm, along -y; it flexes about z, towards -x.
FINGER = np.array([(0, 0, 0), (0, -0.04, 0), (0, -0.07, 0), (0, -0.09, 0)])
AXES = np.tile([0.0, 0, -1.0], (3, 1))
RADII = np.full(3, 0.008)
NOTHING, RIGHT_ANGLE = np.zeros((0, 7)), np.full(3, np.pi / 2)


def close(body, rates=(1, 1, 1), obstacles=NOTHING):
    rates = np.array(rates, float)
    return closing._close(FINGER, AXES, RADII, rates, np.full(3, -0.5), RIGHT_ANGLE, body.packed(), obstacles)


def wall(x: float) -> Body:
    """A wall whose face is at x, in front of the finger's pad."""
    return Body((Solid(Kind.BOX, (0.05, 0.5, 0.5), center=np.array([x - 0.05, 0, 0])),))


def test_the_knuckle_turns_until_the_pad_touches():
    turned, end, touch = close(wall(-0.04), rates=(1, 0, 0))
    # The far end's skin reaches the wall where 90 mm * sin(turn) = 40 - 8 mm.
    assert np.degrees(turned[0]) == pytest.approx(np.degrees(np.arcsin(0.032 / 0.09)), abs=0.5)
    assert end[3, 0] == pytest.approx(-0.032, abs=closing.TOUCH_M)
    assert touch.tolist() == [False, False, True] and turned[1:].tolist() == [0, 0]


def test_what_has_touched_stops_and_the_rest_goes_on():
    post = Body((Solid(Kind.BOX, (0.005, 0.005, 0.1), center=np.array([-0.02, -0.02, 0])),))
    turned, _, touch = close(post)
    assert touch[0] and turned[0] < np.radians(30)  # the first phalanx lies on the post
    assert turned[1:] == pytest.approx([np.pi / 2] * 2)  # the others go around it, to their ends


def test_a_finger_that_starts_inside_opens_first():
    sunk = wall(0.0)  # 8 mm deep in the skin
    turned, _, _ = close(sunk, rates=(1, 0, 0))
    assert turned[0] < 0


def test_a_finger_stops_at_an_obstacle_without_touching():
    bar = np.array([[-0.03, -0.08, -0.1, -0.03, -0.08, 0.1, 0.005]])
    turned, end, touch = close(wall(-1.0), rates=(1, 0, 0), obstacles=bar)
    assert not touch.any() and 0 < turned[0] < np.radians(20)
    assert closing._obstacle_gap(end[2], end[3], 0.008, bar) == pytest.approx(0, abs=closing.TOUCH_M)


def test_gap_of_a_capsule_by_hand():
    capsule = np.array([[0, 0, 0, 0, -0.04, 0, 0.008]])
    np.testing.assert_allclose(closing.gaps(capsule, wall(-0.02).packed()), [0.012])
    far = wall(-0.02).packed()
    assert closing.advance(capsule, far, np.array([1.0, 0, 0]), 0.1) == pytest.approx(0.012, abs=closing.TOUCH_M)
    assert closing.gaps(capsule, far)[0] == pytest.approx(0, abs=closing.TOUCH_M)


@pytest.mark.parametrize("anchor", ["large_grasp", "tripod", "key"])
def test_measured_hinges_move_the_bones_as_the_hand_model_does(anchor):
    """Fingers to the last digit; the thumb, whose saddle joint turns it about more than one axis, for small turns."""
    shape = sample_shape(np.random.default_rng(0))
    pose = ANCHORS[anchor]
    around = closing.hinges(pose, shape)
    turns = np.radians([7.0, 10.0, 5.0])
    other = pose.copy()
    other[closing.FLEXIONS] += turns
    bones = bone_positions(bone_angles(other), shape)
    for finger in range(closing.FINGERS):
        out = np.empty((4, 3))
        closing._turn(around.bones[closing.CHAINS[finger]], around.axes[finger], turns, out)
        np.testing.assert_allclose(out, bones[closing.CHAINS[finger]], atol=0.002 if finger == 0 else 1e-6)


@pytest.mark.parametrize("held_out", [False, True])
def test_a_hundred_grasps_touch_and_do_not_sink_in(held_out):
    """Measured on the skin of the mesh, not on the capsules that the grasp was made with."""
    rng = np.random.default_rng(11)
    deepest, nearest, touching = [], [], []
    for _ in range(100):
        shape = sample_shape(rng, held_out)
        drawn = grasp.draw(rng, shape, held_out)
        np.testing.assert_allclose(drawn.pose, clip_to_ranges(drawn.pose), atol=1e-12)
        assert drawn.gaps.min() >= -grasp.DEEPEST_M and penetration(drawn.pose, shape) <= MAX_PENETRATION_M
        distances = drawn.held.body.distances(posed_hand(bone_angles(drawn.pose), shape).vertices)
        deepest.append(distances.min())
        nearest.append(np.abs(distances).min())
        touching.append((drawn.finger_gaps < grasp.CONTACT_M).sum())
    assert max(nearest) < 0.003  # the hand is on the thing
    assert min(deepest) > -0.008 and np.percentile(deepest, 10) > -0.0045 and abs(np.median(deepest)) < 0.002
    assert min(touching) >= 2 or sum(t < 2 for t in touching) < 3  # a hook or an index finger alone
    assert np.mean(touching) > 2.5


def test_every_grip_comes_off_with_some_of_its_families_and_few_tries_fail():
    rng = np.random.default_rng(2)
    tries, done = 0, set()
    for grip in grips.GRIPS:
        suited = [f for f in objects.families(False) if grasp._suits(f, grip)]
        for _ in range(25):
            family = suited[rng.integers(len(suited))]
            low, high = max(grip.width_m[0], family.width_m[0]), min(grip.width_m[1], family.width_m[1])
            if grasp.attempt(rng, sample_shape(rng), grip, family, rng.uniform(low, high)):
                done.add(grip.name)
                tries += 1
    assert done == {grip.name for grip in grips.GRIPS}
    assert tries > 0.5 * 25 * len(grips.GRIPS)


def test_held_out_grasps_hold_only_held_out_things():
    rng = np.random.default_rng(4)
    shape = sample_shape(rng)
    train = {grasp.draw(rng, shape).held.family for _ in range(60)}
    unseen = {grasp.draw(rng, shape, held_out=True).held.family for _ in range(30)}
    assert train <= {f.name for f in objects.families(False)} and len(train) > 12
    assert unseen <= {f.name for f in objects.families(True)} and len(unseen) > 3


def test_a_grasp_repeats_with_its_seed():
    def once():
        rng = np.random.default_rng(8)
        pose, held = grasp.sample_grasp(rng, sample_shape(rng))
        return pose, held.mesh()[0]

    (pose, vertices), (again, vertices_again) = once(), once()
    np.testing.assert_array_equal(pose, again)
    np.testing.assert_array_equal(vertices, vertices_again)


def test_a_reaching_hand_is_clear_of_the_thing_near_it():
    rng = np.random.default_rng(6)
    for _ in range(30):
        shape = sample_shape(rng)
        pose, held = grasp.sample_reach(rng, shape)
        distances = held.body.distances(posed_hand(bone_angles(pose), shape).vertices)
        assert -0.008 < distances.min() < 0.1


def test_a_shape_that_is_no_hand_is_said(monkeypatch):
    shape = sample_shape(np.random.default_rng(0))
    monkeypatch.setattr(grasp, "TRIES", 5)
    with pytest.raises(RuntimeError, match=r"no grasp in 5 tries with a hand of size .*in metres"):
        grasp.draw(np.random.default_rng(0), replace(shape, palm_half_thickness_m=1.0))
