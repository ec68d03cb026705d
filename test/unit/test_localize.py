"""Hands in whole scenes: found near their middle, not on the forearm, whatever stands behind."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from scenes import CAMERA, add_noise, blank, draw_capsule, draw_hand, draw_person, draw_plane

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.perception.coarse import FAR, CoarseDepth
from hand_pose_ros.perception.localize import localize
from hand_pose_ros.perception.plane import dominant_plane

REAL = Path(__file__).resolve().parents[3] / "shared/real_depth/sr305"


def before_a_person(depth, **options):
    draw_person(depth, (0.05, 0.0, 0.75))
    return draw_hand(depth, (-0.12, 0.1, 0.5), (0, -1, 0), forearm_m=0.25, **options)


def across_the_chest(depth, **options):
    draw_person(depth, (0.0, 0.0, 0.8))
    draw_capsule(depth, (0.22, 0.3, 0.65), (0.2, -0.05, 0.8), 0.045)  # the upper arm
    return draw_hand(depth, (0.08, 0.1, 0.55), (-0.8, -0.6, -0.15), (0, -1, 0), forearm_m=0.25, **options)


def egocentric(depth, **options):
    return draw_hand(depth, (0.05, 0.03, 0.36), (-0.2, -0.25, 0.5), forearm_m=0.3, **options)


def egocentric_over_a_table(depth, **options):
    draw_plane(depth, (0, 0.8, 0.6), 0.55)
    return draw_hand(depth, (0.1, 0.12, 0.33), (-0.35, -0.25, 0.35), forearm_m=0.3, **options)


def from_above(depth, **options):
    draw_plane(depth, (0, 0, 1), 0.7)
    return draw_hand(depth, (0.08, 0.0, 0.64), (-1, 0.2, 0), (0, -1, 0), forearm_m=0.45, **options)


def on_a_slanted_table(depth, **options):
    normal = np.array([0, 0.707, 0.707])
    draw_plane(depth, normal, 0.45)
    wrist = np.array([0.1, 0, 0.45 / 0.707]) - normal * 0.05
    return draw_hand(depth, wrist, (-1, 0, 0), (0, -0.7, 0.7), forearm_m=0.4, **options)


def from_the_top(depth, **options):
    return draw_hand(depth, (0, -0.1, 0.5), (0.1, 1, 0), forearm_m=0.4, **options)


SCENES = [before_a_person, across_the_chest, egocentric, egocentric_over_a_table, from_above, on_a_slanted_table, from_the_top]


@pytest.mark.parametrize("fist", [False, True], ids=["open", "fist"])
@pytest.mark.parametrize("scene", SCENES, ids=lambda f: f.__name__)
def test_hand_is_among_the_first_candidates(scene, fist):
    depth = blank()
    middle = scene(depth, fist=fist)
    candidates = localize(add_noise(depth), CAMERA, max_candidates=3)
    assert min(np.linalg.norm(c.center - middle) for c in candidates) < 0.07
    assert [c.score for c in candidates] == sorted((c.score for c in candidates), reverse=True)


@pytest.mark.parametrize("length", [0.0, 0.1, 0.2, 0.3, 0.45])
def test_center_does_not_slide_down_the_forearm(length):
    """Whatever one sees of the forearm: hand's end of it is a candidate, and centred. (A stump's other end may be first.)"""
    depth = blank()
    middle = draw_hand(depth, (0, -0.05, 0.5), (0, -1, 0), forearm_m=length)
    assert min(np.linalg.norm(c.center - middle) for c in localize(depth, CAMERA)) < 0.04


def test_two_hands_are_both_candidates():
    depth = blank()
    middles = [
        draw_hand(depth, (-0.15, 0.0, 0.5), (0, -1, 0), forearm_m=0.25),
        draw_hand(depth, (0.15, 0.0, 0.5), (0, -1, 0), (-1, 0, 0), forearm_m=0.25),
    ]
    candidates = localize(depth, CAMERA)
    for middle in middles:
        assert min(np.linalg.norm(c.center - middle) for c in candidates) < 0.04


@pytest.mark.parametrize("width, height, focal", [(320, 240, 238.0), (848, 480, 430.0), (160, 120, 119.0)])
def test_other_cameras(width, height, focal):
    camera = Camera(width, height, focal, focal, width / 2, height / 2)
    depth = blank(camera)
    draw_person(depth, (0.05, 0.0, 0.75), camera)
    middle = draw_hand(depth, (-0.1, 0.1, 0.5), (0, -1, 0), camera=camera)
    assert min(np.linalg.norm(c.center - middle) for c in localize(depth, camera)) < 0.05


def test_depth_range_leaves_hands_out():
    depth = blank()
    draw_hand(depth, (0, 0.05, 0.5), (0, -1, 0))
    assert localize(depth, CAMERA)
    assert not localize(depth, CAMERA, min_depth_m=0.7)
    assert not localize(depth, CAMERA, max_depth_m=0.4)


def test_nothing_to_see():
    wall, specks = blank(), blank()
    draw_plane(wall, (0, 0, 1), 0.8)
    specks[::40, ::40] = 0.5
    for depth in (blank(), wall, specks):
        assert localize(depth, CAMERA) == []


def test_same_image_gives_same_candidates():
    depth = blank()
    before_a_person(depth)
    depth = add_noise(depth)
    first, second = localize(depth, CAMERA), localize(depth.copy(), CAMERA)
    assert [c.score for c in first] == [c.score for c in second]
    np.testing.assert_array_equal([c.center for c in first], [c.center for c in second])


def test_coarse_view_keeps_metres():
    depth = blank()
    depth[:] = 0.8
    depth[:100] = 0.0
    view = CoarseDepth.of(depth, CAMERA, 0.1, 1.5)
    assert view.z.shape == (120, 160)
    assert view.z[10, 10] == FAR
    # Small pixel (row 50, column 100) is the image's pixel (202, 402), whose ray is ((402 - 320) / 476, (202 - 240) / 476, 1).
    np.testing.assert_allclose(view.points[50, 100], [0.8 * 82 / 476, 0.8 * -38 / 476, 0.8], rtol=1e-5)


def test_plane_is_found_and_a_hand_is_none():
    depth = blank()
    normal = np.array([0.0, 0.6, 0.8])
    draw_plane(depth, normal, 0.5)
    view = CoarseDepth.of(depth, CAMERA, 0.1, 1.5)
    plane = dominant_plane(view.points, view.z < FAR, float(view.focal.prod()))
    plane = plane * np.sign(plane[3])
    np.testing.assert_allclose(plane, [*normal, 0.5], atol=2e-3)

    depth = blank()
    draw_hand(depth, (0, 0.1, 0.3), (0, -1, 0))
    view = CoarseDepth.of(depth, CAMERA, 0.1, 1.5)
    assert dominant_plane(view.points, view.z < FAR, float(view.focal.prod())) is None


@pytest.mark.skipif(not REAL.is_dir(), reason=f"no real frames at {REAL}")
def test_real_frames():
    """A person holding up a hand: in each of the 19 frames the first place is the hand, centred within 45 mm."""
    camera = Camera(640, 480, 476.007, 476.007, 313.683, 242.755)
    frames = json.loads((REAL / "joints_2d.json").read_text())["frames"]
    assert len(frames) == 19
    errors_m = []
    for name, clicked in frames.items():
        depth = cv2.imread(str(REAL / name), cv2.IMREAD_UNCHANGED).astype(np.float32) * 0.000125
        center = localize(depth, camera)[0].center
        middle = np.mean(np.array(clicked["uv"])[np.array(clicked["visible"], bool)], axis=0)
        errors_m.append(np.linalg.norm(camera.project(center) - middle) * center[2] / camera.fx)
    assert max(errors_m) < 0.045, dict(zip(frames, np.round(errors_m, 3)))
    assert np.median(errors_m) < 0.02
