"""Sequences of two hands: acts, continuity, what can be seen; and how ids are counted over them."""

import json

import numpy as np
import pytest
from rosbags.rosbag2 import Reader

from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.cli import main
from hand_pose_training.synthetic.arm import elbow
from hand_pose_training.synthetic.choreography import LEFT, RIGHT, Keyframes, Script, Stage, clasp, cross, hand_over, leave, touch
from hand_pose_training.synthetic.limbs import hand_balls
from hand_pose_training.synthetic.recording import TRUTH_TOPIC
from hand_pose_training.synthetic.renderer import Window
from hand_pose_training.synthetic.sensor import PERFECT
from hand_pose_training.synthetic.sequence import CAMERA, RATE_HZ, KnownHand, SequenceFrame
from hand_pose_training.synthetic.two_hands import DISTANCE_M, TwoHandSequence, demo_sequence, visible_share
from hand_pose_training.tracking import SequenceScore, summed

SEEDS = range(1, 9)
STAGE = Stage(np.array([0.0, 0.0, 0.5]), -1, 0.14, np.array([0.33, 0.25]))


def test_between_two_key_times_it_moves_with_the_least_jerk():
    path = Keyframes(1.0, np.array([0.0, 1.0]))
    path.add(3.0, np.array([1.0, 1.0]))
    path.hold(4.0)
    # 10 s^3 - 15 s^4 + 6 s^5 at s = 0.25 and 0.5
    np.testing.assert_allclose(path.at(1.5), [10 / 64 - 15 / 256 + 6 / 1024, 1.0])
    np.testing.assert_allclose([path.at(t)[0] for t in (0.0, 1.0, 2.0, 3.0, 3.5, 9.0)], [0, 0, 0.5, 1, 1, 1])


def path_of(act, seed=0):
    """(2, T, 3) positions of both hands, and the script."""
    script = Script(np.random.default_rng(seed), STAGE, 10.0, [act])
    times = np.arange(0, 6, 1 / RATE_HZ)
    return np.array([[path.at(t) for t in times] for path in script.positions]), script


@pytest.mark.parametrize("seed", range(5))
def test_each_act_does_what_it_is_called(seed):
    crossed, _ = path_of(cross, seed)
    order = crossed[RIGHT, :, 0] < crossed[LEFT, :, 0]  # the person's right hand is on the image's left
    assert order[0] and order[-1] and not order.all()
    passing = np.abs(crossed[RIGHT, :, 0] - crossed[LEFT, :, 0]).argmin()
    assert 0.09 < abs(crossed[RIGHT, passing, 2] - crossed[LEFT, passing, 2]) < 0.19
    for act in (touch, clasp):
        apart = np.linalg.norm(np.subtract(*path_of(act, seed)[0]), axis=1)
        assert apart[0] > 0.25 and 0.04 < apart.min() < 0.09 and apart[-1] > 0.2
    left, _ = path_of(leave, seed)
    outside = (np.abs(left[..., 0]) > STAGE.edge_m[0] + 0.1) | (left[..., 1] > STAGE.edge_m[1] + 0.1)
    assert sorted(outside.any(axis=1)) == [False, True] and not outside[:, [0, -1]].any()
    given, script = path_of(hand_over, seed)
    meeting = given[:, round(script.passed_s * RATE_HZ)]
    assert np.linalg.norm(meeting[RIGHT] - meeting[LEFT]) == pytest.approx(0.11, abs=0.002)


def test_the_known_hands_move_smoothly_and_keep_who_they_are():
    distances = []
    for seed in (1, 2, 3, 5):
        sequence = TwoHandSequence(seed)
        assert len(sequence) == 300
        scenes = [sequence.scene(k / RATE_HZ) for k in range(0, 300, 3)]
        assert all([hand.right for hand in scene.hands] == [True, False] for scene in scenes)
        joints = np.array([[hand.joints for hand in scene.hands] for scene in scenes])
        steps = np.linalg.norm(np.diff(joints.mean(axis=2), axis=0), axis=-1)  # of the middles, three frames
        assert 0.03 < steps.max() < 0.25
        assert np.linalg.norm(np.diff(joints, axis=0), axis=-1).max() < 0.4
        assert np.linalg.norm(joints[:, 0].mean(axis=1) - joints[:, 1].mean(axis=1), axis=1).min() < 0.18
        distances.append(joints[0, ..., 2].mean())
    assert DISTANCE_M[0] - 0.05 < min(distances) < 0.6 and max(distances) < 0.95


def placed(sequence: TwoHandSequence, time_s: float):
    """Both hands, their rotations and origins."""
    posed, rotations, origins = zip(*(sequence._placed(hand, time_s) for hand in (RIGHT, LEFT)))
    return posed, rotations, sequence._apart(posed, rotations, origins)


@pytest.mark.parametrize("egocentric", [False, True])
def test_palms_that_touch_look_at_each_other(egocentric: bool):
    sequence = TwoHandSequence(1, egocentric=egocentric)
    sequence._script = Script(np.random.default_rng(1), sequence._stage, 10.0, [touch])
    apart = [np.linalg.norm(np.subtract(*(path.at(t) for path in sequence._script.positions))) for t in np.arange(0, 5, 0.1)]
    _, rotations, _ = placed(sequence, 0.1 * int(np.argmin(apart)))
    palm = [rotation @ (-1.0, 0.0, 0.0) for rotation in rotations]  # x is out of the back of the hand
    to_left = sequence._stage.outward(LEFT)
    assert palm[RIGHT] @ to_left > 0.5 and palm[LEFT] @ to_left < -0.5


def test_ones_own_arms_come_from_beside_the_camera():
    sequence = TwoHandSequence(1, egocentric=True)
    for time_s in np.arange(0, 10, 0.5):
        posed, rotations, _ = placed(sequence, time_s)
        for hand in (RIGHT, LEFT):
            assert (rotations[hand] @ (elbow(posed[hand], sequence._shape) - posed[hand].joints[0]))[2] < -0.01


@pytest.mark.parametrize("seed", SEEDS)
def test_hands_do_not_go_through_each_other(seed: int):
    sequence = TwoHandSequence(seed)
    for time_s in np.arange(0, 10, 0.2):
        posed, rotations, origins = placed(sequence, time_s)
        balls, radii = zip(*(hand_balls(hand, sequence._shape) for hand in posed))
        right, left = (b @ r.T + o for b, r, o in zip(balls, rotations, origins))
        gaps = np.linalg.norm(right[:, None] - left, axis=2) - radii[RIGHT][:, None] - radii[LEFT]
        assert gaps.min() > -0.002


def test_everything_is_drawn_from_outside():
    """Meshes are closed: their volume is positive, negative where they are mirrored."""
    for vertices, faces, cull in TwoHandSequence(3, egocentric=False).scene(0.0).meshes:
        assert cull * np.linalg.det(vertices[faces] - vertices.mean(axis=0)).sum() > 0


def test_seeds_give_other_people_cameras_sensors_and_views():
    sequences = [TwoHandSequence(seed, held_out=held_out) for seed in SEEDS for held_out in (False, True)]
    assert {s.egocentric for s in sequences} == {False, True}
    assert len({s.camera for s in sequences}) == len(sequences) == len({s.scene(0).hands[0].joints.sum() for s in sequences})
    assert len({type(s._sensor) for s in sequences}) >= 3  # the held-out models, and the one that training has


def test_frames_depend_on_the_seed_and_their_number_alone():
    first = TwoHandSequence(4, camera=CAMERA, sensor=PERFECT)[20]
    again = TwoHandSequence(4, camera=CAMERA, sensor=PERFECT)[20]
    np.testing.assert_array_equal(again.depth_mm, first.depth_mm)
    assert [h.id for h in first.hands] == [1, 2] and [h.right for h in first.hands] == [True, False]
    with pytest.raises(IndexError, match="frame 300 of 300"):
        TwoHandSequence(4)[300]


def test_a_hand_that_can_be_seen_is_what_the_camera_sees_at_its_joints():
    for seed in (2, 5):
        sequence = TwoHandSequence(seed, camera=CAMERA, sensor=PERFECT)
        for k in range(0, 300, 50):
            frame = sequence[k]
            for hand in (h for h in frame.hands if h.visible > 0.95):
                x, y = np.round(CAMERA.project(hand.joints)).astype(int).T
                gap = hand.joints[:, 2] - frame.depth_mm[y.clip(0, 479), x.clip(0, 639)] / 1000
                assert 0 < np.median(gap) < 0.03


def test_what_is_hidden_or_out_of_the_image_is_known():
    sequence = TwoHandSequence(2, camera=CAMERA, sensor=PERFECT, egocentric=False, distance_m=(0.5, 0.5))
    window = Window.of_image(CAMERA)
    shares, offsets = [], []
    for k in range(0, 300, 4):
        scene = sequence.scene(k / RATE_HZ)
        buffer = scene.render(window)
        shares.append([visible_share(scene, hand, buffer) for hand in (0, 1)])
        pixels = np.array([CAMERA.project(hand.joints.mean(axis=0)) for hand in scene.hands])
        offsets.append(np.abs(pixels - (CAMERA.cx, CAMERA.cy)).max(axis=1) - (320, 240))
    shares, outside = np.array(shares), np.array(offsets).min(axis=1) > 0
    assert shares[0].min() > 0.8 and (shares.min(axis=0) < 0.9).all()  # both are hidden in part at some time
    assert (shares == 0).any()  # one leaves the image
    assert shares.max() <= 1 and (shares[~outside].max(axis=1) > 0.6).all()  # the one in front is always seen


def test_the_demos_recording_has_both_hands(tmp_path):
    assert main(["synth", "--recording", str(tmp_path / "two"), "--seed", "2", "--seconds", "0.1"]) == 0
    library = RosbagsLibrary("humble")
    with Reader(tmp_path / "two") as reader:
        messages = [library.deserialize(raw, c.msgtype) for c, _, raw in reader.messages() if c.topic == TRUTH_TOPIC]
    assert [[(h.id, h.side) for h in m.hands] for m in messages] == [[(1, 2), (2, 1)]] * 3
    known = demo_sequence(2, 0.1)[1].hands
    positions = [[(p.x, p.y, p.z) for p in hand.positions] for hand in messages[1].hands]
    np.testing.assert_allclose(positions, [hand.joints for hand in known])
    assert [hand.presence for hand in messages[1].hands] == pytest.approx([hand.visible for hand in known], abs=1e-6)


# -- how ids are counted

HERE = np.random.default_rng(0).normal(size=(21, 3)) * 0.03 + [0, 0, 0.5]
THERE = HERE + np.array([0.3, 0, 0])


def found(*hands):
    covariance, confidence = np.zeros((21, 6)), np.ones(21)
    return FrameResult(
        0, "c", tuple(Hand(i, k, side, 1.0, 1.0, j, covariance, confidence, HAND21) for k, (i, side, j) in enumerate(hands))
    )


def true(right_visible=1.0, left_visible=1.0):
    hands = KnownHand(1, True, HERE, right_visible), KnownHand(2, False, THERE, left_visible)
    return SequenceFrame(0.0, np.zeros((1, 1), np.uint16), hands)


def test_a_score_by_hand():
    score = SequenceScore(memory_frames=3)
    good = found((5, Side.RIGHT, HERE), (6, Side.LEFT, THERE + 0.003 * np.array([1, 0, 0])))
    score.add(true(), good)
    score.add(true(), found((6, Side.RIGHT, HERE), (5, Side.RIGHT, THERE)))  # both ids changed, one side wrong
    score.add(true(), found((6, Side.RIGHT, HERE)))  # one missed
    score.add(true(), found((6, Side.RIGHT, HERE), (5, Side.LEFT, THERE), (9, Side.LEFT, HERE + 0.2)))  # back, and a false one
    score.add(true(left_visible=0.1), found((6, Side.RIGHT, HERE), (5, Side.LEFT, THERE)))  # hardly seen: no false one
    for _ in range(2):
        score.add(true(left_visible=0.0), found((6, Side.RIGHT, HERE)))
    score.add(true(), found((6, Side.RIGHT, HERE), (7, Side.LEFT, THERE)))  # away for three frames: another id is a switch
    for _ in range(4):
        score.add(true(left_visible=0.0), found((6, Side.RIGHT, HERE)))
    score.add(true(), found((6, Side.RIGHT, HERE), (8, Side.LEFT, THERE)))  # away for four: it is not
    figures = score.figures()
    assert (figures["id_switches"], figures["fragmentations"], figures["returns_after_long_absence"]) == (3, 1, 1)
    assert (figures["true_hands"], figures["missed_hands"], figures["false_hands"], figures["wrong_sides"]) == (19, 1, 1, 1)
    assert figures["mean_error_mm"] == pytest.approx(3 / 18, abs=0.01)
    total = summed([score, score])
    assert (total["sequences"], total["id_switches"], total["mean_error_mm"]) == (2, 6, figures["mean_error_mm"])
    assert total["by_sequence"] == [figures, figures]


def test_a_model_is_tracked_through_a_sequence(tmp_path, capsys):
    """The shipped model on a real sequence, from the command line."""
    figures = tmp_path / "figures.json"
    assert main(["track", "--first", "2", "--sequences", "1", "--json", str(figures)]) == 0
    total = json.loads(figures.read_text())
    assert total["sequences"] == 1 and total["id_switches"] == 0 and total["true_hands"] > 500
    assert total["missed_hands"] < 0.1 * total["true_hands"] and total["mean_error_mm"] < 12
    assert "id switches                           0" in capsys.readouterr().out
    for option in ("--sequences", "--first"):
        assert main(["track", option, "0"]) == 2 and f"{option} 0: at least 1" in capsys.readouterr().err
