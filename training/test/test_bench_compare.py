"""`hand-pose-train bench` times AWR's released network on the same recording."""

import cv2
import numpy as np
import pytest
import torch

from hand_pose_training import bench

CAMERA_YAML = """
image_width: 64
image_height: 48
camera_name: test
camera_matrix: {rows: 3, cols: 3, data: [48, 0, 32, 0, 48, 24, 0, 0, 1]}
distortion_model: plumb_bob
distortion_coefficients: {rows: 1, cols: 5, data: [0, 0, 0, 0, 0]}
rectification_matrix: {rows: 3, cols: 3, data: [1, 0, 0, 0, 1, 0, 0, 0, 1]}
projection_matrix: {rows: 3, cols: 4, data: [48, 0, 32, 0, 0, 48, 24, 0, 0, 0, 1, 0]}
"""


def test_compare(tmp_path, monkeypatch):
    monkeypatch.setattr(bench, "RUNS", 2)
    monkeypatch.setattr(bench, "WARM_UP", 1)
    (tmp_path / "camera.yaml").write_text(CAMERA_YAML)
    cv2.imwrite(str(tmp_path / "0.png"), np.full((48, 64), 500, np.uint16))
    threads = torch.get_num_threads()
    figures = bench.compare(tmp_path, 1, total_p50_ms=2.0)
    assert figures["awr_hourglass1_parameters"] == 4_575_992
    assert figures["awr_hourglass1_torch_p50_ms"] > 0
    assert figures["times_faster_than_awr_hourglass1_torch"] == pytest.approx(
        figures["awr_hourglass1_torch_p50_ms"] / 2, abs=0.01
    )
    assert torch.get_num_threads() == threads
