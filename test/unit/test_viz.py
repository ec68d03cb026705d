import subprocess

import cv2
import numpy as np
import pytest
from small_bags import FOCAL, HEIGHT, WIDTH, depth_counts

from hand_pose_ros.geometry.camera import Camera, CameraError
from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.messages.markers import FINGER_COLOURS
from hand_pose_ros.perception.types import FrameResult, Hand, Side
from hand_pose_ros.skeleton import HAND21
from hand_pose_ros.viz import video
from hand_pose_ros.viz.depth_colour import INVALID_COLOUR, depth_picture
from hand_pose_ros.viz.draw import View, draw_hand, draw_truth
from hand_pose_ros.viz.overlay import overlay, overlay_picture

CAMERA = Camera(WIDTH, HEIGHT, FOCAL, FOCAL, (WIDTH - 1) / 2, (HEIGHT - 1) / 2)
DEPTH = depth_counts(0).astype(np.float32) / 1000
# Far enough from each other not to be drawn over.
PIXELS = np.array([[15 + 20 * (i % 7), 30 + 30 * (i // 7)] for i in range(21)])


def hand(joints=None, covariance=1e-5):
    if joints is None:
        joints = CAMERA.back_project(PIXELS, 0.5)
    six = np.tile([covariance, 0, 0, covariance, 0, covariance], (21, 1))
    return Hand(1, 0, Side.UNKNOWN, float("nan"), 0.9, joints, six, np.full(21, 0.8), HAND21)


# -- depth pictures


def test_near_is_brighter_than_far_and_invalid_has_its_own_colour():
    depth = np.full((60, 80), 0.5, np.float32)
    depth[:, 40:] = 1.2
    depth[:5] = 0
    picture = depth_picture(depth, FOCAL).astype(int)
    assert picture[30, 20].sum() > picture[30, 60].sum() > 0
    assert tuple(picture[2, 20]) == INVALID_COLOUR


@pytest.mark.parametrize("value", [0.0, 0.4])
def test_a_picture_of_nothing_or_one_plane(value):
    picture = depth_picture(np.full((20, 30), value, np.float32), FOCAL)
    assert picture.shape == (20, 30, 3) and picture.dtype == np.uint8


def test_light_comes_from_the_top_left():
    """Four sides of a pyramid that points at the camera; steeper ones are darker."""
    v, u = np.mgrid[-30:31, -40:41].astype(np.float32)
    pyramid = 0.5 + 0.002 * np.maximum(np.abs(u), np.abs(v))
    picture = depth_picture(pyramid, FOCAL).astype(int).sum(2)
    top, bottom, left, right = picture[15, 40], picture[45, 40], picture[30, 25], picture[30, 55]
    assert min(top, left) > 1.2 * max(bottom, right)
    flat = depth_picture(np.full_like(pyramid, 0.53), FOCAL).astype(int).sum(2)[15, 40]
    steep = depth_picture(0.5 + 0.006 * np.abs(v), FOCAL).astype(int).sum(2)[45, 40]
    assert steep < bottom < flat


# -- hands


def test_joints_are_drawn_where_they_project():
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    draw_hand(picture, View(CAMERA), hand())
    for name in ("thumb_tip", "index_pip", "little_mcp"):
        u, v = PIXELS[HAND21.index(name)]
        assert tuple(picture[v, u])[::-1] == FINGER_COLOURS[name.split("_")[0]]  # pictures are BGR, markers RGB


def test_a_view_magnifies_about_its_origin():
    points = CAMERA.back_project(np.array([[50.0, 40.0]]), 0.5)
    assert View(CAMERA, (45.0, 38.0), 4.0).pixels(points) == pytest.approx(np.array([[20.0, 8.0]]))


@pytest.mark.parametrize("point", [(np.nan,) * 3, (0, 0, 0), (0.1, 0.1, -0.5), (1e6, 0, 1e-3)])
def test_joints_that_cannot_be_drawn_are_left_out(point):
    joints = hand().joints.copy()
    joints[5] = point
    picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    with np.errstate(all="ignore"):
        draw_hand(picture, View(CAMERA), hand(joints), ellipses=True)
        draw_truth(picture, View(CAMERA), joints)
    assert picture.any()


def test_unknown_covariance_draws_no_ellipse():
    with_ellipses, without = (np.zeros((HEIGHT, WIDTH, 3), np.uint8) for _ in range(2))
    draw_hand(without, View(CAMERA), hand())
    draw_hand(with_ellipses, View(CAMERA), hand(covariance=-1.0), ellipses=True)
    assert (with_ellipses == without).all()
    draw_hand(with_ellipses, View(CAMERA), hand(covariance=1e-4), ellipses=True)
    assert (with_ellipses != without).any()


@pytest.mark.parametrize("hands", [(), (hand(),), (hand(), hand())])
@pytest.mark.parametrize("close_up", [True, False])
def test_overlays_have_one_even_size_whatever_was_found(hands, close_up):
    depth = np.pad(DEPTH, ((0, 1), (0, 1)))  # odd sizes
    camera = Camera(WIDTH + 1, HEIGHT + 1, FOCAL, FOCAL, 80, 60)
    result = FrameResult(0, "camera", hands, {"network": 2.0})
    picture = overlay(depth, camera, result, truth=[hand().joints] if close_up else [], label="7", close_up=close_up)
    assert picture.shape == (120, 282 - 282 % 2 if close_up else 160, 3)


def test_the_close_up_is_of_what_is_asked_for_or_of_two_hands_one_below_the_other():
    left, right = (hand(CAMERA.back_project(PIXELS / 4 + (shift, 40), 0.5)) for shift in (0, 100))

    def close_up(*hands, **more):
        return overlay(DEPTH, CAMERA, FrameResult(0, "camera", hands), **more)[:, WIDTH:]

    assert (close_up(left, right, look_at=right.joints) == close_up(right, left, look_at=right.joints)).all()
    assert (close_up(left, look_at=left.joints) == close_up(left)).all()
    both, other_way = close_up(left, right), close_up(right, left)
    half = len(both) // 2
    np.testing.assert_array_equal(both[:half], other_way[half:])
    np.testing.assert_array_equal(both[half:], other_way[:half])
    assert (both[:half] != both[half:]).any()


# -- the live overlay


def result_of(*hands):
    return FrameResult(0, "camera", hands)


def color_of(picture, name, at=PIXELS):
    """What a joint was drawn in, RGB, at its pixel."""
    u, v = np.round(at[HAND21.index(name)]).astype(int)
    return tuple(int(c) for c in picture[v, u][::-1])


def test_an_overlay_of_the_depth_image_has_its_size_and_the_hand_in_it():
    plain, with_hand = (overlay_picture(r, CAMERA, DEPTH) for r in (result_of(), result_of(hand())))
    assert plain.shape == with_hand.shape == (HEIGHT, WIDTH, 3) and with_hand.dtype == np.uint8
    assert color_of(with_hand, "index_tip") == FINGER_COLOURS["index"]
    assert (plain[:60] != depth_picture(DEPTH, FOCAL)[:60]).sum() == 0  # only "no hand", at the bottom
    assert (plain[100:, :80] != depth_picture(DEPTH, FOCAL)[100:, :80]).any()


def test_an_overlay_of_a_registered_colour_image():
    color = np.full((HEIGHT, WIDTH, 3), (10, 20, 30), np.uint8)
    color.flags.writeable = False  # it may be the message's own bytes
    picture = overlay_picture(result_of(hand()), CAMERA, DEPTH, color)
    assert color_of(picture, "ring_pip") == FINGER_COLOURS["ring"]
    assert tuple(picture[HEIGHT - 1, WIDTH - 1]) == (10, 20, 30)


def test_an_overlay_of_another_camera():
    """Twice the size and focal length, 5 cm to the right: at 0.5 m all joints move left by 2 * FOCAL * 0.05 / 0.5 pixels."""
    camera = Camera(2 * WIDTH, 2 * HEIGHT, 2 * FOCAL, 2 * FOCAL, WIDTH - 1, HEIGHT - 1)
    color = np.zeros((2 * HEIGHT, 2 * WIDTH, 3), np.uint8)
    from_depth = RigidTransform(np.eye(3), np.array([-0.05, 0.0, 0.0]))
    picture = overlay_picture(result_of(hand()), CAMERA, None, color, color_camera=camera, depth_to_color=from_depth)
    assert picture.shape == color.shape
    assert color_of(picture, "little_tip", 2 * PIXELS - [0.2 * FOCAL, 0.0]) == FINGER_COLOURS["little"]


def test_a_colour_image_of_another_size_needs_its_own_camera():
    with pytest.raises(CameraError, match="10x20 pixels with a camera info of 160x120: publish the colour image's own"):
        overlay_picture(result_of(), CAMERA, DEPTH, np.zeros((20, 10, 3), np.uint8))


@pytest.mark.parametrize("shift", [(-0.3, 0, 0), (0.3, 0, 0), (0, 0.4, 0), (0, -0.4, 0), (0, 0, -1)])
def test_hands_at_the_borders(shift):
    joints = hand().joints + np.array(shift)
    with np.errstate(all="ignore"):
        picture = overlay_picture(result_of(hand(joints), hand(joints * np.nan)), CAMERA, DEPTH)
    assert picture.shape == (HEIGHT, WIDTH, 3)


# -- video


def frames(count=12):
    for i in range(count):
        picture = np.zeros((64, 96, 3), np.uint8)
        cv2.circle(picture, (10 + 5 * i, 32), 8, (0, 0, 255), -1)
        yield picture


def read(path):
    capture = cv2.VideoCapture(str(path))
    pictures = []
    while True:
        good, picture = capture.read()
        if not good:
            return pictures
        pictures.append(picture)


@pytest.mark.parametrize("with_ffmpeg", [True, False])
def test_a_video_holds_every_frame(tmp_path, monkeypatch, with_ffmpeg):
    if not with_ffmpeg:
        monkeypatch.setattr(video, "find_ffmpeg", lambda: None)
    with video.VideoWriter(tmp_path / "a.mp4", fps=30) as writer:
        for picture in frames():
            writer.write(picture)
    assert writer.codec == ("h264" if with_ffmpeg else "mp4v")
    pictures = read(tmp_path / "a.mp4")
    assert len(pictures) == 12 and pictures[0].shape == (64, 96, 3)
    red = pictures[11][..., 2].astype(int) - pictures[11][..., 1]
    assert abs(np.argwhere(red > 100).mean(axis=0)[1] - 65) < 2  # columns, channels in order


def test_an_exception_leaves_a_whole_video(tmp_path):
    with pytest.raises(KeyboardInterrupt), video.VideoWriter(tmp_path / "a.mp4", fps=30) as writer:
        for picture in frames(5):
            writer.write(picture)
        raise KeyboardInterrupt
    assert len(read(tmp_path / "a.mp4")) == 5


def test_no_frame_no_video(tmp_path):
    with video.VideoWriter(tmp_path / "a.mp4", fps=30):
        pass
    assert not (tmp_path / "a.mp4").exists()


def test_frames_of_another_size_are_refused(tmp_path):
    with video.VideoWriter(tmp_path / "a.mp4", fps=30) as writer:
        writer.write(np.zeros((64, 96, 3), np.uint8))
        with pytest.raises(video.VideoError, match="after frames of shape"):
            writer.write(np.zeros((64, 98, 3), np.uint8))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    path = tmp_path / "no/folder/a.mp4"
    with pytest.raises(video.VideoError, match=f"{path} cannot be written"), video.VideoWriter(path, fps=30) as writer:
        for _ in range(200):  # ffmpeg ends at once; the pipe breaks a little later
            writer.write(np.zeros((240, 320, 3), np.uint8))


def test_an_ffmpeg_that_fails_is_quoted(tmp_path, monkeypatch):
    script = tmp_path / "ffmpeg"
    script.write_text("#!/bin/sh\ncat > /dev/null\necho no such encoder >&2\nexit 3\n")
    script.chmod(0o755)
    assert subprocess.run([script], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 3
    monkeypatch.setattr(video, "find_ffmpeg", lambda: str(script))
    with pytest.raises(video.VideoError, match="no such encoder"), video.VideoWriter(tmp_path / "a.mp4", fps=30) as writer:
        writer.write(np.zeros((64, 96, 3), np.uint8))
