import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from small_bags import HANDS, HEIGHT, IMAGE_TOPIC, TRUTH_TOPIC, WIDTH, image_message, stamp, write_bag, write_png_folder
from tiny_model import OFFSETS, tiny_card, write_tiny_model

from hand_pose_ros.bags.answer import answers
from hand_pose_ros.bags.offline import not_repeated
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.source import open_source
from hand_pose_ros.bags.tally import Tally
from hand_pose_ros.cli import main
from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.onnxruntime_engine import OnnxRuntimeEngine
from hand_pose_ros.live.finder import load_detector
from hand_pose_ros.live.parameters import ParameterError, Parameters
from hand_pose_ros.live.step import FrameStep
from hand_pose_ros.messages.library import make_header, stamp_ns
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame
from hand_pose_ros.skeleton import HAND21
from hand_pose_ros.viz.pictures import SAMPLED_PICTURES

ROOT = Path(__file__).parents[2]


def replay(recording, out, model, *more):
    return main(["replay", str(recording), "--out", str(out), "--model", str(model), *more])


def figures(out):
    return json.loads((out / "figures.json").read_text())


def lines(out):
    return [json.loads(line) for line in (out / "joints.jsonl").read_text().splitlines()]


def truth_messages(library, frames, offset_m):
    """The answers of the tiny model (whose joints have fixed offsets), moved by `offset_m`, as known joints."""

    def message(index, joints):
        points = [library.make("geometry_msgs/msg/Point", x=x, y=y, z=z) for x, y, z in joints + offset_m]
        hand = library.make("hand_pose_ros/msg/HandPose", joint_names=list(HAND21.joint_names), positions=points)
        return library.make(HANDS, header=make_header(library, stamp(index), "c"), hands=[hand])

    return {index: message(index, joints) for index, joints in frames.items()}


def test_a_bag_gives_hands_pictures_video_and_figures(tmp_path, library, model, capsys):
    assert replay(write_bag(tmp_path / "in", library, 8), tmp_path / "out", model) == 0
    out = tmp_path / "out"
    with BagReader(out / "bag") as bag:
        assert bag.types == {
            "/hands": HANDS,
            "/hand_markers": "visualization_msgs/msg/MarkerArray",
            "/palm_poses": "geometry_msgs/msg/PoseArray",
            "/hand_joint_states": "sensor_msgs/msg/JointState",
            "/hand_grasps": "hand_pose_ros/msg/HandGraspArray",
            "/grasp_pose": "geometry_msgs/msg/PoseStamped",
            "/hand_bones": "std_msgs/msg/String",
            "/tf": "tf2_msgs/msg/TFMessage",
            "/model": "std_msgs/msg/String",
        }
        assert bag.counts["/hands"] == bag.counts["/tf"] == 8 and bag.counts["/model"] == 1
        hands = [library.deserialize(m.cdr, HANDS) for m in bag.messages({"/hands"})]
    assert [stamp_ns(h.header) for h in hands] == [stamp(i) for i in range(8)]
    assert all(len(h.hands) == 1 and h.header.frame_id == "depth_optical" and h.model_id == "tiny" for h in hands)
    found = figures(out)
    assert (found["frames"], found["frames_with_hand"], found["frames_failed"], found["complete"]) == (8, 8, 0, True)
    assert found["recording_rate_hz"] == pytest.approx(30, abs=0.01)
    assert {
        f"{s}_p{p}_ms" for s in ("decode", "localize", "crop", "network", "track", "build", "total") for p in (50, 99)
    } <= set(found)
    assert sorted(p.name for p in (out / "pictures").iterdir()) == [f"{i:06d}.png" for i in range(8)]
    assert cv2.imread(str(out / "pictures/000003.png")).shape == (HEIGHT, WIDTH + HEIGHT, 3)
    assert cv2.VideoCapture(str(out / "overlay.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 8
    printed = capsys.readouterr().out
    assert "8 of 8 frames with a hand" in printed and str(out / "overlay.mp4") in printed


def test_replay_answers_as_the_pipeline_called_by_hand(tmp_path, library, model):
    bag = write_bag(tmp_path / "in", library, 6)
    assert replay(bag, tmp_path / "out", model, "--no-video") == 0
    with BagReader(tmp_path / "out/bag") as out:
        messages = [library.deserialize(m.cdr, HANDS) for m in out.messages({"/hands"})]
    pipeline = Pipeline(load_engine(model), Parameters(smoothing=0.0).pipeline_settings(), load_detector(Parameters()))
    camera = Camera(WIDTH, HEIGHT, 150.0, 150.0, (WIDTH - 1) / 2, (HEIGHT - 1) / 2)
    for index, message in enumerate(messages):
        counts = image_message(library, index).data.view(np.uint16).reshape(HEIGHT, WIDTH)
        depth = counts * np.float32(0.001)
        hand = pipeline.process(DepthFrame(depth, camera, stamp(index), "depth_optical")).hands[0]
        positions = [(p.x, p.y, p.z) for p in message.hands[0].positions]
        assert np.abs(np.array(positions) - hand.joints).max() < 1e-6
        assert np.abs(message.hands[0].covariance.reshape(21, 6) - hand.covariance).max() < 1e-6


def test_known_joints_are_scored_in_millimetres(tmp_path, library, model):
    assert replay(write_bag(tmp_path / "a", library, 4), tmp_path / "first", model, "--no-video") == 0
    answers = [np.array([j["xyz_m"] for j in line["hands"][0]["joints"].values()]) for line in lines(tmp_path / "first")]
    # Known joints 3 mm right and 4 mm below of the answers in frames 0 and 1, 200 mm away in frame 2, none for frame 3.
    truth = truth_messages(library, dict(enumerate(answers[:2])), np.array([0.003, 0.004, 0.0]))
    truth |= truth_messages(library, {2: answers[2]}, np.array([0.0, 0.2, 0.0]))
    assert replay(write_bag(tmp_path / "b", library, 4, truth=truth), tmp_path / "second", model, "--no-video") == 0
    known = figures(tmp_path / "second")["known_joints"]
    assert known["mean_error_mm"] == pytest.approx(5.0, abs=0.02) and known["median_error_mm"] == pytest.approx(5.0, abs=0.02)
    assert (known["frames_with_known_joints"], known["frames_within_50mm"]) == (3, 2)
    assert (known["true_hands"], known["missed_hands"], known["false_hands"]) == (3, 1, 1)
    assert known["good_frames_20mm"] == 1.0


@pytest.mark.parametrize(("precision", "file"), [("fp32", "mine.onnx"), ("fp16", "mine_fp16.onnx")])
def test_the_file_that_ran_is_told_not_the_one_that_was_named(tmp_path, library, capsys, precision, file):
    named = write_tiny_model(tmp_path / "mine.onnx")
    write_tiny_model(tmp_path / "mine_fp16.onnx", card=tiny_card(precision="fp16").to_json())
    bag = write_bag(tmp_path / "in", library, 2)
    assert replay(bag, tmp_path / "out", named, "--no-video", "--set", f"precision:={precision}") == 0
    told = {"model": "tiny", "model_file": file, "precision": precision, "backend": "onnxruntime"}
    assert figures(tmp_path / "out") | told == figures(tmp_path / "out")
    assert f"model: tiny ({file}, {precision}) on onnxruntime" in capsys.readouterr().out


def test_what_was_scored_is_not_kept(tmp_path, library, model):
    truth = truth_messages(library, {i: np.zeros((21, 3)) for i in range(20)}, 0.0)
    bag, engine = write_bag(tmp_path / "in", library, 20, truth=truth), load_engine(model)
    with closing(open_source(bag, library, truth_topic=TRUTH_TOPIC)) as source:
        tally = Tally(source, engine)
        before, later = range(-2000, 0), range(1 << 62, (1 << 62) + 2000)  # as of a recording whose known joints come first
        source.truth.update(dict.fromkeys([*before, *later], truth[0]))
        given = []
        for answer in answers(source, engine, Parameters(model=str(model)), library):
            assert len(tally.true_joints(answer)) == 1
            tally.add(answer)
            assert answer.result.stamp_ns not in source.truth
            assert source.truth.keys() >= set(later) and not source.truth.keys() & set(before)
            given.append(answer.result.stage_ms["total"])
    found = tally.figures()
    assert found["known_joints"]["true_hands"] == found["known_joints"]["frames_with_known_joints"] == 20
    assert found["frames_per_second"] == pytest.approx(1e3 / np.mean(given), rel=0.01)
    assert min(given) <= found["total_p50_ms"] <= found["total_p99_ms"] <= max(given) + 0.01
    assert np.sum(np.array(given) <= 1.01 * found["total_p50_ms"]) >= 10


def test_a_folder_of_images_gives_a_picture_of_each(tmp_path, library, model):
    folder = write_png_folder(tmp_path / "in", ["b/2.png", "b/10.png", "a/1.png"])
    assert replay(folder, tmp_path / "out", model, "--rate", "2", "--frame-id", "cam") == 0
    found = lines(tmp_path / "out")
    assert [line["frame"] for line in found] == ["a/1.png", "b/2.png", "b/10.png"]
    assert {line["frame_id"] for line in found} == {"cam"} and all(line["hands"] for line in found)
    assert sorted(p.name for p in (tmp_path / "out/pictures").iterdir()) == ["a_1.png", "b_10.png", "b_2.png"]
    # The hand is at 0.5 m, so pixels and metres of every joint agree by the camera file.
    for joint in found[0]["hands"][0]["joints"].values():
        x, y, z = joint["xyz_m"]
        assert z == pytest.approx(0.5, abs=1e-3)
        assert joint["uv_px"] == pytest.approx([150 * x / z + 79.5, 150 * y / z + 59.5], abs=0.02)
    assert len(OFFSETS) == len(found[0]["hands"][0]["joints"])


def ids(out):
    return [line["hands"][0]["id"] for line in lines(out)]


def test_the_detector_is_given_back_after_the_last_frame_or_when_nobody_wants_more(tmp_path, library, model, monkeypatch):
    given_back, close = [], FrameStep.close
    monkeypatch.setattr(FrameStep, "close", lambda step: (given_back.append(step), close(step)))
    with closing(open_source(write_bag(tmp_path / "in", library, 3), library)) as source:
        parameters = Parameters(model=str(model))
        assert len(list(answers(source, load_engine(model), parameters, library))) == 3
        assert len(given_back) == 1
        left = answers(source, load_engine(model), parameters, library)
        next(left)
        assert len(given_back) == 1
        left.close()
        assert len(given_back) == 2


def test_tracking_starts_anew_with_each_sequence_or_each_frame(tmp_path, model):
    folder = write_png_folder(tmp_path / "in", ["a/0.png", "a/1.png", "b/0.png", "b/1.png"])
    assert replay(folder, tmp_path / "tracked", model, "--no-video") == 0
    first, second, third, fourth = ids(tmp_path / "tracked")
    assert first == second != third == fourth
    assert replay(folder, tmp_path / "alone", model, "--no-video", "--no-tracking") == 0
    assert len(set(ids(tmp_path / "alone"))) == 4


def test_depth_scale_of_the_camera_file_holds_and_a_parameter_beats_it(tmp_path, model):
    folder = write_png_folder(tmp_path / "in", ["0.png"])
    camera = folder / "camera.yaml"
    camera.write_text(camera.read_text().replace("depth_scale: 0.001", "depth_scale: 0.0008"))
    for name, more, z in (("file", (), 0.4), ("set", ("--set", "depth_scale:=0.0012"), 0.6)):
        assert replay(folder, tmp_path / name, model, "--no-video", *more) == 0
        assert lines(tmp_path / name)[0]["hands"][0]["joints"]["wrist"]["xyz_m"][2] == pytest.approx(z, abs=1e-3)


def test_parameters_come_from_files_and_settings(tmp_path, library, model, capsys):
    bag = write_bag(tmp_path / "in", library, 2)
    file = tmp_path / "p.yaml"
    file.write_text("/**:\n  ros__parameters:\n    publish_tf: false\n    frame_prefix: a_\n")
    assert (
        replay(bag, tmp_path / "out", model, "--params-file", str(file), "--set", "publish_palm_poses:=false", "--no-video") == 0
    )
    with BagReader(tmp_path / "out/bag") as out:
        assert out.counts["/tf"] == out.counts["/palm_poses"] == 0 and out.counts["/hand_markers"] == 2
    assert replay(bag, tmp_path / "other", model, "--set", "max_handz:=2") == 1
    assert "unknown parameter 'max_handz': did you mean max_hands" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()
    with pytest.raises(ParameterError):
        Parameters().with_values({"max_handz": 2})


def test_images_may_be_copied_into_the_recording(tmp_path, library, model):
    assert replay(write_bag(tmp_path / "in", library, 3), tmp_path / "out", model, "--with-images", "--no-video") == 0
    with BagReader(tmp_path / "out/bag") as out:
        assert out.counts["/depth/image_rect"] == out.counts["/depth/camera_info"] == 3


def test_long_recordings_give_a_sample_of_pictures(tmp_path, library, model):
    assert replay(write_bag(tmp_path / "in", library, 101), tmp_path / "out", model, "--no-video") == 0
    names = sorted(p.stem for p in (tmp_path / "out/pictures").iterdir())
    assert len(names) == SAMPLED_PICTURES and names[0] == "000000" and names[-1] == "000100"
    assert not (tmp_path / "out/overlay.mp4").exists()


# -- what goes wrong


def test_a_folder_with_something_in_it_is_not_touched(tmp_path, library, model, capsys):
    bag, out = write_bag(tmp_path / "in", library, 2), tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("keep")
    assert replay(bag, out, model, "--no-video") == 1
    assert f"output folder {out} is not empty" in (said := capsys.readouterr().err) and "--overwrite" in said
    assert [p.name for p in out.iterdir()] == ["mine.txt"]
    for _ in range(2):
        assert replay(bag, out, model, "--no-video", "--overwrite") == 0
    assert (out / "mine.txt").read_text() == "keep" and figures(out)["frames"] == 2


def test_frames_that_cannot_be_read_are_counted_and_the_others_answered(tmp_path, library, model, monkeypatch, caplog):
    import small_bags

    good = small_bags.image_message
    monkeypatch.setattr(small_bags, "image_message", lambda lib, i: good(lib, i) if i != 1 else cut(good(lib, i)))

    def cut(image):
        image.data = image.data[:100]
        return image

    assert replay(write_bag(tmp_path / "in", library, 3), tmp_path / "out", model) == 0
    assert (figures(tmp_path / "out")["frames"], figures(tmp_path / "out")["frames_failed"]) == (3, 1)
    assert "smaller than 120 rows" in lines(tmp_path / "out")[1]["error"]
    assert "frame 000001: image of 100 bytes" in caplog.text


def test_a_damaged_message_costs_one_frame(tmp_path, library, model, capsys):
    bag = write_bag(tmp_path / "in", library, 5, damaged=[(IMAGE_TOPIC, 2)])
    assert replay(bag, tmp_path / "out", model, "--no-video") == 0
    assert [bool(line["hands"]) for line in lines(tmp_path / "out")] == [True, True, False, True, True]
    assert "5 frames with a hand, 1 not answered" in capsys.readouterr().out
    assert figures(tmp_path / "out")["complete"]


def test_frames_without_stamps_are_told_with_the_likely_cause(tmp_path, library, model, monkeypatch):
    import small_bags

    good = small_bags.image_message

    def without_stamp(lib, index):
        image = good(lib, index)
        image.header = make_header(lib, 0, image.header.frame_id)
        return image

    monkeypatch.setattr(small_bags, "image_message", without_stamp)
    assert replay(write_bag(tmp_path / "in", library, 3), tmp_path / "out", model, "--no-video") == 0
    assert [line.get("error", "") for line in lines(tmp_path / "out")][1:] == [
        "its stamp is 0.0 ms behind, not newer than the one before (published twice? stamp not set?)"
    ] * 2


def test_a_detector_that_is_none_is_said_before_anything_is_written(tmp_path, library, model, capsys):
    bag = write_bag(tmp_path / "in", library, 2)
    assert replay(bag, tmp_path / "out", model, "--set", f"detector:={model}") == 1
    assert "detector" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_an_unexpected_fault_costs_one_frame(tmp_path, library, model, monkeypatch):
    engine_infer, calls = OnnxRuntimeEngine.infer, []

    def failing(self, inputs):
        if "depth_crop" in inputs:  # of the model, not of the detector
            calls.append(1)
            if len(calls) == 3:
                raise RuntimeError("out of memory")
        return engine_infer(self, inputs)

    monkeypatch.setattr(OnnxRuntimeEngine, "infer", failing)
    assert replay(write_bag(tmp_path / "in", library, 6), tmp_path / "out", model, "--no-video") == 0
    found = lines(tmp_path / "out")
    (failed,) = [i for i, line in enumerate(found) if "error" in line]
    assert found[failed]["error"] == "it could not be answered: RuntimeError('out of memory')"
    assert all(line["hands"] for i, line in enumerate(found) if i != failed)
    assert (figures(tmp_path / "out")["frames"], figures(tmp_path / "out")["frames_failed"]) == (6, 1)


def open_files():
    return {os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")}


def test_a_recording_is_closed_whatever_goes_wrong(tmp_path, library, model):
    bag = write_bag(tmp_path / "in", library, 2)
    (tmp_path / "full").mkdir()
    (tmp_path / "full/mine.txt").touch()
    assert replay(bag, tmp_path / "out", str(tmp_path / "no.onnx")) == 1
    assert replay(bag, tmp_path / "out", model, "--camera-info-topic", "/nowhere") == 1
    assert replay(bag, tmp_path / "full", model) == 1
    assert main(["demo", "--recording", str(bag), "--out", str(tmp_path / "full")]) == 1
    assert not [file for file in open_files() if file.startswith(str(bag))]


def test_a_recording_without_one_good_frame_is_an_error(tmp_path, library, model, monkeypatch, capsys):
    import small_bags

    good = small_bags.image_message

    def coloured(lib, i):
        image = good(lib, i)
        image.encoding = "bgr8"
        return image

    monkeypatch.setattr(small_bags, "image_message", coloured)
    bag = write_bag(tmp_path / "in", library, 3)
    assert replay(bag, tmp_path / "out", model, "--image-topic", IMAGE_TOPIC) == 1
    assert "not one of the 3 frames" in (said := capsys.readouterr().err) and "'bgr8' is no depth encoding" in said
    assert figures(tmp_path / "out")["frames_failed"] == 3


def test_a_picture_that_is_cut_costs_one_frame(tmp_path, model):
    folder = write_png_folder(tmp_path / "in", ["0.png", "1.png", "2.png"])
    (folder / "1.png").write_bytes((folder / "1.png").read_bytes()[:50])
    assert replay(folder, tmp_path / "out", model) == 0
    assert "1.png cannot be read as PNG" in lines(tmp_path / "out")[1]["error"]
    expected = {"frames": 3, "frames_with_hand": 2, "frames_failed": 1, "complete": True}
    assert figures(tmp_path / "out") | expected == figures(tmp_path / "out")
    with BagReader(tmp_path / "out/bag") as out:
        assert out.counts["/hands"] == 2


@pytest.mark.parametrize("missing", ["recording", "model"])
def test_missing_files_are_named_before_anything_is_written(tmp_path, library, model, capsys, missing):
    bag = tmp_path / "nowhere" if missing == "recording" else write_bag(tmp_path / "in", library, 2)
    assert replay(bag, tmp_path / "out", model if missing == "recording" else str(tmp_path / "no.onnx")) == 1
    assert "does not exist" in capsys.readouterr().err and not (tmp_path / "out").exists()


def test_a_cut_mcap_is_replayed_as_far_as_it_goes(tmp_path, library, model, caplog):
    bag = write_bag(tmp_path / "in", library, 90)
    file = next(bag.glob("*.mcap"))
    with file.open("r+b") as stream:
        stream.truncate(file.stat().st_size // 2)
    assert replay(bag, tmp_path / "out", model, "--no-video") == 0
    assert 20 < figures(tmp_path / "out")["frames"] < 90
    assert "cut off or damaged" in caplog.text


def test_ctrl_c_leaves_all_that_was_done(tmp_path, library, model):
    bag, out = write_bag(tmp_path / "in", library, 1500), tmp_path / "out"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "hand_pose_ros", "replay", str(bag), "--out", str(out), "--model", model]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (
        (out / "joints.jsonl").exists() and (out / "joints.jsonl").stat().st_size > 100_000
    ):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == 130 and "interrupted after" in said and "Traceback" not in said
    done = figures(out)
    assert not done["complete"] and 10 < done["frames"] < 1500
    with BagReader(out / "bag") as recording:
        assert abs(recording.counts["/hands"] - done["frames"]) <= 1
    assert abs(cv2.VideoCapture(str(out / "overlay.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) - done["frames"]) <= 1


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        (
            "target_frame:=base",
            "target_frame is 'base', but replay reads no TF from recordings: leave it out (--set target_frame:=)",
        ),
        ("use_detections:=true", "use_detections is True, but replay reads no detections from recordings: leave it out"),
    ],
)
def test_what_only_a_live_node_has_is_refused(tmp_path, library, model, capsys, setting, text):
    assert replay(write_bag(tmp_path / "in", library, 2), tmp_path / "out", model, "--set", setting) == 1
    said = capsys.readouterr().err
    assert text in said and "`ros2 bag play --clock --topics`" in said and not (tmp_path / "out").exists()


def test_leaving_it_out_as_the_error_says(tmp_path, library, model):
    bag = write_bag(tmp_path / "in", library, 2)
    settings = ("target_frame:=base", "target_frame:=", "use_detections:=true", "use_detections:=false")
    assert replay(bag, tmp_path / "out", model, "--no-video", *(word for s in settings for word in ("--set", s))) == 0


def test_who_records_is_told_what_cannot_be_repeated():
    assert not_repeated(vars(Parameters())) == not_repeated({}) == ""
    said = not_repeated(vars(Parameters(target_frame="base", use_detections=True)))
    assert (
        said.startswith("with target_frame and use_detections `hand-pose replay --as-recorded` cannot repeat")
        and "\n" not in said
    )


def test_the_region_box_holds_in_replay_too(tmp_path, library, model):
    bag = write_bag(tmp_path / "in", library, 4)
    for name, nearest, hands in (("near", 0.4, 1), ("far", 0.6, 0)):  # the hand is at 0.5 m
        box = f"workspace_box:=[-1, -1, {nearest}, 1, 1, 2]"
        assert replay(bag, tmp_path / name, model, "--no-video", "--set", box) == 0
        assert [len(line["hands"]) for line in lines(tmp_path / name)] == [hands] * 4
