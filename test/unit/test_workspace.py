"""The box where hands count: itself, in the finder, and in the whole pipeline."""

import math

import numpy as np
import pytest
from scenes import CAMERA, blank, draw_hand
from tiny_model import write_tiny_model

from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.perception.localize import localize
from hand_pose_ros.perception.pipeline import Pipeline, PipelineSettings
from hand_pose_ros.perception.types import DepthFrame, PixelRegion
from hand_pose_ros.perception.workspace import Workspace

FRAME_NS = 33_000_000
INFINITE = math.inf
RIGHT_HALF = Workspace((0.0, -INFINITE, -INFINITE, INFINITE, INFINITE, INFINITE), RigidTransform.identity())
WHOLE = PixelRegion(-0.5, -0.5, 639.5, 479.5)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return load_engine(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def hand_at(x: float, depth=None) -> np.ndarray:
    depth = blank() if depth is None else depth
    draw_hand(depth, (x, 0.085, 0.5), (0, -1, 0), forearm_m=0)
    return depth


def frame(depth, index=0):
    return DepthFrame(depth, CAMERA, index * FRAME_NS, "camera")


def test_points_inside_and_outside():
    # The target frame is a robot's base: the camera 1 m above it looks straight down, its x to the base's x.
    down = RigidTransform.from_quaternion((1.0, 0.0, 0.0, 0.0), (0.0, 0.0, 1.0))
    above_the_table = Workspace((-0.3, -0.3, 0.02, 0.3, 0.3, 0.6), down)
    assert above_the_table.contains([0.0, 0.0, 0.7])  # 0.3 m above the base
    assert not above_the_table.contains([0.0, 0.0, 0.3])  # 0.7 m above
    assert not above_the_table.contains([0.0, 0.0, 0.99])  # 1 cm above the table
    assert above_the_table.contains([0.0, 0.0, 0.99], margin_m=0.05)
    inside = above_the_table.contains(np.array([[[0.29, 0, 0.7], [0.31, 0, 0.7]], [[0, 0.29, 0.7], [0, 0.31, 0.7]]]))
    assert inside.tolist() == [[True, False], [True, False]]


def test_open_sides():
    assert RIGHT_HALF.contains([5.0, -100.0, 3.0]) and not RIGHT_HALF.contains([-0.01, 0.0, 1.0])


@pytest.mark.parametrize(
    "box, said",
    [
        ((0, 0, 0, 1, -1, 1), "from y 0.0 to -1.0 m is empty: y_min must be less than y_max"),
        ((0, 0, math.nan, 1, 1, 1), "from z nan to 1.0 m"),
        ((0, 0, 0, 1), "of 4 numbers: give x_min"),
    ],
)
def test_boxes_without_inside(box, said):
    with pytest.raises(ValueError, match=said):
        Workspace(box, RigidTransform.identity())


def test_the_finder_keeps_its_places_for_what_is_inside():
    both = hand_at(0.15, hand_at(-0.15))
    assert sorted(np.sign(c.center[0]) for c in localize(both, CAMERA, max_candidates=2)) == [-1, 1]
    for _ in range(2):
        (candidate,) = localize(both, CAMERA, max_candidates=1, workspace=RIGHT_HALF)
        assert candidate.center[0] == pytest.approx(0.15, abs=0.04)
    assert localize(hand_at(-0.15), CAMERA, workspace=RIGHT_HALF) == []


def test_a_crowd_outside_does_not_hide_the_hand_inside():
    depth = blank()
    for x in (-0.30, -0.17, -0.04):
        for y, behind_m in ((-0.05, 0.0), (0.2, 0.12)):
            draw_hand(depth, (x, y, 0.6 - 0.25 * abs(x) + behind_m), (0, -1, 0), forearm_m=0)
    hand = draw_hand(depth, (0.4, 0.1, 0.9), (0, -1, 0), forearm_m=0)
    assert all(c.center[0] < 0 for c in localize(depth, CAMERA, max_candidates=6))
    box = Workspace((0.1, -INFINITE, -INFINITE, INFINITE, INFINITE, INFINITE), RigidTransform.identity())
    (candidate,) = localize(depth, CAMERA, workspace=box)
    assert np.linalg.norm(candidate.center - hand) < 0.04


@pytest.mark.parametrize("regions", [None, (WHOLE,)], ids=["finder", "detector"])
def test_hands_outside_are_not_taken_up_and_the_network_does_not_run(engine, regions):
    pipeline = Pipeline(engine, PipelineSettings(max_hands=2))
    result = pipeline.process(frame(hand_at(-0.15)), regions=regions, workspace=RIGHT_HALF)
    assert result.hands == () and result.stage_ms["network"] == 0
    result = pipeline.process(frame(hand_at(0.15, hand_at(-0.15)), 1), regions=regions, workspace=RIGHT_HALF)
    assert [h.joints[:, 0].mean() for h in result.hands] == [pytest.approx(0.15, abs=0.02)]


def test_a_hand_that_leaves_is_lost_and_one_that_comes_back_soon_is_the_same(engine):
    pipeline = Pipeline(engine, PipelineSettings(lost_frames=3))
    xs = [0.06, 0.03, -0.03, 0.03, -0.03, -0.06, -0.09, -0.06, 0.03]
    results = [pipeline.process(frame(hand_at(x), i), workspace=RIGHT_HALF) for i, x in enumerate(xs)]
    assert [[h.id for h in r.hands] for r in results] == [[1], [1], [], [1], [], [], [], [], [2]]


def test_without_a_workspace_hands_are_found_everywhere(engine):
    assert len(Pipeline(engine).process(frame(hand_at(-0.15))).hands) == 1
