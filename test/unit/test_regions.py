"""Hands in the boxes of a detector, and in no other place."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import CAMERA, add_noise, blank, draw_capsule, draw_hand, draw_person, draw_plane, draw_sphere
from tiny_model import write_tiny_model

from hand_pose_ros.bags.answer import answers
from hand_pose_ros.bags.replay import TRUTH_TOPIC
from hand_pose_ros.bags.source import open_source
from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.messages.read_hands import joints_of
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.perception.coarse import CoarseDepth
from hand_pose_ros.perception.pipeline import Pipeline, PipelineSettings
from hand_pose_ros.perception.regions import in_region, localize_in_regions
from hand_pose_ros.perception.types import DepthFrame, PixelRegion
from hand_pose_ros.perception.workspace import Workspace
from hand_pose_ros.share import find
from hand_pose_ros.skeleton import HAND21

REAL = Path(__file__).resolve().parents[3] / "shared/real_depth/sr305"
FRAME_NS = 33_000_000
WHOLE = PixelRegion(-0.5, -0.5, 639.5, 479.5)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return load_engine(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


@pytest.fixture(scope="module")
def shipped():
    return load_engine(Parameters().model_path())


def around(point, half_m: float, **changes) -> PixelRegion:
    """A square box around a point, half_m to each side at its distance."""
    (u, v), half = CAMERA.project(point), CAMERA.fx * half_m / point[2]
    return PixelRegion(u - half, v - half, u + half, v + half, **changes)


def hand_at(x: float, y: float = 0.0, z: float = 0.5, depth=None) -> np.ndarray:
    depth = blank() if depth is None else depth
    draw_hand(depth, (x, y + 0.085, z), (0, -1, 0), forearm_m=0)
    return depth


def process(pipeline, depth, index=0, **options):
    return pipeline.process(DepthFrame(depth, CAMERA, index * FRAME_NS, "camera"), **options)


def nearest(candidates, point) -> float:
    return min((float(np.linalg.norm(c.center - point)) for c in candidates), default=np.inf)


# -- the box in the coarse view


def test_the_window_holds_the_pixels_whose_centres_are_in_the_box():
    view = CoarseDepth.of(np.full((480, 640), 0.5, np.float32), CAMERA, 0.1, 1.5)
    assert view.step == 4  # its pixels are the image's 2, 6, 10, ...
    assert view.window(PixelRegion(5.5, -0.5, 14.5, 2.5)) == (slice(0, 1), slice(1, 4))
    assert view.window(WHOLE) == (slice(0, 120), slice(0, 160))
    assert view.window(PixelRegion(-50, -50, 1e6, 1e6)) == (slice(0, 120), slice(0, 160))
    rows, columns = view.window(PixelRegion(700, 10, 800, 20))
    assert columns.start == columns.stop == 160 and rows.start < rows.stop


def test_a_centre_may_lie_a_tenth_of_the_box_beside_it():
    region = PixelRegion(100, 100, 200, 300)
    at = lambda u, v: CAMERA.back_project(np.array([u, v]), 0.6)  # noqa: E731
    assert in_region(at(150, 200), CAMERA, region)
    assert in_region(at(91, 200), CAMERA, region) and not in_region(at(89, 200), CAMERA, region)
    assert in_region(at(150, 319), CAMERA, region) and not in_region(at(150, 321), CAMERA, region)


# -- places of hands


@pytest.mark.parametrize("half_m", [0.07, 0.11, 0.2])
def test_a_hand_before_a_person(half_m):
    depth = blank()
    draw_person(depth, (0.05, 0.0, 0.75))
    middle = draw_hand(depth, (-0.05, 0.1, 0.5), (0, -1, 0), forearm_m=0.25)
    candidates = localize_in_regions(add_noise(depth), CAMERA, [around(middle, half_m)])
    assert 1 <= len(candidates) <= 2
    assert nearest(candidates, middle) < 0.05


def test_wrong_pixels_and_specks_before_the_hand_do_not_count():
    depth = hand_at(0.0)
    clean = localize_in_regions(depth, CAMERA, [around((0, 0, 0.5), 0.12)])
    noisy = depth.copy()
    noisy[150:330:6, 230:410:6] = 0.2  # single pixels
    noisy[200:208, 300:312] = 0.25  # 8 x 12 pixels: 26 square millimetres of surface
    candidates = localize_in_regions(noisy, CAMERA, [around((0, 0, 0.5), 0.12)])
    assert abs(candidates[0].center[2] - clean[0].center[2]) < 0.02
    assert nearest(candidates, (0, 0, 0.5)) < 0.04


def test_a_hand_over_and_on_an_oblique_table():
    """The table's near edge is nearer than the hand."""
    normal = np.array([0.0, 0.707, 0.707])
    for off_m in (0.06, 0.0):
        depth = blank()
        draw_plane(depth, normal, 0.45)
        wrist = np.array([0.1, 0.0, 0.45 / 0.707]) - normal * off_m
        middle = draw_hand(depth, wrist, (-1, 0, 0), (0, -0.7, 0.7), forearm_m=0.4)
        candidates = localize_in_regions(add_noise(depth), CAMERA, [around(middle, 0.13)])
        assert nearest(candidates, middle) < 0.06  # half of it lies in the table


def test_two_boxes_two_hands_and_boxes_that_overlap():
    depth = hand_at(-0.15)
    draw_hand(depth, (0.15, 0.085, 0.7), (0, -1, 0), forearm_m=0)
    left, right = around((-0.15, 0, 0.5), 0.1), around((0.15, 0, 0.7), 0.1)
    candidates = localize_in_regions(depth, CAMERA, [left, right])
    assert [nearest(candidates, p) < 0.04 for p in ((-0.15, 0, 0.5), (0.15, 0, 0.7))] == [True, True]
    assert len(localize_in_regions(depth, CAMERA, [left] * 5)) == len(localize_in_regions(depth, CAMERA, [left]))
    # One box over both, the nearer one in front: its middle is no place between the two.
    assert nearest(localize_in_regions(depth, CAMERA, [WHOLE]), (-0.15, 0, 0.5)) < 0.04


@pytest.mark.parametrize(
    "region",
    [
        PixelRegion(700, 100, 800, 200),
        PixelRegion(-200, -300, -50, -100),
        PixelRegion(300, 200, 300, 200),
        PixelRegion(10, 10, 90, 90),
    ],
    ids=["right of the image", "left above", "no size", "nothing in it"],
)
def test_boxes_with_nothing_in_them(region):
    assert localize_in_regions(hand_at(0.0), CAMERA, [region]) == []


def test_a_box_that_reaches_beyond_the_image():
    depth = hand_at(0.28)  # at the right border
    u = CAMERA.project(np.array([0.28, 0, 0.5]))[0]
    candidates = localize_in_regions(depth, CAMERA, [PixelRegion(u - 80, 150, u + 400, 330)])
    assert nearest(candidates, (0.28, 0, 0.5)) < 0.04


def test_range_of_depths_and_workspace_leave_out_what_is_before_the_hand():
    depth = hand_at(0.0, z=0.6)
    draw_capsule(depth, (-0.055, -0.06, 0.3), (-0.055, 0.06, 0.3), 0.012)  # the robot's gripper, beside it in the image
    region = around((0, 0, 0.6), 0.14)
    in_the_way = localize_in_regions(depth, CAMERA, [region])
    assert in_the_way[0].center[2] < 0.35
    beyond = Workspace((-1, -1, 0.45, 1, 1, 2), RigidTransform.identity())
    for options in ({"min_depth_m": 0.4}, {"workspace": beyond}):
        candidates = localize_in_regions(depth, CAMERA, [region], **options)
        assert nearest(candidates, (0, 0, 0.6)) < 0.05 and all(c.center[2] > 0.45 for c in candidates)


def test_a_hand_that_is_known_is_not_looked_for_again():
    depth = hand_at(0.15, depth=hand_at(-0.15))
    candidates = localize_in_regions(depth, CAMERA, [WHOLE], known=[np.array([-0.15, 0, 0.5])])
    assert candidates and all(c.center[0] > 0.1 for c in candidates)


# -- the pipeline


def test_hands_are_taken_up_in_the_boxes_alone(engine):
    both = hand_at(0.15, depth=hand_at(-0.15))
    pipeline = Pipeline(engine, PipelineSettings(max_hands=2))
    assert process(pipeline, both, 0, regions=()).hands == ()
    assert process(pipeline, both, 1, regions=(around((0.0, -0.15, 0.5), 0.05),)).hands == ()
    (hand,) = process(pipeline, both, 2, regions=(around((0.15, 0, 0.5), 0.1),)).hands
    assert hand.joints[:, 0].mean() == pytest.approx(0.15, abs=0.02)
    assert len(process(pipeline, both, 3, regions=None).hands) == 1  # its own search comes when it is due


def test_a_box_of_fingertips_is_no_box_of_the_hand(engine):
    """The network's passes walk from there to the hand's middle, which a detector's box would hold."""
    depth = hand_at(0.0)
    tips = around((0.0, -0.08, 0.5), 0.025)
    (candidate,) = localize_in_regions(depth, CAMERA, [tips])
    assert in_region(candidate.center, CAMERA, tips)
    assert process(Pipeline(engine), depth, regions=(tips,)).hands == ()
    assert len(process(Pipeline(engine), depth, regions=(tips, around((0.0, 0.0, 0.5), 0.1))).hands) == 1


def test_a_hand_is_followed_without_and_beside_boxes(engine):
    pipeline = Pipeline(engine)
    assert len(process(pipeline, hand_at(-0.2), 0, regions=(around((-0.2, 0, 0.5), 0.1),)).hands) == 1
    for i, x in enumerate(np.linspace(-0.17, 0.1, 10), start=1):
        result = process(pipeline, hand_at(x), i, regions=() if i % 2 else (around((-0.2, 0, 0.5), 0.1),))
        (hand,) = result.hands
        assert hand.id == 1 and hand.joints[:, 0].mean() == pytest.approx(x, abs=0.02)


def test_a_box_with_a_new_hand_is_looked_into_at_once(engine):
    both = hand_at(0.15, depth=hand_at(-0.15))
    left, right = around((-0.15, 0, 0.5), 0.1), around((0.15, 0, 0.5), 0.1)
    pipeline = Pipeline(engine, PipelineSettings(max_hands=2, search_every=100))
    counts = [len(process(pipeline, both, i, regions=r).hands) for i, r in enumerate([(left,), (left,), (left, right)])]
    assert counts == [1, 1, 2]
    # Boxes of known hands cost nothing.
    assert process(pipeline, both, 3, regions=(left, right)).stage_ms["localize"] == 0


def test_a_box_of_two_hands_gives_both(engine):
    both = hand_at(0.15, depth=hand_at(-0.15))
    pipeline = Pipeline(engine, PipelineSettings(max_hands=2, search_every=3))
    counts = [len(process(pipeline, both, i, regions=(WHOLE,)).hands) for i in range(8)]
    assert counts[0] >= 1 and counts[-1] == 2


def test_a_lost_hand_keeps_its_id_when_a_box_says_where_it_went(engine):
    pipeline = Pipeline(engine, PipelineSettings(lost_frames=4))
    first = process(pipeline, hand_at(-0.15), 0, regions=(around((-0.15, 0, 0.5), 0.1),)).hands
    gone = process(pipeline, hand_at(0.1), 1, regions=()).hands
    again = process(pipeline, hand_at(0.1), 2, regions=(around((0.1, 0, 0.5), 0.1),)).hands
    assert [[h.id for h in hands] for hands in (first, gone, again)] == [[1], [], [1]]


def test_a_long_time_without_boxes_does_not_make_the_first_one_wait(engine):
    pipeline = Pipeline(engine)
    for i in range(40):
        process(pipeline, hand_at(0.0), i, regions=())
    assert len(process(pipeline, hand_at(0.0), 40, regions=(around((0, 0, 0.5), 0.1),)).hands) == 1


def test_of_too_many_boxes_the_surest_are_looked_into(engine):
    depth = hand_at(0.2, depth=hand_at(-0.2))
    draw_sphere(depth, (0.0, 0.0, 0.5), 0.03)
    boxes = (around((-0.2, 0, 0.5), 0.1, score=0.3), around((0.2, 0, 0.5), 0.1, score=0.8))
    pipeline = Pipeline(engine, PipelineSettings(max_hands=2, max_candidates=1))
    (hand,) = process(pipeline, depth, 0, regions=boxes).hands
    assert hand.joints[:, 0].mean() > 0.1
    assert len(process(pipeline, depth, 1, regions=boxes).hands) == 2


# -- the recording


@pytest.fixture(scope="module")
def recording(shipped):
    """Every 15th frame of the first five seconds, with the known joints of each hand that is in full view and alone."""
    library = RosbagsLibrary()
    source = open_source(find("recordings/demo"), library, truth_topic=TRUTH_TOPIC)
    frames = []
    for i, answer in zip(range(150), answers(source, shipped, Parameters(), library)):
        if i % 15 == 0:
            known = source.truth[answer.result.stamp_ns].hands
            hands = [joints_of(hand, HAND21) for hand in known if hand.presence > 0.85]
            if len(hands) < 2 or np.linalg.norm(hands[0].mean(0) - hands[1].mean(0)) > 0.2:
                frames.append((answer.depth, hands))
    source.close()
    assert sum(len(hands) for _, hands in frames) >= 8
    return frames


def box(frame, joints, *, grow=0.1, shift=(0.0, 0.0)) -> PixelRegion:
    """The true joints' box, each side moved out by `grow` of its size, the whole by `shift` of it."""
    pixels = frame.camera.project(joints)
    low, high = pixels.min(0), pixels.max(0)
    size = high - low
    return PixelRegion(*(low + size * (np.array(shift) - grow)), *(high + size * (np.array(shift) + grow)))


@pytest.mark.parametrize(
    "options", [{}, {"grow": -0.2}, {"grow": 1.0}, {"shift": (0.25, -0.25)}], ids=["around", "within", "three times", "beside"]
)
def test_boxes_of_a_detector_find_every_hand_of_the_recording(shipped, recording, options):
    for frame, hands in recording:
        found = Pipeline(shipped).process(frame, regions=[box(frame, joints, **options) for joints in hands]).hands
        assert len(found) == len(hands)
        for joints in hands:
            assert min(np.linalg.norm(hand.joints - joints, axis=1).mean() for hand in found) < 0.025


@pytest.mark.parametrize("shift", [(1.5, 0), (-1.5, 0), (0, 1.5)])
def test_boxes_beside_a_hand_do_not_find_it(shipped, recording, shift):
    for frame, hands in recording:
        for joints in hands:
            found = Pipeline(shipped).process(frame, regions=(box(frame, joints, shift=shift),)).hands
            assert all(np.linalg.norm(hand.joints.mean(0) - joints.mean(0)) > 0.08 for hand in found)


def test_a_workspace_around_the_scene_changes_nothing_and_one_behind_the_hand_leaves_it_out(shipped, recording):
    """Turned by a third of a turn, so that x, y, z of the box are z, x, y of the camera."""
    turn = RigidTransform.from_quaternion((0.5, 0.5, 0.5, 0.5), (0.0, 0.0, 0.0))
    around_all, behind = Workspace((0.1, -2, -2, 2, 2, 2), turn), Workspace((0.8, -2, -2, 2, 2, 2), turn)
    for frame, hands in recording[:4]:
        assert max(joints[:, 2].max() for joints in hands) < 0.7
        free, inside, outside = (Pipeline(shipped).process(frame, workspace=w).hands for w in (None, around_all, behind))
        np.testing.assert_array_equal(free[0].joints, inside[0].joints)
        assert all(hand.joints[:, 2].mean() >= 0.8 for hand in outside)  # the box's target x is the camera's z


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real frames at {REAL}")
@pytest.mark.parametrize("grow", [0.0, 0.5])
def test_real_frames(shipped, grow):
    """A person holding up a hand, 19 frames: boxes around the joints in the image, and twice as large."""
    camera = Camera(640, 480, 476.007, 476.007, 313.683, 242.755)
    for name, clicked in json.loads((REAL / "joints_2d.json").read_text())["frames"].items():
        depth = cv2.imread(str(REAL / name), cv2.IMREAD_UNCHANGED).astype(np.float32) * 0.000125
        seen = np.array(clicked["uv"])[np.array(clicked["visible"], bool)]
        low, high = seen.min(0) - grow * np.ptp(seen, axis=0), seen.max(0) + grow * np.ptp(seen, axis=0)
        (hand,) = Pipeline(shipped).process(DepthFrame(depth, camera, 0, "camera"), regions=(PixelRegion(*low, *high),)).hands
        off_px = np.linalg.norm(camera.project(hand.joints.mean(0)) - seen.mean(0))
        assert off_px * hand.joints[:, 2].mean() / camera.fx < 0.03
