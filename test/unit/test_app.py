"""The node without a transport: real pipeline, tiny model, its own thread."""

import contextlib
import logging
import queue
import threading
import time

import cv2
import numpy as np
import pytest
from small_bags import color_message, depth_counts, detections_message, image_message, info_message, stamp
from tiny_model import write_tiny_model

from hand_pose_ros.inference.engine import Engine, load_engine
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.live.app import HandPoseApp
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.topics import (
    ALL_OUTPUTS,
    CAMERA_INFO,
    COLOR_IMAGE,
    COLOR_INFO,
    DEPTH_IMAGE,
    DETECTIONS,
    DIAGNOSTICS,
    HAND_MARKERS,
    HANDS,
    MODEL,
    OVERLAY,
    PALM_POSES,
    TRANSFORMS,
)
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

LIBRARY = RosbagsLibrary("jazzy")
WAIT_S = 10


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


class HeldEngine(Engine):
    """A real engine that lets `infer` through only while `go` is set."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self.card, self.backend = engine, engine.card, engine.backend
        self.go, self.entered = threading.Event(), threading.Event()

    def infer(self, inputs):
        self.entered.set()
        assert self.go.wait(WAIT_S)
        return self._engine.infer(inputs)


class Outputs:
    """What the app published, by topic."""

    def __init__(self) -> None:
        self.by_topic = {spec.name: queue.Queue() for spec in ALL_OUTPUTS}

    def __call__(self, spec, message) -> None:
        self.by_topic[spec.name].put(message)

    def next(self, spec):
        return self.by_topic[spec.name].get(timeout=WAIT_S)

    def empty(self, spec) -> bool:
        return self.by_topic[spec.name].empty()


@contextlib.contextmanager
def running(model, load=None, outputs=None, listened=lambda _: False, **values):
    outputs = outputs or Outputs()
    load = load or (lambda: load_engine(model))
    app = HandPoseApp(Parameters(**values), LIBRARY, outputs, load, topic_name=lambda name: f"/{name}", listened=listened)
    app.start()
    try:
        yield app, outputs
    finally:
        app.stop()


def send(app, index: int, image=None, info=None) -> None:
    app.on_camera_info(info or info_message(LIBRARY, index))
    app.on_image(image or image_message(LIBRARY, index), time.time_ns())


def warnings(caplog) -> list[logging.LogRecord]:
    """With ROS sourced, launch's pytest plug-in lets information through, too."""
    return [record for record in caplog.records if record.levelno >= logging.WARNING]


def wait_for_log(caplog, text: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while text not in caplog.text:
        assert time.monotonic() < deadline, f"no {text!r} in {caplog.text}"
        time.sleep(0.01)


def values(diagnostics) -> dict[str, str]:
    return {pair.key: pair.value for pair in diagnostics.status[0].values}


def test_every_output_of_a_frame(model):
    with running(model, frame_prefix="r/") as (app, outputs):
        assert '"name": "tiny"' in outputs.next(MODEL).data
        send(app, 0)
        hands = outputs.next(HANDS)
        assert (stamp_ns(hands.header), hands.header.frame_id, hands.model_id) == (stamp(0), "depth_optical", "tiny")
        assert len(hands.hands) == 1
        assert outputs.next(TRANSFORMS).transforms[0].child_frame_id == "r/hand_0/wrist"
        assert len(outputs.next(HAND_MARKERS).markers) == 2
        assert stamp_ns(outputs.next(PALM_POSES).header) == stamp(0)


def test_switches(model):
    with running(model, publish_tf=False, publish_markers=False, publish_palm_poses=False) as (app, outputs):
        send(app, 0)
        outputs.next(HANDS)
        send(app, 1)
        outputs.next(HANDS)
        assert outputs.empty(TRANSFORMS) and outputs.empty(HAND_MARKERS) and outputs.empty(PALM_POSES)


def test_only_the_newest_frame_waits(model):
    engine = HeldEngine(load_engine(model))
    with running(model, lambda: engine, diagnostics_period_s=0.1) as (app, outputs):
        send(app, 0)
        assert engine.entered.wait(WAIT_S)
        for index in range(1, 10):  # come while frame 0 is at the network
            send(app, index)
        engine.go.set()
        assert stamp_ns(outputs.next(HANDS).header) == stamp(0)
        assert stamp_ns(outputs.next(HANDS).header) == stamp(9)
        deadline = time.monotonic() + WAIT_S
        while (got := values(outputs.next(DIAGNOSTICS)))["frames"] != "2":
            assert time.monotonic() < deadline
        assert got["dropped"] == "8" and outputs.empty(HANDS)


def test_diagnostics(model):
    with running(model, diagnostics_period_s=0.2) as (app, outputs):
        assert outputs.next(DIAGNOSTICS).status[0].message.startswith("no depth image with its camera info in the last ")
        while not outputs.empty(DIAGNOSTICS):
            outputs.next(DIAGNOSTICS)
        send(app, 0)
        while int(values(message := outputs.next(DIAGNOSTICS))["frames"]) == 0:
            pass
        status = message.status[0]
        assert (status.name, status.level, status.hardware_id) == ("hand_pose: hands", 0, "tiny")
        assert status.message.endswith("1 hand")
        got = values(message)
        stages = [key for key in got if key.endswith("_ms") and key != "age_ms"]
        assert stages == [f"{s}_ms" for s in ("wait", "decode", "localize", "crop", "network", "track", "build")]
        assert (got["backend"], got["model"], got["hands"], got["invalid_depth_share"]) == ("onnxruntime", "tiny", "1", "0.000")


BAD = {
    "encoding": ("encoding", "rgb8", "/depth/image_rect: encoding 'rgb8' is no depth encoding"),
    "step": ("step", 100, "/depth/image_rect: step 100 is less than a row"),
    "data": ("data", np.zeros(10, np.uint8), "/depth/image_rect: image of 10 bytes is smaller than"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_frame_is_logged_once_and_counted_and_the_next_is_answered(model, caplog, name):
    attribute, value, text = BAD[name]
    with running(model, diagnostics_period_s=0.5) as (app, outputs), caplog.at_level(logging.WARNING):
        for index in range(3):
            image = image_message(LIBRARY, index)
            setattr(image, attribute, value)
            send(app, index, image)
            time.sleep(0.05)
        while values(message := outputs.next(DIAGNOSTICS))["errors"] == "0":
            pass
        assert message.status[0].level == 2 and text in message.status[0].message
        send(app, 5)
        assert len(outputs.next(HANDS).hands) == 1
    assert len(warnings(caplog)) == 1 and text in caplog.text


def test_uncalibrated_camera(model, caplog):
    info = info_message(LIBRARY, 0)
    info.k[:] = info.p[:] = 0
    with running(model) as (app, outputs), caplog.at_level(logging.WARNING):
        send(app, 0, info=info)
        wait_for_log(caplog, "/depth/camera_info: camera is not calibrated (fx 0.0, fy 0.0): publish a camera info")
        send(app, 1)
        assert len(outputs.next(HANDS).hands) == 1


@pytest.mark.parametrize(("encoding", "value"), [("16UC1", 0), ("32FC1", np.nan)])
def test_image_without_depth_gives_no_hands_and_a_warning(model, caplog, encoding, value):
    image = image_message(LIBRARY, 0, encoding)
    image.data.view(np.uint16 if encoding == "16UC1" else np.float32)[:] = value
    with running(model, diagnostics_period_s=0.2) as (app, outputs), caplog.at_level(logging.WARNING):
        send(app, 0, image)
        assert outputs.next(HANDS).hands == []
        while int(values(message := outputs.next(DIAGNOSTICS))["frames"]) == 0:
            pass
        assert message.status[0].level == 1 and message.status[0].message == "100% of the depth image is invalid"
    assert "/depth/image_rect: not one valid pixel (all 0 or NaN)" in caplog.text


def test_time_that_goes_back_resets_tracking(model, caplog):
    with running(model) as (app, outputs), caplog.at_level(logging.INFO):
        ids = []
        for index in (50, 51, 0, 1):
            send(app, index)
            ids.append(outputs.next(HANDS).hands[0].id)
        assert ids[0] == ids[1] != ids[2] == ids[3]
    assert "time went back by 1.7 s (a recording began again?): tracking starts anew" in caplog.text


def test_a_frame_that_is_not_newer_is_left_out(model, caplog):
    with running(model) as (app, outputs), caplog.at_level(logging.WARNING):
        send(app, 5)
        assert stamp_ns(outputs.next(HANDS).header) == stamp(5)
        for index in (5, 4):
            send(app, index)
            wait_for_log(caplog, "/depth/image_rect: a frame is left out: its stamp is not newer than the one before")
        send(app, 6)
        assert stamp_ns(outputs.next(HANDS).header) == stamp(6)
    assert len(warnings(caplog)) == 1


def test_diagnostics_when_every_frame_is_left_out(model):
    with running(model, diagnostics_period_s=0.3) as (app, outputs):
        for count in ("frames", "late"):
            send(app, 5)
            while values(message := outputs.next(DIAGNOSTICS))[count] == "0":
                pass
        status = message.status[0]
        assert status.level == 1 and status.message.startswith("all 1 images of the last 0.")
        assert "left out: stamps not newer than the one before (does the driver set header.stamp?" in status.message
        assert outputs.next(DIAGNOSTICS).status[0].message.startswith("no depth image with its camera info in the last 0.")


def test_a_message_that_cannot_be_published_does_not_cost_the_others(model, caplog):
    class Deaf(Outputs):
        def __call__(self, spec, message) -> None:
            if spec == HANDS:
                raise TimeoutError("a subscriber hangs")
            super().__call__(spec, message)

    with running(model, outputs=Deaf(), diagnostics_period_s=0.3) as (app, outputs), caplog.at_level(logging.WARNING):
        for index in range(2):
            send(app, index)
            for spec in (TRANSFORMS, HAND_MARKERS, PALM_POSES):
                outputs.next(spec)
        while values(message := outputs.next(DIAGNOSTICS))["publish_errors"] == "0":
            pass
        status = message.status[0]
        assert status.level == 1 and status.message.endswith("the last: /hands: TimeoutError('a subscriber hangs')")
    assert len(warnings(caplog)) == 1
    assert "a message could not be published on /hands: TimeoutError('a subscriber hangs')" in caplog.text


def test_a_fault_beside_the_frames_does_not_end_the_worker(model, caplog):
    class Faulty(Parameters):
        def pipeline_settings(self):
            raise RuntimeError("no such setting")

    with running(model) as (app, outputs), caplog.at_level(logging.WARNING):
        app.set_parameters(Faulty())
        wait_for_log(caplog, "a request could not be carried out: RuntimeError('no such setting')")
        send(app, 0)
        assert len(outputs.next(HANDS).hands) == 1


def test_report_of_missing_camera_infos(model, caplog):
    with running(model) as (app, _), caplog.at_level(logging.WARNING):
        for index in range(20):
            app.on_image(image_message(LIBRARY, index), time.time_ns())
        wait_for_log(caplog, "5 s: images 20, camera infos 0, pairs 0: is /depth/camera_info published?")


def test_a_fault_in_perception_does_not_end_the_node(model, caplog):
    class Faulty(HeldEngine):
        def infer(self, inputs):
            if not self.go.is_set():
                raise RuntimeError("out of memory")
            return self._engine.infer(inputs)

    engine = Faulty(load_engine(model))
    with running(model, lambda: engine) as (app, outputs), caplog.at_level(logging.WARNING):
        send(app, 0)
        wait_for_log(caplog, "/depth/image_rect: a frame could not be answered: RuntimeError('out of memory')")
        engine.go.set()
        send(app, 1)
        assert len(outputs.next(HANDS).hands) == 1


def test_a_model_that_cannot_be_used_is_told_to_the_caller(tmp_path):
    app = HandPoseApp(Parameters(), LIBRARY, Outputs(), lambda: load_engine(tmp_path / "none.onnx"))
    with pytest.raises(ModelError, match="none.onnx does not exist"):
        app.start()


def test_markers_of_a_lost_hand_are_deleted(model):
    empty = image_message(LIBRARY, 0)
    empty.data.view(np.uint16)[:] = 1400
    with running(model, lost_frames=1) as (app, outputs):
        send(app, 0)
        assert [m.action for m in outputs.next(HAND_MARKERS).markers] == [0, 0]
        empty.header = image_message(LIBRARY, 1).header
        send(app, 1, empty)
        assert [m.action for m in outputs.next(HAND_MARKERS).markers] == [2, 2]


def test_image_without_a_frame_gives_hands_but_no_transforms(model, caplog):
    image, info = image_message(LIBRARY, 0), info_message(LIBRARY, 0, frame_id="")
    image.header = info.header
    with running(model) as (app, outputs), caplog.at_level(logging.WARNING):
        send(app, 0, image, info)
        assert len(outputs.next(HANDS).hands) == 1
        outputs.next(PALM_POSES)
        assert outputs.empty(TRANSFORMS)
    assert "/depth/image_rect: its frame_id is empty, so no TF frames are published" in caplog.text


def test_parameters_change_between_frames(model):
    with running(model, diagnostics_period_s=60.0) as (app, outputs):
        send(app, 0)
        (hand,) = outputs.next(HANDS).hands
        app.set_parameters(Parameters(publish_markers=False))
        send(app, 1)
        assert [h.id for h in outputs.next(HANDS).hands] == [hand.id]  # the hand is kept
        outputs.next(HAND_MARKERS)
        app.set_parameters(Parameters(max_depth_m=0.4, lost_frames=1))
        send(app, 2)  # the hand is at 0.5 m
        assert outputs.next(HANDS).hands == []
        assert [m.action for m in outputs.next(HAND_MARKERS).markers] == [2, 2]  # of frame 2: frame 1 had none


def test_reset_gives_the_hand_another_id(model):
    with running(model) as (app, outputs):
        ids = []
        for index in range(3):
            send(app, index)
            ids.append(outputs.next(HANDS).hands[0].id)
            if index == 1:
                app.reset_tracking()
        assert ids == [1, 1, 2]


def test_disabled_it_answers_nothing_and_says_so(model, caplog):
    with running(model, diagnostics_period_s=0.1) as (app, outputs), caplog.at_level(logging.WARNING):
        send(app, 0)
        outputs.next(HANDS)
        app.set_enabled(False, "inactive")
        send(app, 1)
        while (status := outputs.next(DIAGNOSTICS).status[0]).message != "inactive":
            pass
        assert status.level == 0 and outputs.empty(HANDS)
        app.set_enabled(True)
        app.on_image(image_message(LIBRARY, 2), time.time_ns())  # its camera info has to come again
        app.on_camera_info(info_message(LIBRARY, 2))
        assert [h.id for h in outputs.next(HANDS).hands] == [2]
    assert not warnings(caplog)


def test_a_frame_that_was_taken_just_before_disabling_is_not_answered(model):
    taken, go = threading.Event(), threading.Event()

    class Slow(Parameters):
        def pipeline_settings(self):
            taken.set()
            assert go.wait(WAIT_S)
            return super().pipeline_settings()

    engine = HeldEngine(load_engine(model))
    with running(model, lambda: engine, diagnostics_period_s=0.1) as (app, outputs):
        send(app, 0)
        assert engine.entered.wait(WAIT_S)
        send(app, 1)
        app.set_parameters(Slow(diagnostics_period_s=0.1))
        engine.go.set()
        assert taken.wait(WAIT_S)  # the worker has taken frame 1 and is at the task before it
        app.set_enabled(False, "inactive")
        go.set()
        while outputs.next(DIAGNOSTICS).status[0].message != "inactive":
            pass
        assert stamp_ns(outputs.next(HANDS).header) == stamp(0) and outputs.empty(HANDS)


def compressed_message(index: int):
    payload = bytes(12) + cv2.imencode(".png", depth_counts(index))[1].tobytes()
    return LIBRARY.make(
        "sensor_msgs/msg/CompressedImage",
        header=image_message(LIBRARY, index).header,
        format="16UC1; compressedDepth png",
        data=np.frombuffer(payload, np.uint8),
    )


def test_compressed_depth_gives_the_same_hands(model, caplog):
    with running(model) as (app, outputs):
        send(app, 0)
        expected = outputs.next(HANDS)
    with running(model, depth_transport="compressedDepth") as (app, outputs), caplog.at_level(logging.WARNING):
        broken = compressed_message(0)
        broken.data = broken.data[:40]
        send(app, 0, broken)
        wait_for_log(caplog, "/depth/image_rect/compressedDepth: compressed depth cannot be read as PNG")
        broken.format = "jpeg"
        send(app, 1, broken)
        wait_for_log(caplog, "/depth/image_rect/compressedDepth: format 'jpeg' is no compressed depth")
    with running(model, depth_transport="compressedDepth") as (app, outputs):
        send(app, 0, compressed_message(0))
        got = outputs.next(HANDS)
        assert len(got.hands) == 1 and got.hands[0].positions == expected.hands[0].positions


def inputs(app) -> dict:
    return dict(app.inputs())


@pytest.mark.parametrize(
    ("values", "topics"),
    [
        ({}, [CAMERA_INFO, DEPTH_IMAGE]),
        ({"use_detections": True}, [DETECTIONS, CAMERA_INFO, DEPTH_IMAGE]),
        ({"overlay_color": True}, [COLOR_INFO, COLOR_IMAGE, CAMERA_INFO, DEPTH_IMAGE]),
    ],
)
def test_what_it_listens_to(model, values, topics):
    with running(model, **values) as (app, _):
        assert list(inputs(app)) == topics


def test_hands_are_taken_up_in_detections_alone(model, caplog):
    with running(model, use_detections=True, diagnostics_period_s=0.1) as (app, outputs), caplog.at_level(logging.WARNING):
        detect = inputs(app)[DETECTIONS]
        send(app, 0)
        assert outputs.next(HANDS).hands == []
        text = "/detections: none has come: is it published? No new hand is taken up (use_detections is on)"
        while (status := outputs.next(DIAGNOSTICS).status[0]).level == 0 or "images:" not in status.message:
            pass
        assert status.message == f"1 of 1 images: {text}"
        detect(detections_message(LIBRARY, 1, (30.0, 30.0, 65.0, 70.0)), 0)
        send(app, 1)
        assert len(outputs.next(HANDS).hands) == 1
        app.set_enabled(False, "inactive")
        app.set_enabled(True)
        send(app, 2)  # those that came before are forgotten
        assert outputs.next(HANDS).hands == []
    assert [record.getMessage() for record in warnings(caplog)] == [text]


def test_the_overlay_is_made_when_someone_listens_and_after_the_hands(model):
    listening = threading.Event()
    with running(model, listened=lambda spec: spec is OVERLAY and listening.is_set()) as (app, outputs):
        send(app, 0)
        outputs.next(HANDS)
        listening.set()
        send(app, 1)
        assert stamp_ns(outputs.next(OVERLAY).header) == stamp(1)
        assert outputs.empty(OVERLAY) and not outputs.empty(HANDS)


def test_an_overlay_that_hangs_does_not_hold_up_the_hands(model):
    entered, go = threading.Event(), threading.Event()

    class Slow(Outputs):
        def __call__(self, spec, message) -> None:
            if spec is OVERLAY:
                entered.set()
                assert go.wait(WAIT_S)
            super().__call__(spec, message)

    with running(model, outputs=Slow(), listened=lambda _: True) as (app, outputs):
        for index in range(5):
            send(app, index)
            assert stamp_ns(outputs.next(HANDS).header) == stamp(index)
            assert entered.wait(WAIT_S)
        go.set()
        assert [stamp_ns(outputs.next(OVERLAY).header) for _ in range(2)] == [stamp(0), stamp(4)]


def test_a_colour_image_that_is_missing_is_said_in_log_and_diagnostics(model, caplog):
    text = "/color/image_rect: no image near the depth image's stamp (is it published?): the overlay is drawn on the depth image"
    with running(model, listened=lambda _: True, overlay_color=True, diagnostics_period_s=0.1) as (app, outputs):
        send(app, 0)
        outputs.next(OVERLAY)
        while values(outputs.next(DIAGNOSTICS)).get("overlay") != text:
            pass
        wait_for_log(caplog, text)
        inputs(app)[COLOR_IMAGE](color_message(LIBRARY, 1), 0)
        send(app, 1)
        assert outputs.next(OVERLAY).data[:3].tolist() == [20, 0, 0]  # the colour image's corner
        while values(outputs.next(DIAGNOSTICS)).get("overlay") != "drawn":
            pass


def test_the_engines_state_is_in_diagnostics_and_it_is_closed_by_the_worker(model):
    class Building(HeldEngine):
        status = "building TensorRT plan: 43 %"
        closed_by = None

        def close(self) -> None:
            self.closed_by = threading.current_thread().name

    engine = Building(load_engine(model))
    with running(model, lambda: engine, diagnostics_period_s=0.1) as (_, outputs):
        assert values(outputs.next(DIAGNOSTICS))["engine"] == "building TensorRT plan: 43 %"
    assert engine.closed_by == "hand-pose"
