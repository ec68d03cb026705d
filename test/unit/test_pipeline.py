"""Depth frames in, hands out, over time."""

import numpy as np
import pytest
from scenes import CAMERA, blank, draw_hand, draw_person
from tiny_model import CONFIDENCE, tiny_card, write_tiny_model

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.inference.engine import Engine, load_engine
from hand_pose_ros.perception.estimate import HandEstimator, StageClock
from hand_pose_ros.perception.localize import Candidate
from hand_pose_ros.perception.pipeline import STAGES, Pipeline, PipelineSettings
from hand_pose_ros.perception.types import DepthFrame, PixelRegion, Side

FRAME_NS = 33_000_000
NOTHING = blank()


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return load_engine(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def hand_at(x: float, y: float = 0.0, z: float = 0.5, depth=None) -> np.ndarray:
    """A hand without forearm whose middle is about (x, y, z): the tiny model then answers with its visible surface's mean."""
    depth = blank() if depth is None else depth
    draw_hand(depth, (x, y + 0.085, z), (0, -1, 0), forearm_m=0)
    return depth


def frames(*images, start: int = 0):
    return [DepthFrame(d, CAMERA, (start + i) * FRAME_NS, "camera") for i, d in enumerate(images)]


def test_one_frame(engine):
    result = Pipeline(engine).process(DepthFrame(hand_at(0.05), CAMERA, 123, "camera_depth_optical_frame"))
    assert (result.stamp_ns, result.frame_id) == (123, "camera_depth_optical_frame")
    assert set(result.stage_ms) == set(STAGES)
    assert all(result.stage_ms[s] > 0 for s in STAGES)
    (hand,) = result.hands
    assert (hand.id, hand.slot, hand.side) == (1, 0, Side.UNKNOWN)
    assert np.isnan(hand.side_probability)
    assert hand.presence == pytest.approx(CONFIDENCE)
    assert hand.joints.shape == (21, 3) and hand.covariance.shape == (21, 6) and hand.confidence.shape == (21,)
    assert hand.skeleton.name == "hand21"
    assert np.linalg.norm(hand.joints.mean(0) - [0.05, 0, 0.49]) < 0.02
    # Spread of a hand's surface: some centimetres across, about one in depth.
    assert (np.sqrt(hand.covariance[:, [0, 3]]) > 0.02).all() and (np.sqrt(hand.covariance[:, 5]) < 0.02).all()


def test_follows_a_moving_hand_without_searching(engine):
    pipeline = Pipeline(engine, PipelineSettings(max_hands=1))
    xs = np.linspace(-0.2, 0.2, 15)  # 0.87 m/s
    for i, frame in enumerate(frames(*[hand_at(x) for x in xs])):
        result = pipeline.process(frame)
        (hand,) = result.hands
        assert hand.id == 1
        assert abs(hand.joints[:, 0].mean() - xs[i]) < 0.02
        assert (result.stage_ms["localize"] > 0) == (i == 0)


def test_first_detection_is_centered_on_the_joints(engine):
    """One frame alone answers as the tracked one does."""
    image = hand_at(0.1, 0.05)
    pipeline = Pipeline(engine)
    hands = [pipeline.process(f).hands[0] for f in frames(*[image] * 4)]
    np.testing.assert_allclose(hands[0].joints, hands[3].joints, atol=2e-3)


def test_lost_and_found_again(engine):
    pipeline = Pipeline(engine, PipelineSettings(lost_frames=3))
    hand = hand_at(0.0)
    ids = [[h.id for h in pipeline.process(f).hands] for f in frames(hand, hand, NOTHING, NOTHING, hand, *[NOTHING] * 3, hand)]
    # Gone for two frames it is the same hand still, for three it is another; a lost hand is never published.
    assert ids == [[1], [1], [], [], [1], [], [], [], [2]]


def test_hand_that_jumps_within_a_frame_keeps_its_id(engine):
    pipeline = Pipeline(engine)
    results = [pipeline.process(f) for f in frames(hand_at(-0.15), hand_at(0.15), hand_at(0.15))]
    assert [[h.id for h in r.hands] for r in results] == [[1], [1], [1]]
    assert results[1].hands[0].joints[:, 0].mean() == pytest.approx(0.15, abs=0.02)


def test_two_hands(engine):
    both = hand_at(0.15, depth=hand_at(-0.15))
    one = Pipeline(engine, PipelineSettings(max_hands=1)).process(frames(both)[0])
    assert len(one.hands) == 1
    pipeline = Pipeline(engine, PipelineSettings(max_hands=2, lost_frames=1, search_every=3))
    seen = []  # a frame: (id, slot) -> "left" or "right" of the middle
    for frame in frames(both, both, hand_at(0.15), hand_at(0.15), *[both] * 4):
        hands = pipeline.process(frame).hands
        seen.append({(h.id, h.slot): "left" if h.joints[:, 0].mean() < 0 else "right" for h in hands})
    assert seen[0] == seen[1]
    assert sorted(seen[0]) == [(1, 0), (2, 1)] and sorted(seen[0].values()) == ["left", "right"]
    (kept,) = seen[2]
    assert seen[0][kept] == "right"  # stays, in its slot
    assert seen[2] == seen[3] == {kept: "right"}
    # A new id in the free slot, `search_every` frames and one later.
    assert seen[-1] == {kept: "right", (3, 1 - kept[1]): "left"}


def test_hands_that_cross_keep_their_ids(engine):
    """One passes 12 cm before the other."""
    pipeline = Pipeline(engine, PipelineSettings(max_hands=2))
    ids = []
    for frame, x in zip(frames(*[hand_at(x, z=0.5, depth=hand_at(-x, z=0.62)) for x in CROSSING]), CROSSING):
        hands = {h.id: h.joints.mean(axis=0) for h in pipeline.process(frame).hands}
        for center in hands.values():
            expected = (x, 0.5) if center[2] < 0.55 else (-x, 0.62)
            assert np.hypot(center[0] - expected[0], center[2] - expected[1]) < 0.05
        ids.append(tuple(sorted(hands, key=lambda i: hands[i][2])))  # the near one first
    assert ids[0] == ids[-1] and len(ids[0]) == 2
    assert set(ids) <= {ids[0], ids[0][:1]} and ids.count(ids[0][:1]) < 8  # the far one may be hidden for a while


def cover(pipeline):
    """Ten frames in which a hand at (-0.12, 0, 0.62) goes behind another, which is then at (-0.08, 0, 0.5)."""
    for frame in frames(*[hand_at(x, z=0.5, depth=hand_at(-0.12, z=0.62)) for x in np.linspace(0.15, -0.08, 10)]):
        hands = pipeline.process(frame).hands
    assert {h.id for h in hands} >= {1}


def covered(engine, settings, frames_later):
    """The ids of the frames after a pipeline has lost its second hand behind the first."""
    pipeline = Pipeline(engine, settings)
    cover(pipeline)
    near = hand_at(-0.08, z=0.5)
    return [{h.id for h in pipeline.process(f).hands} for f in frames(*[near] * 3, *frames_later, start=10)]


def test_a_hand_behind_another_is_remembered_for_longer(engine):
    settings = PipelineSettings(max_hands=2, lost_frames=4)
    alone, both = hand_at(-0.08, z=0.5), hand_at(0.1, z=0.5, depth=hand_at(-0.12, z=0.62))
    for hidden_frames, expected in ((5, {1, 2}), (16, {1, 3})):
        ids = covered(engine, settings, [alone] * hidden_frames + [both] * 14)
        assert ids[: 3 + hidden_frames] == [{1}] * (3 + hidden_frames) and ids[-1] == expected


def test_a_hand_that_is_remembered_for_long_makes_room_for_a_new_one(engine):
    settings = PipelineSettings(max_hands=2, lost_frames=4)
    another = hand_at(-0.08, z=0.5, depth=hand_at(0.25, z=0.9))
    assert covered(engine, settings, [another] * 10)[-1] == {1, 3}


def test_a_hand_that_comes_back_does_not_make_room_for_a_new_one(engine):
    pipeline = Pipeline(engine, PipelineSettings(max_hands=2, lost_frames=4))
    cover(pipeline)
    came, back, near = (0.25, 0.0, 0.7), (-0.35, -0.2, 0.62), (-0.08, 0.0, 0.5)
    *hidden, last = frames(*[hand_at(*near)] * 8, hand_at(*came, hand_at(*back, hand_at(*near))), start=10)
    for frame in hidden:
        assert {h.id for h in pipeline.process(frame, regions=()).hands} == {1}
    regions = (box_around(came, score=0.9), box_around(back, score=0.5))
    hands = {h.id: h.joints.mean(axis=0) for h in pipeline.process(last, regions=regions).hands}
    assert set(hands) == {1, 2} and np.linalg.norm(hands[2] - back) < 0.05


def box_around(point, score: float) -> PixelRegion:
    (u, v), half = CAMERA.project(np.array(point)), CAMERA.fx * 0.1 / point[2]
    return PixelRegion(u - half, v - half, u + half, v + half, score)


def test_a_place_from_which_the_looks_walk_to_a_known_hand_does_not_keep_others_waiting(engine):
    class Finder:
        """Names first what is 11 cm beside the hand on the left, every time."""

        def find(self, depth, camera, **limits):
            return [Candidate(np.array([x, 0.0, 0.5]), 0.5) for x in (-0.04, 0.2)]

    pipeline = Pipeline(engine, PipelineSettings(max_hands=2, search_every=3), Finder())
    one, both = hand_at(-0.15), hand_at(0.2, depth=hand_at(-0.15))
    counts = [len(pipeline.process(frame).hands) for frame in frames(one, *[both] * 10)]
    assert counts[0] == 1 and counts[-1] == 2


@pytest.mark.parametrize("max_hands", [1, 2])
def test_of_doubtful_places_the_likeliest_are_taken_up_and_kept(max_hands):
    at = {0.3: 0.7, -0.3: 0.98, 0.1: 0.8, -0.1: 0.9}  # x: prior

    class Finder:
        def find(self, depth, camera, **limits):
            return [Candidate(np.array([x, 0.0, 0.5]), prior, prior) for x, prior in at.items()]

    image = blank()
    for x in at:
        image = hand_at(x, depth=image)
    doubtful = Scripted((*THREE, "presence"), presence=0.9, confidence=np.full(21, 0.45))
    pipeline = Pipeline(doubtful, PipelineSettings(max_hands=max_hands, search_every=3), Finder())
    for frame in frames(*[image] * 12):
        hands = pipeline.process(frame).hands
        assert [h.id for h in hands] == [1, 2][:max_hands]
        assert [h.joints[:, 0].mean() for h in hands] == pytest.approx([-0.3, -0.1][:max_hands], abs=0.03)


def test_what_could_not_be_kept_is_not_taken_up():
    class Sure:
        def find(self, depth, camera, **limits):
            return [Candidate(np.array([0.0, 0.0, 0.5]), 1.0, 1.0)]

    counts = {}
    for presence in (0.15, 0.25):
        engine = Scripted((*THREE, "presence"), presence=presence)
        counts[presence] = len(Pipeline(engine, detector=Sure()).process(frames(hand_at(0))[0]).hands)
    assert counts == {0.15: 0, 0.25: 1}  # keep_confidence is 0.2


CROSSING = np.linspace(-0.18, 0.18, 25)  # 0.45 m/s


def test_range_of_depths(engine):
    near, far = PipelineSettings(max_depth_m=0.4), PipelineSettings(min_depth_m=0.6)
    for settings in (near, far):
        assert Pipeline(engine, settings).process(frames(hand_at(0))[0]).hands == ()
    # A tracked hand that leaves the range is dropped, too.
    pipeline = Pipeline(engine, PipelineSettings(max_depth_m=0.55))
    counts = [len(pipeline.process(f).hands) for f in frames(*[hand_at(0, z=z) for z in (0.5, 0.53, 0.6, 0.6)])]
    assert counts == [1, 1, 0, 0]
    # What is nearer than the range is cut out of the crop: a gripper before the hand does not move the answer.
    image = hand_at(0.0, z=0.5)
    clean = Pipeline(engine, PipelineSettings(min_depth_m=0.45)).process(frames(image)[0]).hands[0]
    image[200:240, 330:380] = 0.42
    image[200:240, 330:380][hand_at(0.0, z=0.5)[200:240, 330:380] > 0] = 0.5
    again = Pipeline(engine, PipelineSettings(min_depth_m=0.45)).process(frames(image)[0]).hands[0]
    assert np.abs(again.joints - clean.joints).max() < 0.01


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_image_without_depth(engine, value):
    from hand_pose_ros.geometry.depth import clean_depth

    result = Pipeline(engine).process(frames(clean_depth(np.full((480, 640), value, np.float32)))[0])
    assert result.hands == ()
    assert result.stage_ms["network"] == 0


def test_same_frames_give_same_hands_and_reset_starts_anew(engine):
    def scene(x):
        depth = hand_at(x, z=0.5)
        draw_person(depth, (0.1, 0.0, 0.9))
        return depth

    images = frames(*[scene(x) for x in (-0.1, -0.08, 0.1, 0.12)])
    pipeline = Pipeline(engine)
    first = [pipeline.process(f) for f in images]
    pipeline.reset()
    second = [pipeline.process(f) for f in images]
    other = [p.process(f) for p in [Pipeline(engine)] for f in images]
    for a, b, c in zip(first, second, other):
        assert [h.id for h in a.hands] == [h.id for h in c.hands]
        for h, i, j in zip(a.hands, b.hands, c.hands):
            np.testing.assert_array_equal(h.joints, i.joints)
            np.testing.assert_array_equal(h.joints, j.joints)


class Scripted(Engine):
    """An engine that answers as told, for what the tiny model never says."""

    backend = "script"

    def __init__(self, outputs, **answers):
        self.card = tiny_card(outputs=outputs)
        self.answers = answers
        self.batches: list[int] = []

    def infer(self, inputs):
        n = len(inputs["depth_crop"])
        self.batches.append(n)
        base = {"joints": np.zeros((21, 3)), "covariance": np.zeros((21, 6)), "confidence": np.full(21, 0.8), **self.answers}
        return {k: np.stack([np.float32(base[k])] * n) for k in self.card.outputs}


THREE = ("joints", "covariance", "confidence")


def test_a_side_does_not_flip_through_one_bad_frame():
    engine = Scripted((*THREE, "right_side"), right_side=0.95)
    pipeline = Pipeline(engine, PipelineSettings(max_hands=1))
    sides = []
    for frame, right_side in zip(frames(*[hand_at(0)] * 30), [0.95] * 10 + [0.02] + [0.95] * 4 + [0.02] * 15):
        engine.answers["right_side"] = right_side
        sides += [hand.side for hand in pipeline.process(frame).hands]
    assert sides[:15] == [Side.RIGHT] * 15 and sides[-1] == Side.LEFT


def test_smoothing_holds_from_the_next_frame_on_and_is_off_by_default():
    engine = Scripted(THREE)
    pipeline = Pipeline(engine, PipelineSettings(max_hands=1))
    images = frames(*[hand_at(0)] * 12)
    plain = [pipeline.process(frame).hands[0].joints for frame in images[:4]]
    pipeline.configure(PipelineSettings(max_hands=1, smoothing=1.0))
    before = pipeline.process(images[4]).hands[0].joints
    engine.answers["joints"] = np.full((21, 3), [0.08, 0.0, 0.0])  # 10 mm to the side
    smooth = pipeline.process(images[5]).hands[0].joints
    pipeline.configure(PipelineSettings(max_hands=1))
    raw = pipeline.process(images[6]).hands[0].joints
    assert 0 < smooth[0, 0] - before[0, 0] < 0.005 < raw[0, 0] - before[0, 0]
    assert np.ptp([joints[0, 0] for joints in plain]) < 1e-6


def test_while_it_follows_something_doubtful_it_goes_on_looking():
    engine = Scripted(THREE, confidence=np.full(21, 0.9))
    pipeline = Pipeline(engine, PipelineSettings(max_hands=1, search_every=5))
    searched = []
    for i, frame in enumerate(frames(*[hand_at(0)] * 40)):
        if i == 10:
            engine.answers["confidence"] = np.full(21, 0.4)
        searched.append(pipeline.process(frame).stage_ms["localize"] > 0)
    assert not any(searched[1:10]) and 3 <= sum(searched[15:]) <= 6


def test_a_sure_hand_takes_the_place_of_something_doubtful():
    class SureOfWhole(Scripted):
        """Is not sure of what has holes."""

        def infer(self, inputs):
            outputs = super().infer(inputs)
            whole = (inputs["depth_crop"] < 1).mean(axis=(1, 2, 3)) > 0.17
            return outputs | {"confidence": np.where(whole, 0.9, 0.4)[:, None] * np.ones((1, 21), np.float32)}

    pipeline = Pipeline(SureOfWhole(THREE), PipelineSettings(max_hands=1, min_confidence=0.3, search_every=5))
    holes = hand_at(-0.2)
    holes[::3] = 0
    both = np.where(hand_at(0.2) > 0, hand_at(0.2), holes)
    results = [pipeline.process(frame).hands for frame in frames(*[holes] * 5, *[both] * 12)]
    assert {(hand.id, hand.joints[0, 0] < 0) for hands in results[:5] for hand in hands} == {(1, True)}
    assert [(hand.id, hand.joints[0, 0] > 0) for hand in results[-1]] == [(2, True)]
    assert all(len(hands) == 1 for hands in results)


def test_presence_and_side_of_the_model_are_used():
    frame = frames(hand_at(0))[0]
    left = Scripted((*THREE, "presence", "right_side"), presence=0.97, right_side=0.2)
    (hand,) = Pipeline(left).process(frame).hands
    assert hand.presence == pytest.approx(0.97)
    assert (hand.side, hand.side_probability) == (Side.LEFT, pytest.approx(0.8))
    right = Scripted((*THREE, "right_side"), right_side=0.9)
    (hand,) = Pipeline(right).process(frame).hands
    assert (hand.side, hand.side_probability) == (Side.RIGHT, pytest.approx(0.9))
    assert hand.presence == pytest.approx(0.8)
    absent = Scripted((*THREE, "presence"), presence=0.1)
    assert Pipeline(absent).process(frame).hands == ()


@pytest.mark.parametrize("name, shape", [("joints", (21, 3)), ("covariance", (21, 6)), ("confidence", (21,))])
def test_answers_that_are_not_finite_are_no_hands(name, shape):
    assert Pipeline(Scripted(THREE, **{name: np.full(shape, np.nan)})).process(frames(hand_at(0))[0]).hands == ()


def test_joints_beyond_what_a_wide_lens_maps_are_no_hand():
    """The lens's polynomial folds at the image's border: a pixel beyond has no ray."""
    camera = Camera(640, 480, 330.0, 330.0, 319.5, 239.5, (-0.28, 0.07, 0.0, 0.0, -0.008))
    frame = DepthFrame(np.full((480, 640), 0.5, np.float32), camera, 0, "camera")
    inside, border = camera.back_project(np.array([[400.0, 240.0], [600.0, 440.0]]), 0.5)
    joints = np.tile([0.9, 0.9, 0.0], (21, 1))
    estimator = HandEstimator(Scripted(THREE, joints=joints), 0.25, min_depth_m=0.1, max_depth_m=1.5)
    found = estimator.run(frame, [inside, border], [False, False], StageClock("crop", "network"))
    assert found[0] is not None and np.isfinite(found[0].joints).all()
    assert found[1] is None


def test_unsure_hand_is_kept_but_not_taken_up():
    sure, unsure = np.full(21, 0.8), np.full(21, 0.4)
    frame = frames(hand_at(0))[0]
    engine = Scripted(THREE, confidence=unsure)
    pipeline = Pipeline(engine, PipelineSettings(min_confidence=0.5, keep_confidence=0.3))
    assert pipeline.process(frame).hands == ()
    engine.answers["confidence"] = sure
    assert len(pipeline.process(frame).hands) == 1
    engine.answers["confidence"] = unsure
    assert len(pipeline.process(frame).hands) == 1


def test_badly_centered_crop_is_looked_at_again():
    engine = Scripted(THREE, joints=np.full((21, 3), [0.0, 0.0, 0.02]))
    pipeline = Pipeline(engine, PipelineSettings(recenter_m=0.03))
    for frame in frames(hand_at(0), hand_at(0)):
        engine.batches.clear()
        pipeline.process(frame)
    assert engine.batches == [1]  # 2.5 mm off: once is enough
    engine.answers["joints"] = np.full((21, 3), [0.4, 0.0, 0.0])  # 50 mm off
    engine.batches.clear()
    pipeline.process(frames(hand_at(0), start=2)[0])
    assert engine.batches == [1, 1]


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"max_hands": 0}, "max_hands 0"),
        ({"min_depth_m": 2.0}, "2.0 to 1.5 m are no range"),
        ({"smoothing": 1.5}, "smoothing 1.5 must be from 0"),
        ({"keep_confidence": 0.9}, "keep_confidence 0.9 must be at most min_confidence 0.5"),
    ],
)
def test_settings_that_make_no_sense(changes, said):
    with pytest.raises(ValueError, match=said):
        PipelineSettings(**changes)


def test_an_empty_scene_is_searched_less_often_after_a_while_and_a_hand_is_still_found_soon():
    engine = Scripted((*THREE, "presence"), presence=0.05)
    pipeline = Pipeline(engine)
    for frame in frames(*[hand_at(0)] * 30):
        pipeline.process(frame)
    assert len(engine.batches) == 30  # what looks like nothing is not looked at twice
    for frame in frames(*[hand_at(0)] * 30, start=30):
        pipeline.process(frame)
    assert len(engine.batches) == 40
    engine.answers["presence"] = 0.95
    found = [len(pipeline.process(frame).hands) for frame in frames(*[hand_at(0)] * 3, start=60)]
    assert sum(found) >= 1 and found[-1] == 1
