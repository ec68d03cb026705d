"""Recordings of runs: what the node says of itself, and repeating it."""

import json
import logging
from dataclasses import replace

import numpy as np
import pytest
from small_bags import IMAGE_TOPIC, INFO_TOPIC, image_message, info_message, stamp
from tiny_model import write_tiny_model

from hand_pose_ros.bags.recorded_run import read_recorded_run
from hand_pose_ros.bags.recorder import STATIC_TRANSFORMS, header_stamp, recorded_inputs
from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.cli import main
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.parameters import ParameterError, Parameters
from hand_pose_ros.live.run_info import RunInfo, RunInfoError, describe_run, digest
from hand_pose_ros.live.step import FrameStep
from hand_pose_ros.live.topics import (
    CAMERA_INFO,
    COLOR_IMAGE,
    COLOR_INFO,
    COMPRESSED_DEPTH,
    DEPTH_IMAGE,
    DETECTIONS,
    HANDS,
    RUN_INFO,
)
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

FRAMES = range(12)
UNANSWERED = (3, 7, 8)
NAMES = {"depth/image_rect": IMAGE_TOPIC, "depth/camera_info": INFO_TOPIC}


def topic_name(name):
    return NAMES.get(name, "/" + name.lstrip("/"))


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(scope="module")
def engine(model):
    return load_engine(model)


def parameters_of(model, **values):
    return Parameters(model=str(model), detector="none", smoothing=0.8, **values)


def described(engine, parameters):
    return describe_run(parameters, engine, needs_color=False, node="hand_pose", topic_name=topic_name)


def write_run(path, engine, parameters, *, runs=1, start=0, shift_m=0.0, unseen=()):
    """A run as a recorder has it: every image, and the hands of those that were answered."""
    library = RosbagsLibrary()
    step = FrameStep(engine, library, parameters)
    with BagWriter(path, library) as writer:

        def write(topic, typename, message, index):
            if topic not in writer._topics:
                writer.add_topic(topic, typename)
            writer.write(topic, stamp(index), library.serialize(message, typename))

        for number in range(runs):
            text = described(engine, replace(parameters, max_hands=2 + number)).to_json()
            write("/run_info", RUN_INFO.typename, library.make(RUN_INFO.typename, data=text), 0)
        for index in FRAMES:
            info, image = info_message(library, index), image_message(library, index)
            write(INFO_TOPIC, CAMERA_INFO.typename, info, index)
            if index not in unseen:
                write(IMAGE_TOPIC, DEPTH_IMAGE.typename, image, index)
            if index in UNANSWERED:
                continue
            hands = next(message for spec, message in step.run(image, info).messages if spec is HANDS)
            if index >= start:
                for point in hands.hands[0].positions:
                    point.x += shift_m
                write("/hands", HANDS.typename, hands, index)
    return path


def repeated(recording, out, *arguments):
    assert main(["replay", str(recording), "--as-recorded", "--out", str(out), "--no-video", *arguments]) == 0
    return json.loads((out / "figures.json").read_text())["as_recorded"]


def test_a_run_repeats_with_its_parameters_and_answered_frames(model, engine, tmp_path, capsys):
    recording = write_run(tmp_path / "run", engine, parameters_of(model))
    figures = repeated(recording, tmp_path / "out")
    assert figures == {"frames": 9, "alike": 9, "max_joint_difference_mm": 0.0}
    assert "9 of 9 frames give the recorded hands, joints within 0.0000 mm" in capsys.readouterr().out
    lines = (tmp_path / "out/joints.jsonl").read_text().splitlines()
    assert [json.loads(line)["stamp_ns"] for line in lines] == [stamp(i) for i in FRAMES if i not in UNANSWERED]


def test_other_parameters_give_other_hands_and_it_is_said(model, engine, tmp_path, capsys):
    recording = write_run(tmp_path / "run", engine, parameters_of(model))
    figures = repeated(recording, tmp_path / "out", "--set", "smoothing:=0.0")
    assert figures["alike"] < figures["frames"] and figures["max_joint_difference_mm"] > 0.01
    assert "others where the recording began while hands were followed" in capsys.readouterr().out


def test_answers_without_their_image_are_counted(model, engine, tmp_path, capsys):
    recording = write_run(tmp_path / "run", engine, parameters_of(model), unseen=(10, 11))
    assert repeated(recording, tmp_path / "out")["frames"] == 7
    assert "7 of 7 frames give the recorded hands" in (told := capsys.readouterr().out)
    assert "2 more answers were not repeated: their images are not in the recording" in told


def test_the_difference_is_measured(model, engine, tmp_path):
    recording = write_run(tmp_path / "run", engine, parameters_of(model), shift_m=0.002)
    figures = repeated(recording, tmp_path / "out")
    assert figures["alike"] == 0 and figures["max_joint_difference_mm"] == pytest.approx(2, abs=1e-3)


def test_another_model_is_an_error_unless_it_is_asked_for(model, engine, tmp_path, capsys, caplog):
    own = tmp_path / "own.onnx"
    own.write_bytes(model.read_bytes())
    recording = write_run(tmp_path / "run", engine, parameters_of(own))
    write_tiny_model(own, 80)
    assert digest(own) != digest(model)
    assert main(["replay", str(recording), "--as-recorded", "--out", str(tmp_path / "out"), "--no-video"]) == 1
    told = capsys.readouterr().err
    assert f"recorded with the model of SHA-256 {digest(model)[:12]}" in told and "--model" in told
    with caplog.at_level(logging.WARNING):
        repeated(recording, tmp_path / "out", "--model", str(own))
    assert "the hands are others" in caplog.text
    assert repeated(recording, tmp_path / "again", "--model", str(model))["alike"] == 9


def test_a_recording_of_no_run_is_said(model, tmp_path, capsys):
    library = RosbagsLibrary()
    with BagWriter(tmp_path / "plain", library) as writer:
        writer.add_topic(IMAGE_TOPIC, DEPTH_IMAGE.typename)
        writer.write(IMAGE_TOPIC, stamp(0), library.serialize(image_message(library, 0), DEPTH_IMAGE.typename))
    assert main(["replay", str(tmp_path / "plain"), "--as-recorded", "--out", str(tmp_path / "out")]) == 1
    assert "plain has no topic run_info" in capsys.readouterr().err


def test_parameters_that_changed_are_warned_of(model, engine, tmp_path, caplog):
    recording = write_run(tmp_path / "run", engine, parameters_of(model), runs=2)
    with caplog.at_level(logging.WARNING):
        recorded = read_recorded_run(recording, RosbagsLibrary())
    assert "parameters changed" in caplog.text and recorded.run.parameters.max_hands == 2


def test_of_two_runs_one_is_to_be_named(model, engine, tmp_path):
    library = RosbagsLibrary()
    text = described(engine, parameters_of(model)).to_json()
    with BagWriter(tmp_path / "two", library) as writer:
        for topic in ("/left/run_info", "/right/run_info"):
            writer.add_topic(topic, RUN_INFO.typename)
            writer.write(topic, 1, library.serialize(library.make(RUN_INFO.typename, data=text), RUN_INFO.typename))
    with pytest.raises(RunInfoError, match=r"has the runs /left/run_info, /right/run_info: name one of them"):
        read_recorded_run(tmp_path / "two", library)
    assert read_recorded_run(tmp_path / "two", library, "/right/run_info").run.node == "hand_pose"


def test_a_run_is_described_and_read_again(model, engine):
    parameters = parameters_of(model, workspace_box=(-np.inf, -1.0, 0.0, np.inf, 1.0, 2.0), depth_transport="compressedDepth")
    run = described(engine, parameters)
    text = run.to_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert RunInfo.from_json(text, "here") == run
    assert run.model == "tiny" and run.model_sha256 == digest(model) and run.detector_sha256 == ""
    assert run.topics["hands"] == "/hands" and run.topics["depth/camera_info"] == INFO_TOPIC
    assert IMAGE_TOPIC + "/compressedDepth" in run.topics.values()


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 99}', '{"schema": 1, "parameters": {}}'])
def test_what_describes_no_run_is_an_error_that_says_where(text):
    with pytest.raises(RunInfoError, match=r"bag, /run_info: this is no description of a run"):
        RunInfo.from_json(text, "bag, /run_info")


def test_a_parameter_of_another_version_is_named(model, engine):
    content = json.loads(described(engine, parameters_of(model)).to_json())
    content["parameters"]["magic"] = 1
    with pytest.raises(ParameterError, match="unknown parameter 'magic'"):
        RunInfo.from_json(json.dumps(content), "here")


def test_inputs_follow_from_the_parameters(model, engine):
    def inputs(**values):
        return recorded_inputs(described(engine, parameters_of(model, **values)))

    assert inputs() == [CAMERA_INFO, DEPTH_IMAGE]
    assert inputs(overlay_color=True, use_detections=True) == [CAMERA_INFO, COLOR_INFO, COLOR_IMAGE, DETECTIONS, DEPTH_IMAGE]
    assert STATIC_TRANSFORMS in inputs(target_frame="base_link")
    compressed = inputs(depth_transport="compressedDepth")[-1]
    assert compressed.typename == COMPRESSED_DEPTH.typename and compressed.name == IMAGE_TOPIC + "/compressedDepth"


def test_stamp_of_serialised_bytes():
    library = RosbagsLibrary()
    cdr = bytes(library.serialize(image_message(library, 5), DEPTH_IMAGE.typename))
    assert header_stamp(cdr) == divmod(stamp(5), 10**9)
    assert header_stamp(bytes([0, 0, 0, 0]) + (7).to_bytes(4, "big") + (9).to_bytes(4, "big")) == (7, 9)
