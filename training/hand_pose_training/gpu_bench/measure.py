"""Figures of one way to run a network: how far it is from the reference, and how long a batch takes."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from hand_pose_ros.metrics import percentiles
from hand_pose_training.aggregation.adaptive_weighting import TRACE
from hand_pose_training.gpu_bench.contenders import Arrays, Infer
from hand_pose_training.graph import TOLERANCES

HALF_LOSS_MM = 0.2
WARM_UP = 20


def run_all(infer: Infer, inputs: Arrays, batch: int) -> Arrays:
    """Answers to all rows, in batches."""
    rows = len(next(iter(inputs.values())))
    parts = [infer({name: values[i : i + batch] for name, values in inputs.items()}) for i in range(0, rows, batch)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def agreement(found: Arrays, expected: Arrays, cube_m: float) -> dict[str, float]:
    """Differences of answers (N, ...): of joints in millimetres of a cube of edge `cube_m`, of covariances against their joint's
    trace, of probabilities as they are."""
    distance_mm = np.linalg.norm(found["joints"] - expected["joints"], axis=-1) * cube_m / 2 * 1e3
    figures = {
        "joints_mean_mm": float(distance_mm.mean()),
        "joints_p99_mm": percentiles(distance_mm.ravel(), 99)[0],
        "joints_max_mm": float(distance_mm.max()),
        "joints_max": float(np.abs(found["joints"] - expected["joints"]).max()),
    }
    for name in expected:
        if name != "joints":
            scale = expected[name][..., TRACE].sum(-1, keepdims=True) if name == "covariance" else 1.0
            figures[f"{name}_max"] = float((np.abs(found[name] - expected[name]) / scale).max())
    return {name: float(f"{value:.4g}") for name, value in figures.items()}


def disagreement(figures: dict[str, float], precision: str) -> str:
    """What is out of bounds, "" if nothing. fp32: what export demands of ONNX Runtime; fp16: `HALF_LOSS_MM` on the mean."""
    if not all(np.isfinite(value) for value in figures.values()):
        return "not finite"
    if precision == "fp16":
        mean = figures["joints_mean_mm"]
        return "" if mean <= HALF_LOSS_MM else f"joints differ by {mean} mm on the mean, more than {HALF_LOSS_MM}"
    allowed = TOLERANCES[precision]
    limits = {name: allowed.joints if name == "joints_max" else allowed.others for name in figures if not name.endswith("_mm")}
    wrong = [f"{name} {figures[name]:.2g}, more than {limit:.2g}" for name, limit in limits.items() if figures[name] > limit]
    return "; ".join(wrong)


def latency(infer: Infer, inputs: Arrays, batch: int, runs: int) -> dict[str, Any]:
    """Milliseconds from arrays to arrays; another part of the inputs each time."""
    rows = len(next(iter(inputs.values())))
    starts = [(i * batch) % max(rows - batch + 1, 1) for i in range(WARM_UP + runs)]
    times_ms = []
    for start in starts:
        part = {name: values[start : start + batch] for name, values in inputs.items()}
        began = time.perf_counter()
        infer(part)
        times_ms.append(1e3 * (time.perf_counter() - began))
    p50, p99 = percentiles(times_ms[WARM_UP:], 50, 99)
    return {"p50_ms": round(p50, 4), "p99_ms": round(p99, 4), "runs": runs}
