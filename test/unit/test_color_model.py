"""A model that sees colour, in the node and in replay: the tiny one follows what is red."""

import json
import logging
import queue
import time

import pytest
from small_bags import (
    HEIGHT,
    WIDTH,
    color_message,
    image_message,
    info_message,
    red_hand_message,
    stamp,
    write_bag,
    write_png_folder,
)
from tiny_color_model import DEPTHS, write_tiny_color_model
from tiny_model import CUBE_M

from hand_pose_ros.cli import main
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.app import HandPoseApp
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.step import FrameStep
from hand_pose_ros.live.topics import CAMERA_INFO, COLOR_IMAGE, COLOR_INFO, DEPTH_IMAGE, DIAGNOSTICS, HANDS
from hand_pose_ros.messages.color_input import ColorError, registered_rgb
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

LIBRARY = RosbagsLibrary("jazzy")
COLOR_TOPIC = "/camera/color/image_raw"
WAIT_S = 10


@pytest.fixture(scope="module")
def color_model(tmp_path_factory):
    return write_tiny_color_model(tmp_path_factory.mktemp("model") / "tiny_color.onnx")


class Running:
    """The node without a transport, and what it published."""

    def __init__(self, model) -> None:
        self.published: dict[str, queue.Queue] = {spec.name: queue.Queue() for spec in (HANDS, DIAGNOSTICS)}
        parameters = Parameters(diagnostics_period_s=0.1)
        self.app = HandPoseApp(
            parameters, LIBRARY, self._publish, lambda: load_engine(model), topic_name=lambda name: f"/cam/{name}"
        )

    def _publish(self, spec, message) -> None:
        if spec.name in self.published:
            self.published[spec.name].put(message)

    def __enter__(self):
        self.app.start()
        self.inputs = dict(self.app.inputs())
        return self

    def __exit__(self, *_) -> None:
        self.app.stop()

    def send(self, index: int) -> None:
        self.inputs[CAMERA_INFO](info_message(LIBRARY, index), time.time_ns())
        self.inputs[DEPTH_IMAGE](image_message(LIBRARY, index), time.time_ns())

    def send_color(self, index: int, **changes) -> None:
        self.inputs[COLOR_IMAGE](red_hand_message(LIBRARY, index, **changes), time.time_ns())

    def hands(self):
        return self.published[HANDS.name].get(timeout=WAIT_S)

    def state(self, wanted: str) -> bool:
        """Whether diagnostics come to say so."""
        deadline = time.monotonic() + WAIT_S
        while time.monotonic() < deadline:
            values = {v.key: v.value for v in self.published[DIAGNOSTICS.name].get(timeout=WAIT_S).status[0].values}
            if values.get("color") == wanted:
                return True
        return False


def test_the_model_s_colour_images_are_subscribed_to(color_model):
    with Running(color_model) as node:
        assert list(node.inputs) == [COLOR_INFO, COLOR_IMAGE, CAMERA_INFO, DEPTH_IMAGE]


@pytest.mark.parametrize("color_first", [True, False])
def test_hands_of_colour_and_depth(color_model, color_first: bool):
    """The hand at 0.5 m is found, whichever of the two images comes first."""
    with Running(color_model) as node:
        for index in range(3):
            for send in (node.send_color, node.send) if color_first else (node.send, node.send_color):
                send(index)
            message = node.hands()
            assert stamp_ns(message.header) == stamp(index)
            (hand,) = message.hands
            root = hand.positions[0].z
            assert root == pytest.approx(0.5, abs=0.03)
            assert hand.positions[20].z - root == pytest.approx(DEPTHS[20] * CUBE_M / 2, abs=1e-4)
        assert node.state("found")


def test_a_recording_that_begins_again_waits_for_its_colour_images_anew(color_model):
    """Colour images of the run before are newer, so that it would not be waited for those to come."""
    with Running(color_model) as node:
        for index in [*range(6, 12), *range(4)]:
            node.send(index)
            time.sleep(0.01)
            node.send_color(index)
            assert len(node.hands().hands) == 1, index


def test_without_colour_images_the_topic_is_named(color_model, caplog):
    with Running(color_model) as node, caplog.at_level(logging.WARNING):
        node.send(0)
        assert not node.hands().hands
        node.send_color(4)  # 133 ms later
        node.send(1)
        assert not node.hands().hands
        assert node.state("missing")
    assert "/cam/color/image_rect: no image of the depth image's moment, and the model sees colour" in caplog.text


def test_an_image_that_is_not_registered_is_told_with_the_remedy(color_model, caplog):
    with Running(color_model) as node, caplog.at_level(logging.WARNING):
        node.send_color(0, frame_id="color_optical")
        node.send(0)
        deadline = time.monotonic() + WAIT_S
        while "color_optical" not in caplog.text and time.monotonic() < deadline:
            time.sleep(0.01)
        node.send_color(1)
        node.send(1)
        assert len(node.hands().hands) == 1
    assert "/cam/color/image_rect: the image is 160x120 in frame 'color_optical', the depth image 160x120" in caplog.text
    assert "align_depth" in caplog.text


def test_registered_pixels_are_rgb():
    pixels = registered_rgb(color_message(LIBRARY, 3), image_message(LIBRARY, 3))
    assert pixels.shape == (HEIGHT, WIDTH, 3) and pixels[7, 11].tolist() == [11, 7, 60]
    assert registered_rgb(color_message(LIBRARY, 3, encoding="bgr8"), image_message(LIBRARY, 3))[7, 11].tolist() == [60, 7, 11]
    with pytest.raises(ColorError, match="is 320x240 in frame 'depth_optical', the depth image 160x120"):
        registered_rgb(color_message(LIBRARY, 3, scale=2), image_message(LIBRARY, 3))


def test_hands_that_are_followed_wait_for_colour(color_model):
    """A colour image that is lost costs its frame, and no hand its id."""
    step, ids = FrameStep(load_engine(color_model), LIBRARY, Parameters()), []
    for index in range(12):
        color = red_hand_message(LIBRARY, index) if index < 2 or index == 11 else None
        result = step.run(image_message(LIBRARY, index), info_message(LIBRARY, index), color=color).result
        ids.append([hand.id for hand in result.hands])
    assert ids == [[1], [1], *[[]] * 9, [1]]


def replay(recording, out, model, *more) -> int:
    return main(["replay", str(recording), "--out", str(out), "--model", str(model), "--no-video", *more])


def answered(out) -> list[int]:
    return [len(json.loads(line)["hands"]) for line in (out / "joints.jsonl").read_text().splitlines()]


def test_replay_of_a_recording_with_colour(tmp_path, color_model):
    """The only topic of colour images is found; a frame without one is told, and the others are answered."""
    colors = {index: red_hand_message(LIBRARY, index) for index in range(6) if index != 3}
    bag = write_bag(tmp_path / "in", LIBRARY, 6, colors={COLOR_TOPIC: colors})
    replay(bag, tmp_path / "out", color_model)
    figures = json.loads((tmp_path / "out/figures.json").read_text())
    assert (figures["frames"], figures["frames_failed"]) == (6, 1)
    rows = [json.loads(line) for line in (tmp_path / "out/joints.jsonl").read_text().splitlines()]
    errors = [row.get("error", "") for row in rows]
    assert ["no colour image was taken at its moment" in error for error in errors] == [i == 3 for i in range(6)]
    assert [len(row.get("hands", ())) for row in rows] == [1, 1, 1, 0, 1, 1]


def test_which_colour_images_can_be_said(tmp_path, color_model, capsys):
    colors = {index: red_hand_message(LIBRARY, index) for index in range(3)}
    two = write_bag(tmp_path / "two", LIBRARY, 3, colors={COLOR_TOPIC: colors, "/other": colors})
    assert replay(two, tmp_path / "out", color_model) == 1
    assert f"more than one topic of colour images ({COLOR_TOPIC}, /other)" in capsys.readouterr().err
    assert replay(two, tmp_path / "out", color_model, "--color-topic", "/nowhere") == 1
    assert "no colour images /nowhere" in capsys.readouterr().err
    assert replay(two, tmp_path / "out", color_model, "--color-topic", "/other") == 0
    assert answered(tmp_path / "out") == [1, 1, 1]


def test_recordings_without_colour_are_refused(tmp_path, color_model, capsys):
    assert replay(write_bag(tmp_path / "bag", LIBRARY, 2), tmp_path / "out", color_model) == 1
    assert "the model sees colour" in capsys.readouterr().err
    assert replay(write_png_folder(tmp_path / "folder", ["0.png"]), tmp_path / "out", color_model) == 1
    assert "is a folder of depth images" in capsys.readouterr().err


def test_a_depth_model_reads_no_colour(tmp_path, model):
    """Two topics of colour images, neither of them complete, are no matter."""
    colors = {0: red_hand_message(LIBRARY, 0)}
    bag = write_bag(tmp_path / "in", LIBRARY, 3, colors={COLOR_TOPIC: colors, "/other": colors})
    assert replay(bag, tmp_path / "out", model) == 0
    assert answered(tmp_path / "out") == [1, 1, 1]
