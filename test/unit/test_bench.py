"""`hand-pose bench` on a small recording: every stage is timed, and the figures add up."""

import argparse
import json

import cv2
import numpy as np
import pytest
from scenes import CAMERA, blank, draw_hand
from tiny_model import write_tiny_model

from hand_pose_ros import bench
from hand_pose_ros.live.parameters import ParameterError

CAMERA_YAML = f"""
image_width: {CAMERA.width}
image_height: {CAMERA.height}
camera_name: test
camera_matrix: {{rows: 3, cols: 3, data: [{CAMERA.fx}, 0, {CAMERA.cx}, 0, {CAMERA.fy}, {CAMERA.cy}, 0, 0, 1]}}
distortion_model: plumb_bob
distortion_coefficients: {{rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}}
rectification_matrix: {{rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}}
projection_matrix: {{rows: 3, cols: 4, data: [{CAMERA.fx}, 0, {CAMERA.cx}, 0, 0, {CAMERA.fy}, {CAMERA.cy}, 0, 0, 0, 1, 0]}}
"""


@pytest.fixture(scope="module")
def recording(tmp_path_factory):
    folder = tmp_path_factory.mktemp("frames")
    (folder / "camera.yaml").write_text(CAMERA_YAML)
    for i, x in enumerate(np.linspace(-0.1, 0.1, 6)):
        depth = blank()
        draw_hand(depth, (x, 0.08, 0.5), (0, -1, 0), forearm_m=0)
        cv2.imwrite(str(folder / f"{i}.png"), np.uint16(np.round(depth * 1000)))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")


def run(*words) -> int:
    parser = argparse.ArgumentParser()
    bench.add_arguments(parser)
    return bench.run(parser.parse_args([str(w) for w in words]))


def test_figures(recording, model, tmp_path, capsys):
    out = tmp_path / "bench.json"
    assert run("--recording", recording, "--model", model, "--frames", 40, "--json", out) == 0
    figures = json.loads(out.read_text())
    assert (figures["frames"], figures["frames_with_hand"]) == (40, 40)
    assert (figures["width"], figures["height"], figures["encoding"]) == (640, 480, "16UC1")
    assert (figures["model"], figures["backend"], figures["threads"]) == ("tiny", "onnxruntime", 1)
    # How long anything takes is the machine's affair; that it was timed is not.
    assert all(figures[f"{s}_p50_ms"] > 0 for s in ("decode", "localize", "crop", "network", "track", "build", "total"))
    assert figures["total_p50_ms"] <= figures["total_p99_ms"]
    text = capsys.readouterr().out
    assert "640x480 16UC1, 40 frames, 40 with a hand" in text
    assert text.splitlines()[2].split() == ["stage", "p50", "ms", "p99", "ms"]


def test_figures_by_hand():
    stages = {"decode": 1.0, "crop": 2.0, "network": 3.0, "track": 0.5, "build": 0.5}
    frames = [{**stages, "localize": 0.0, "network": network, "total": 4.0 + network} for network in (3.0, 5.0, 4.0)]
    detections = [{**stages, "localize": 2.5, "total": 20.0}]
    two_hands = [{**stages, "localize": 0.0, "total": total} for total in (9.0, 11.0)]
    figures = bench.Bench({"threads": 2}, frames, detections, two_hands, with_hand=2).figures()
    assert (figures["two_hands_p50_ms"], figures["two_hands_p99_ms"]) == (10.0, 10.98)
    assert bench.Bench({}, frames, detections).figures()["two_hands_p50_ms"] is None
    assert (figures["total_p50_ms"], figures["network_p50_ms"], figures["localize_p50_ms"]) == (8.0, 4.0, 2.5)
    assert figures["total_p99_ms"] == 8.98  # 2 % of the way back from 9 to 8
    assert (figures["except_network_p50_ms"], figures["first_detection_p50_ms"]) == (4.0, 20.0)
    assert figures["frames_per_second"] == 125.0  # 8 ms on average
    assert (figures["frames"], figures["frames_with_hand"], figures["threads"]) == (3, 2, 2)


def test_recording_without_images(tmp_path, model):
    with pytest.raises(ValueError, match="is no recording"):
        run("--recording", tmp_path, "--model", model)


def test_no_frames_to_time(recording, model):
    with pytest.raises(ParameterError, match="--frames 0: at least 1"):
        run("--recording", recording, "--model", model, "--frames", "0")
