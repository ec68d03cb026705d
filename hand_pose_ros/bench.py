"""`hand-pose bench`: how long each stage of the pipeline takes on this machine.

From the bytes of a sensor_msgs/Image as they come off the wire to the bytes of the HandPoseArray that answers it, frame by
frame of a recording, on one thread, with nothing else between: what a node adds is its transport.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.source import open_source, playable
from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.live.finder import load_detector
from hand_pose_ros.live.parameters import ParameterError, Parameters
from hand_pose_ros.messages.builders import hand_pose_array
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.metrics import percentiles, rounded
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.settings import PipelineSettings
from hand_pose_ros.share import DEMO_RECORDING, find

STAGES = ("decode", "localize", "crop", "network", "track", "build")
IMAGE, HANDS = "sensor_msgs/msg/Image", "hand_pose_ros/msg/HandPoseArray"
WARM_UP_FRAMES = 30
DETECTIONS = 50
DIFFERENT_FRAMES = 100  # kept in memory: 61 MB at 640x480 16UC1
PERIOD_NS = 33_333_333


@dataclass
class Bench:
    """What was timed.

    :param frames: one dict of milliseconds a frame, a key a stage and `total`, while one hand is followed (`max_hands` 1)
    :param detections: the same for frames that are searched as if each were the first
    :param two_hands: the same as `frames` for the frames in which two hands are followed, where there are any
    :param with_hand: how many of `frames` were answered with a hand
    :param source: what was run, for the figures
    """

    source: dict[str, Any]
    frames: list[dict[str, float]] = field(default_factory=list)
    detections: list[dict[str, float]] = field(default_factory=list)
    two_hands: list[dict[str, float]] = field(default_factory=list)
    with_hand: int = 0

    def figures(self) -> dict[str, Any]:
        """The JSON: percentiles in milliseconds, frames a second, one after the other, and what was run.

        `localize` runs in frames that search alone, so its figures are of `detections`; the others are of `frames`.
        """
        figures: dict[str, Any] = {}
        for stage in ("total", *STAGES):
            runs = self.detections if stage == "localize" else self.frames
            for rank in (50, 99):
                figures[f"{stage}_p{rank}_ms"] = rounded(percentiles([r[stage] for r in runs], rank)[0], 3)
        figures["except_network_p50_ms"] = rounded(percentiles([r["total"] - r["network"] for r in self.frames], 50)[0], 3)
        figures["first_detection_p50_ms"] = rounded(percentiles([r["total"] for r in self.detections], 50)[0], 3)
        for rank in (50, 99):
            figures[f"two_hands_p{rank}_ms"] = rounded(percentiles([r["total"] for r in self.two_hands], rank)[0], 3)
        figures["frames_per_second"] = rounded(1e3 / np.mean([r["total"] for r in self.frames]), 1)
        return {**figures, "frames": len(self.frames), "frames_with_hand": self.with_hand, **self.source}

    def table(self) -> str:
        """The figures for reading."""
        f = self.figures()
        rows = [("stage", "p50 ms", "p99 ms")]
        rows += [(s, f"{f[f'{s}_p50_ms']:.2f}", f"{f[f'{s}_p99_ms']:.2f}") for s in (*STAGES, "total")]
        lines = [f"{name:<12}{p50:>9}{p99:>9}" for name, p50, p99 in rows]
        lines[1 + STAGES.index("localize")] += "   (of first detections; not run while a hand is followed)"
        return "\n".join(
            [
                f"{f['model']} on {f['backend']}, {f['threads']} thread(s), {f['cpu']}",
                f"{f['recording']}: {f['width']}x{f['height']} {f['encoding']}, {f['frames']} frames, "
                f"{f['frames_with_hand']} with a hand",
                *lines,
                f"p50 of all but the network {f['except_network_p50_ms']:.2f} ms, "
                f"of first detections {f['first_detection_p50_ms']:.2f} ms",
                *([] if f["two_hands_p50_ms"] is None else [_two_hands(f)]),
                f"{f['frames_per_second']:.0f} frames a second, one after the other",
            ]
        )


def _two_hands(figures: dict[str, Any]) -> str:
    return f"two hands followed: total p50 {figures['two_hands_p50_ms']:.2f} ms, p99 {figures['two_hands_p99_ms']:.2f} ms"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `hand-pose bench`."""
    parser.add_argument(
        "--recording", type=Path, help="rosbag2 or folder of PNGs with a hand in view; default: the package's own"
    )
    parser.add_argument(
        "--model", default="", help="model file (.onnx) or hand21_accurate; default: hand21_fast, the package's own"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of the network (%(default)s)")
    parser.add_argument("--frames", type=int, default=600, help="frames to time (%(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here, too")


def run(args: argparse.Namespace) -> int:
    """Time and print.

    :raises ModelError, BagError, ShareError: the model or the recording cannot be used
    :raises ParameterError: less than one frame
    """
    if args.frames < 1:
        raise ParameterError(f"--frames {args.frames}: at least 1")
    result = bench(args)
    print(result.table())
    if args.json:
        write_json(args.json, result.figures())
    return 0


def write_json(path: Path, figures: dict[str, Any]) -> None:
    """Figures into a file."""
    path.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    print(f"figures: {path}")


def bench(args: argparse.Namespace) -> Bench:
    """Time the pipeline as `add_arguments` says."""
    library = RosbagsLibrary()
    recorded, info, depth_scale = read_frames(args.recording or find(DEMO_RECORDING), library)
    parameters = Parameters(model=args.model, backend="onnxruntime", threads=args.threads)
    engine = load_engine(parameters.model_path(), threads=args.threads)
    detector = load_detector(parameters)
    step = _Step(library, Pipeline(engine, PipelineSettings(max_hands=1), detector), info, depth_scale)
    result = Bench(
        {
            "model": engine.card.name,
            "backend": engine.backend,
            "threads": args.threads,
            "recording": str(args.recording or DEMO_RECORDING),
            "width": recorded[0].width,
            "height": recorded[0].height,
            "encoding": recorded[0].encoding,
            "cpu": cpu_name(),
            "cpu_cores": os.cpu_count(),
        }
    )
    wire = [bytes(library.serialize(image, IMAGE)) for image in recorded]
    followed = _follow(step, wire, args.frames)
    result.frames = [times for times, _ in followed]
    result.with_hand = sum(hands > 0 for _, hands in followed)
    both = _Step(library, Pipeline(engine, PipelineSettings(max_hands=2), detector), info, depth_scale)
    result.two_hands = [times for times, hands in _follow(both, wire, args.frames) if hands == 2]
    for data in itertools.islice(itertools.cycle(wire[:: max(1, len(wire) // DETECTIONS)]), DETECTIONS):
        step.pipeline.reset()
        result.detections.append(step.run(data, 0)[0])
    return result


def _follow(step: _Step, wire: list[bytes], frames: int) -> list[tuple[dict[str, float], int]]:
    """Milliseconds by stage and the number of hands of each frame, forth and back, so that no hand jumps."""
    course = itertools.islice(itertools.cycle([*wire, *wire[-2:0:-1]]), WARM_UP_FRAMES + frames)
    return [step.run(data, i * PERIOD_NS) for i, data in enumerate(course)][WARM_UP_FRAMES:]


def read_frames(path: Path, library: RosbagsLibrary) -> tuple[list[Any], Any, float | None]:
    """The first DIFFERENT_FRAMES depth images of a recording, the camera info of the first, and its metres a count.

    :raises BagError: the recording cannot be read or has no depth image with a camera info
    """
    source = open_source(path, library)
    try:
        frames = list(itertools.islice(playable(source), DIFFERENT_FRAMES))
    finally:
        source.close()
    if not frames:
        raise BagError(f"{path} has no depth image with a camera info: name another --recording")
    return [f.image for f in frames], frames[0].info, source.depth_scale


def cpu_name() -> str:
    """What the machine calls its processor."""
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines() if Path("/proc/cpuinfo").is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


@dataclass
class _Step:
    """One frame from wire to wire."""

    library: RosbagsLibrary
    pipeline: Pipeline
    info: Any
    depth_scale: float | None

    def run(self, data: bytes, stamp_ns: int) -> tuple[dict[str, float], int]:
        """Milliseconds by stage and `total`, and the number of hands.

        :param data: CDR of a sensor_msgs/Image
        :param stamp_ns: takes the place of its stamp, which goes backwards where the frames do
        """
        start = time.perf_counter()
        image = self.library.deserialize(data, IMAGE)
        frame = replace(depth_frame(image, self.info, depth_scale=self.depth_scale), stamp_ns=stamp_ns)
        decoded = time.perf_counter()
        result = self.pipeline.process(frame)
        processed = time.perf_counter()
        self.library.serialize(hand_pose_array(self.library, result, self.pipeline.engine.card.name), HANDS)
        end = time.perf_counter()
        times = {"decode": decoded - start, "build": end - processed, "total": end - start}
        return {**{k: 1e3 * v for k, v in times.items()}, **result.stage_ms}, len(result.hands)
