"""`hand-pose-train detector-figures`: a detector and the finder of limbs' ends on the same held-out whole frames."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.perception.detector import MIN_SCORE, HandDetector
from hand_pose_ros.perception.localize import Candidate, localize
from hand_pose_ros.share import find
from hand_pose_training.detector.frames import HELD_OUT, SyntheticFrames
from hand_pose_training.detector.measure import FALSE_PER_100, FOUND_M, Finds, measure
from hand_pose_training.synthetic.sensor import SensorKind
from hand_pose_training.synthetic.views import View

SEED, FRAMES = 2_000_011, 1000
DEFAULT = "models/hand_detector.onnx"
DISTANCES_M = ((0.25, 0.5), (0.5, 0.75), (0.75, 1.0), (1.0, 1.5))
_CANDIDATES = 8
_MAX_DEPTH_M = 1.7


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train detector-figures`."""
    parser.add_argument("--model", type=Path, help="detector (.onnx); default: the one that comes with the package")
    parser.add_argument("--frames", type=int, default=FRAMES, help="held-out frames (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")


def run(args: argparse.Namespace) -> int:
    """Measure and print.

    :raises ModelError, ShareError: the detector cannot be used
    """
    figures = detector_figures(HandDetector(load_engine(args.model or find(DEFAULT)), besides=None), args.frames)
    print(table(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    return 0


def detector_figures(detector: HandDetector, frames: int = FRAMES) -> dict[str, Any]:
    """Recall, false places and centre errors of a detector and of `localize`, on the first frames of the held-out set.

    Shapes, objects and sensors are none that training draws; sensor kinds are drawn evenly, distances uniformly.
    """
    dataset = SyntheticFrames(SEED, frames, HELD_OUT)
    places: dict[str, list[list[Candidate]]] = {"detector": [], "limb_finder": []}
    seconds: dict[str, list[float]] = {name: [] for name in places}
    looked = []
    limits = {"max_depth_m": _MAX_DEPTH_M, "max_candidates": _CANDIDATES}
    for i in range(frames):
        frame = dataset.frame(i, whole=True)
        for name, look in (
            ("detector", lambda image, camera: detector.find(image, camera, min_score=0.0, **limits)),
            ("limb_finder", lambda image, camera: localize(image, camera, **limits)),
        ):
            found, took = _timed(look, frame.image, frame.scene.camera)
            places[name].append(found)
            seconds[name].append(took)
        looked.append(frame.without_image())
    finds = {name: measure(looked, found) for name, found in places.items()}
    first = finds["detector"]
    return {
        "set": f"held-out frames, seed {SEED}: shapes, objects and sensors that training never draws",
        "frames": frames,
        "hands": len(first.score),
        "frames_without_hands": sum(not len(frame.centers) for frame in looked),
        "found_within_m": FOUND_M,
        "detector": _figures(first, MIN_SCORE, seconds["detector"]),
        "limb_finder": _figures(finds["limb_finder"], 0.0, seconds["limb_finder"]),
        "slices": {
            name: {
                "hands": int(of.sum()),
                "detector_recall": _share(first.recall(MIN_SCORE, of)),
                "limb_finder_recall": _share(finds["limb_finder"].recall(0.0, of)),
            }
            for name, of in slices(first).items()
        },
        "scores": _reliability(first),
    }


def slices(finds: Finds) -> dict[str, np.ndarray]:
    """Masks (M,) of the hands by sensor, view, distance and what they hold."""
    masks = {f"{kind.name.lower()} camera": finds.sensor == kind for kind in SensorKind}
    masks |= {f"{view.name.lower()} view": finds.view == view for view in View}
    masks |= {f"{low} to {high} m": (finds.distance_m >= low) & (finds.distance_m < high) for low, high in DISTANCES_M}
    return masks | {"object held": finds.object == 1, "nothing held": finds.object == 0}


def table(figures: dict[str, Any]) -> str:
    """The figures for reading."""
    lines = [
        f"{figures['frames']} {figures['set']}; {figures['hands']} hands, {figures['frames_without_hands']} frames without any; "
        f"found: a place within {1000 * figures['found_within_m']:.0f} mm of the mean of its joints",
        f"{'':22}{'detector':>12}{'limb finder':>12}",
    ]
    for key in figures["detector"]:
        lines.append(f"{key:30}{figures['detector'][key]!s:>12}{figures['limb_finder'][key]!s:>12}")
    lines.append("recall by slice (hands)")
    for name, values in figures["slices"].items():
        row = f"{values['detector_recall']!s:>12}{values['limb_finder_recall']!s:>12}"
        lines.append(f"{name + ' (' + str(values['hands']) + ')':30}{row}")
    return "\n".join(lines)


def _figures(finds: Finds, min_score: float, seconds: list[float]) -> dict[str, Any]:
    sure = finds.sure_score()
    errors = 1000 * finds.error_m[finds.score >= min_score]
    return {
        "min_score": min_score,
        "recall": _share(finds.recall(min_score)),
        "false_per_100_frames": round(finds.false_per_100(min_score), 2),
        f"recall_with_{FALSE_PER_100:.0f}_false": _share(finds.recall(sure)),
        "at_score": round(sure, 3),
        "median_error_mm": round(float(np.median(errors)), 1) if len(errors) else None,
        "p95_error_mm": round(float(np.quantile(errors, 0.95)), 1) if len(errors) else None,
        "median_ms": round(1000 * float(np.median(seconds)), 2),
    }


def _reliability(finds: Finds) -> list[dict[str, Any]]:
    """Of the places of each range of scores, how many there are and what share is a hand."""
    edges = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
    rows = []
    for low, high in pairwise(edges):
        inside = [int(((s > low) & (s <= high)).sum()) for s in (finds.score, finds.false_score)]
        rows.append(
            {"from": low, "to": high, "places": sum(inside), "hands": _share(inside[0] / sum(inside) if sum(inside) else np.nan)}
        )
    return rows


def _share(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None


def _timed(
    look: Callable[[np.ndarray, Camera], list[Candidate]], image: np.ndarray, camera: Camera
) -> tuple[list[Candidate], float]:
    """What it finds, and the CPU seconds that it took."""
    began = time.process_time()
    found = look(image, camera)
    return found, time.process_time() - began
