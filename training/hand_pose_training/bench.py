"""`hand-pose-train bench`: `hand-pose bench`, and beside it AWR's own network as it was released, in the same run."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hand_pose_ros import bench
from hand_pose_ros.geometry.crop import CubeCrop
from hand_pose_ros.messages.depth_input import depth_frame
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.metrics import percentiles, rounded
from hand_pose_ros.share import DEMO_RECORDING, find
from hand_pose_training.backbones.hourglass import AWR_RELEASED
from hand_pose_training.methods.awr import Awr, AwrSettings

CROP_SIZE, CUBE_M = 128, 0.25
WARM_UP, RUNS = 5, 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `hand-pose bench`."""
    bench.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Time both, print, write."""
    result = bench.bench(args)
    figures = result.figures()
    figures.update(compare(args.recording or find(DEMO_RECORDING), args.threads, figures["total_p50_ms"]))
    print(result.table())
    print(
        f"AWR's one-stack hourglass as released ({figures['awr_hourglass1_parameters'] / 1e6:.2f} M parameters, random weights), "
        f"torch eager, {args.threads} thread(s): crop and network p50 {figures['awr_hourglass1_torch_p50_ms']:.1f} ms; "
        f"this pipeline from message to message is {figures['times_faster_than_awr_hourglass1_torch']:.1f} times as fast"
    )
    if args.json:
        bench.write_json(args.json, figures)
    return 0


def compare(recording: Path, threads: int, total_p50_ms: float) -> dict[str, Any]:
    """Time AWR's released network on frames of the same recording: its crop, forward pass and aggregation.

    :param total_p50_ms: of this package's whole pipeline, decoding and messages included, which the other side lacks
    """
    images, info, depth_scale = bench.read_frames(recording, RosbagsLibrary())
    frames = [depth_frame(image, info, depth_scale=depth_scale) for image in images[: WARM_UP + RUNS]]
    network = Awr(AwrSettings(backbone=AWR_RELEASED), joints=14).eval()
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    times_ms = []
    try:
        with torch.inference_mode():
            for i in range(WARM_UP + RUNS):
                frame = frames[i % len(frames)]
                start = time.perf_counter()
                # What is in the crop does not change the time.
                crop = CubeCrop(frame.camera, np.array([0.0, 0.0, 0.5]), CUBE_M, CROP_SIZE).extract(frame.depth)
                batch = torch.from_numpy(crop)[None, None]
                network.predict({"depth_crop": batch}).joints.numpy()
                times_ms.append(1e3 * (time.perf_counter() - start))
    finally:
        torch.set_num_threads(before)
    p50 = percentiles(times_ms[WARM_UP:], 50)[0]
    return {
        "awr_hourglass1_torch_p50_ms": rounded(p50, 3),
        "awr_hourglass1_parameters": sum(p.numel() for p in network.parameters()),
        "times_faster_than_awr_hourglass1_torch": rounded(p50 / total_p50_ms, 2),
    }
