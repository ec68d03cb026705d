"""`hand-pose-train bench-gpu`: what of it runs without a GPU is run; figures are those computed by hand."""

import json
import re
from importlib.util import find_spec

import numpy as np
import pytest

from hand_pose_ros.inference.cuda_device import find_device
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_training.cli import main
from hand_pose_training.gpu_bench.command import aims, table
from hand_pose_training.gpu_bench.measure import WARM_UP, agreement, disagreement, latency, run_all


def answers(joints: np.ndarray, **changes) -> dict[str, np.ndarray]:
    count, number = joints.shape[:2]
    covariance = np.tile(np.float32([0.01, 0, 0, 0.02, 0, 0.01]), (count, number, 1))
    return {"joints": joints, "covariance": covariance, "confidence": np.full((count, number), 0.5, np.float32), **changes}


def test_agreement():
    joints = np.zeros((2, 2, 3), np.float32)
    moved = joints.copy()
    moved[1, 1] = [0.03, 0.04, 0.0]  # 0.05 of half a cube of 0.25 m: 6.25 mm
    found = answers(
        moved, covariance=answers(joints)["covariance"] * np.float32(1.5), confidence=np.full((2, 2), 0.6, np.float32)
    )
    figures = agreement(found, answers(joints), cube_m=0.25)
    assert figures["joints_max_mm"] == pytest.approx(6.25, abs=1e-3)
    assert figures["joints_mean_mm"] == pytest.approx(6.25 / 4, abs=1e-3)
    assert figures["joints_max"] == pytest.approx(0.04, abs=1e-6)
    assert figures["covariance_max"] == pytest.approx(0.25, abs=1e-3)  # 0.01 more of a trace of 0.04
    assert figures["confidence_max"] == pytest.approx(0.1, abs=1e-6)


def test_what_is_out_of_bounds():
    same = agreement(answers(np.zeros((1, 2, 3), np.float32)), answers(np.zeros((1, 2, 3), np.float32)), 0.25)
    assert disagreement(same, "fp32") == disagreement(same, "fp16") == ""
    assert disagreement({**same, "joints_max": 3e-4}, "fp32").startswith("joints_max 0.0003, more than 0.0002")
    assert disagreement({**same, "confidence_max": 0.02}, "fp32").startswith("confidence_max 0.02, more than 0.01")
    assert disagreement({**same, "joints_mean_mm": 0.25}, "fp16") == "joints differ by 0.25 mm on the mean, more than 0.2"
    assert disagreement({**same, "joints_max": float("nan")}, "fp16") == "not finite"


def test_batches_and_latency():
    seen = []

    def infer(inputs):
        seen.append(len(inputs["crop"]))
        return {"double": inputs["crop"] * 2}

    crops = np.arange(19, dtype=np.float32)
    np.testing.assert_array_equal(run_all(infer, {"crop": crops}, 8)["double"], 2 * crops)
    assert seen == [8, 8, 3]
    seen.clear()
    figures = latency(infer, {"crop": crops}, 8, runs=5)
    assert seen == [8] * (WARM_UP + 5)
    assert figures["runs"] == 5 and 0 < figures["p50_ms"] <= figures["p99_ms"]


def row(name: str, precision: str, p50_ms: float, **more) -> dict:
    latency = {"1": {"p50_ms": p50_ms, "p99_ms": 2 * p50_ms}, "8": {"p50_ms": 3 * p50_ms, "p99_ms": 4 * p50_ms}}
    agreement = {"joints_mean_mm": 0.01, "joints_max_mm": 0.02}
    return {"name": name, "precision": precision, "latency": latency, "agreement": agreement, "problem": "", **more}


def test_aims_and_table():
    rows = [
        row("torch eager", "fp32", 3.0),
        {"name": "torch.compile", "precision": "fp32", "problem": "", "failed": "no compiler"},
        row("TensorRT, without CUDA graph", "fp16", 0.5, build_s=12.0),
        row("TensorRT, with CUDA graph", "fp16", 0.4),
    ]
    reached = aims(rows)
    assert {name: (aim["is"], aim["met"]) for name, aim in reached.items()} == {
        "batch_1_fp16_graph_p50_ms": (0.4, False),
        "times_torch_eager": (7.5, True),
        "build_s": (12.0, True),
    }
    text = table(
        {"model": "m", "weights": "random", "device": "Orin", "tensorrt": "tensorrt 10.3.0", "rows": rows, "aims": reached}
    )
    assert "m (random weights) on Orin, tensorrt 10.3.0" in text
    assert re.search(r"torch\.compile +fp32 +failed: no compiler", text)
    assert re.search(r"TensorRT, with CUDA graph +fp16 +0\.400 +0\.800 +1\.200 +1\.600 +0\.0100, 0\.0200", text)
    assert "batch_1_fp16_graph_p50_ms: 0.4 (aim 0.35, not met)" in text


def test_without_a_gpu_the_rest_is_compared(small_checkpoint, tmp_path, capsys):
    file = tmp_path / "figures.json"
    assert main(["bench-gpu", str(small_checkpoint), "--cpu", "--crops", "24", "--runs", "3", "--json", str(file)]) == 0
    figures = json.loads(file.read_text())
    assert figures["weights"] == "trained" and figures["aims"] is None
    rows = {(r["name"], r["precision"]): r for r in figures["rows"]}
    assert set(rows) == {("torch eager, CPU", "fp32"), ("ONNX Runtime, CPU", "fp32"), ("ONNX Runtime, CPU", "fp16")}
    assert rows["torch eager, CPU", "fp32"]["agreement"]["joints_max_mm"] < 0.005  # the batch alone is another
    assert 0 < rows["ONNX Runtime, CPU", "fp32"]["agreement"]["joints_max_mm"] < 0.025
    # Half precision really computes in half: it differs more, and by less than export allows.
    half = rows["ONNX Runtime, CPU", "fp16"]["agreement"]
    assert rows["ONNX Runtime, CPU", "fp32"]["agreement"]["joints_mean_mm"] < half["joints_mean_mm"] < 0.2
    assert "ONNX Runtime, CPU" in capsys.readouterr().out


def has_gpu() -> bool:
    try:
        find_device()
    except ModelError:
        return False
    return True


@pytest.mark.skipif(find_spec("cuda") is None or has_gpu(), reason="there is a GPU here, or no wheel of cuda-bindings")
def test_a_gpu_that_is_not_there_is_told(capsys):
    assert main(["bench-gpu"]) == 2
    assert "needs an NVIDIA GPU and its driver" in capsys.readouterr().err
