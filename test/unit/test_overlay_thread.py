"""The overlay of the live node: on the depth image, on a colour image, never in the hands' way."""

import queue
import threading

import numpy as np
import pytest
from small_bags import FRAME_ID, HEIGHT, WIDTH, color_message, image_message, info_message, stamp

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.geometry.transform import RigidTransform
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.color import ColorImages
from hand_pose_ros.live.overlay import OverlayThread
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.pictures import PlainPictures
from hand_pose_ros.live.step import FrameStep
from hand_pose_ros.live.transforms import no_transforms
from hand_pose_ros.messages.color_input import color_image
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.viz.overlay import overlay_picture

WAIT_S = 10


@pytest.fixture
def answered(library, model):
    return FrameStep(load_engine(model), library, Parameters()).run(image_message(library, 0), info_message(library, 0))


@pytest.fixture
def color():
    return ColorImages("/color/image_rect")


@pytest.fixture
def thread(library, color):
    threads = []

    def make(color_images=None, lookup=no_transforms, publish=None):
        complaints, sent = [], queue.Queue()
        made = OverlayThread(PlainPictures(library), color_images, lookup, publish or sent.put, complaints.append)
        made.complaints, made.sent = complaints, sent
        threads.append(made)
        return made

    yield make
    for made in threads:
        made.stop()


def picture(message) -> np.ndarray:
    assert message.encoding == "bgr8" and message.step == 3 * message.width
    return color_image(message)


def test_on_the_depth_image(thread, answered):
    overlay = thread()
    overlay.offer(answered.depth, answered.result)
    message = overlay.sent.get(timeout=WAIT_S)
    assert (stamp_ns(message.header), message.header.frame_id) == (stamp(0), FRAME_ID)
    expected = overlay_picture(answered.result, answered.depth.camera, answered.depth.depth)
    assert np.array_equal(picture(message), expected) and not overlay.complaints


def test_on_a_registered_colour_image(thread, answered, color, library):
    for index in (4, 1, 2):
        color.add_image(color_message(library, index), 0)
    overlay = thread(color)
    got = picture(overlay.message(answered.depth, answered.result))
    expected = overlay_picture(answered.result, answered.depth.camera, None, color_image(color_message(library, 1)))
    assert np.array_equal(got, expected) and not overlay.complaints  # frame 1 is the nearest in time


def test_on_the_image_of_another_camera(thread, answered, color, library):
    info = info_message(library, 0, frame_id="color_optical")
    info.width, info.height, info.k, info.p = 2 * WIDTH, 2 * HEIGHT, info.k * 2, info.p * 2
    info.k[8] = info.p[10] = 1
    color.add_info(info, 0)
    color.add_image(color_message(library, 0, frame_id="color_optical", scale=2), 0)
    asked = []

    def lookup(*what):
        asked.append(what)
        return RigidTransform(np.eye(3), np.array([0.05, 0.0, 0.0]))

    overlay = thread(color, lookup)
    message = overlay.message(answered.depth, answered.result)
    assert asked == [("color_optical", FRAME_ID, stamp(0), 0.0)] and not overlay.complaints
    assert (message.width, message.height, message.header.frame_id) == (2 * WIDTH, 2 * HEIGHT, "color_optical")
    plain = color_image(color_message(library, 0, scale=2))
    camera = Camera.from_camera_info(info)
    expected = overlay_picture(answered.result, answered.depth.camera, None, plain, color_camera=camera, depth_to_color=lookup())
    assert np.array_equal(picture(message), expected)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (None, "no image near the depth image's stamp (is it published?)"),
        ({"index": 4}, "no image near the depth image's stamp"),
        ({"frame_id": "color_optical"}, "the image is 160x120 in frame 'color_optical', and its camera info has not come"),
        ({"scale": 2}, "the image is 320x240 in frame 'depth_optical', and its camera info has not come"),
        ({"encoding": "yuv422"}, "encoding 'yuv422' is no colour encoding"),
        ({"frame_id": "color_optical", "info": True}, "no transform from 'depth_optical' to 'color_optical': without ROS 2"),
    ],
)
def test_without_a_colour_image_it_is_drawn_on_the_depth_image(thread, answered, color, library, message, text):
    if message is not None:
        if message.pop("info", False):
            color.add_info(info_message(library, 0, frame_id=message["frame_id"]), 0)
        color.add_image(color_message(library, message.pop("index", 0), **message), 0)
    overlay = thread(color)
    got = picture(overlay.message(answered.depth, answered.result))
    assert np.array_equal(got, overlay_picture(answered.result, answered.depth.camera, answered.depth.depth))
    (complaint,) = overlay.complaints
    assert complaint.startswith("/color/image_rect: ") and text in complaint
    assert complaint.endswith("the overlay is drawn on the depth image")


def test_a_slow_reader_holds_up_the_overlay_alone(thread, answered):
    entered, go, sent = threading.Event(), threading.Event(), queue.Queue()

    def publish(message):
        entered.set()
        assert go.wait(WAIT_S)
        sent.put(message)

    overlay = thread(publish=publish)
    overlay.offer(answered.depth, answered.result)
    assert entered.wait(WAIT_S)
    for _ in range(5):
        overlay.offer(answered.depth, answered.result)  # returns at once
    go.set()
    assert sent.get(timeout=WAIT_S) and sent.get(timeout=WAIT_S)
    overlay.stop()
    assert sent.empty()  # the newest of the five alone


def test_a_picture_that_cannot_be_sent_is_said_and_the_next_is_drawn(thread, answered):
    sent = queue.Queue()

    def publish(message):
        sent.put(message)
        if sent.qsize() == 1:
            raise TimeoutError("a subscriber hangs")

    overlay = thread(publish=publish)
    overlay.offer(answered.depth, answered.result)
    while not overlay.complaints:
        pass
    assert overlay.complaints == ["the overlay could not be drawn: TimeoutError('a subscriber hangs')"]
    overlay.offer(answered.depth, answered.result)
    while sent.qsize() < 2:
        pass
