"""`hand-pose-train bench-gpu`: TensorRT beside torch eager, torch.compile and ONNX Runtime, on held-out crops, in one run."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path
from typing import Any

import torch

from hand_pose_ros.bench import write_json
from hand_pose_ros.inference.cuda_device import find_device
from hand_pose_ros.inference.model_card import ModelCard
from hand_pose_ros.inference.tensorrt_library import find_tensorrt
from hand_pose_ros.skeleton import HAND21, skeleton
from hand_pose_training.data import CUBE_M, complete, fixed_set, relabelled
from hand_pose_training.export import calibrated
from hand_pose_training.gpu_bench.contenders import Arrays, Contender, Network, contenders, reference
from hand_pose_training.gpu_bench.measure import agreement, disagreement, latency, run_all
from hand_pose_training.graph import ExportGraph, in_half, to_onnx, write
from hand_pose_training.recipe import Recipe, load_recipe
from hand_pose_training.task import HandPoseTask, load_task

PRECISIONS = ("fp32", "fp16")
BATCHES = (1, 8)
# What the default model on a card is to reach: host to host at batch 1 in half precision with a CUDA graph.
AIM_MS, AIM_TIMES_EAGER, AIM_BUILD_S = 0.35, 5.0, 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train bench-gpu`."""
    default = Path(__file__).parents[2] / "configs" / "awr" / "hand21.yaml"
    parser.add_argument(
        "source", type=Path, nargs="?", default=default,
        help="checkpoint (.ckpt), or recipe (.yaml) for its network with random weights (default: the shipped model's recipe)",
    )  # fmt: skip
    parser.add_argument("--crops", type=int, default=1000, help="held-out crops that answers are compared on (default: 1000)")
    parser.add_argument("--runs", type=int, default=1000, help="timed runs a batch size (default: 1000)")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads of ONNX Runtime (default: 1)")
    parser.add_argument("--device", type=int, default=0, help="number of the GPU (default: 0)")
    parser.add_argument("--cpu", action="store_true", help="without a GPU: torch and ONNX Runtime on the CPU alone")
    parser.add_argument("--json", type=Path, help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Measure, print, write; 1 if any answer is out of bounds."""
    figures = bench_gpu(args.source, args.crops, args.runs, args.threads, args.device, cpu_only=args.cpu)
    print(table(figures))
    if args.json:
        write_json(args.json, figures)
    return 1 if any(row["problem"] for row in figures["rows"]) else 0


def bench_gpu(source: Path, crops: int, runs: int, threads: int, device: int, *, cpu_only: bool) -> dict[str, Any]:
    """All figures.

    :raises ModelError: no GPU or no TensorRT, unless `cpu_only`
    :raises RecipeError: no usable checkpoint or recipe
    """
    library, machine = None, {"device": "CPU"}
    if not cpu_only:
        gpu, library = find_device(device), find_tensorrt()
        machine = {
            "device": gpu.name, "compute_capability": gpu.compute_capability, "driver": gpu.driver,
            "tensorrt": f"{library.flavour} {library.version}",
        }  # fmt: skip
    # TensorRT is told not to use TF32 either.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    recipe, net = _network(source)
    size = recipe.data.size
    inputs = net.inputs_of(fixed_set("heldout", size, CUBE_M, crops, net.crop_kind)[net.crop_kind])
    known = complete(fixed_set("calibration", size, CUBE_M, crops, net.crop_kind))
    labelled = relabelled(known, HAND21, skeleton(recipe.skeleton))
    graph = ExportGraph(net, calibrated(net, recipe.side, labelled)).eval()
    with tempfile.TemporaryDirectory() as folder:
        networks = [_export(graph, recipe, precision, inputs, Path(folder)) for precision in PRECISIONS]
        expected = run_all(reference(networks[0]), inputs, 64)
        rows = [
            _measure(contender, inputs, expected, runs)
            for contender in contenders(networks, threads, library, device, max(BATCHES))
        ]
    return {
        "source": source.name, "weights": "trained" if source.suffix == ".ckpt" else "random", "model": recipe.name,
        "crops": crops, "reference": "torch eager fp32 on the CPU", "torch": torch.__version__, "cpu_threads": threads,
        **machine, "rows": rows, "aims": None if library is None else aims(rows),
    }  # fmt: skip


def aims(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each aim with what was reached."""
    best = next(r for r in rows if r["name"] == "TensorRT, with CUDA graph" and r["precision"] == "fp16")
    eager = next(r for r in rows if r["name"] == "torch eager" and r["precision"] == "fp32")
    best_ms, eager_ms = best["latency"]["1"]["p50_ms"], eager["latency"]["1"]["p50_ms"]
    build_s = max(r["build_s"] for r in rows if "build_s" in r)
    return {
        "batch_1_fp16_graph_p50_ms": {"aim": AIM_MS, "is": best_ms, "met": best_ms <= AIM_MS},
        "times_torch_eager": {
            "aim": AIM_TIMES_EAGER, "is": round(eager_ms / best_ms, 2), "met": eager_ms / best_ms >= AIM_TIMES_EAGER,
        },
        "build_s": {"aim": AIM_BUILD_S, "is": build_s, "met": build_s <= AIM_BUILD_S},
    }  # fmt: skip


def table(figures: dict[str, Any]) -> str:
    """The figures as text."""
    head = f"{figures['model']} ({figures['weights']} weights) on {figures['device']}, {figures.get('tensorrt', 'no TensorRT')}"
    columns = "".join(f"  batch {batch}: p50    p99 ms" for batch in BATCHES)
    lines = [head, f"{'':28s}{'':6s}{columns}  joints differ (mean, max mm)"]
    for row in figures["rows"]:
        start = f"{row['name']:28s}{row['precision']:6s}"
        if "failed" in row:
            lines.append(f"{start}  failed: {row['failed']}")
            continue
        times = "".join(f"  {row['latency'][str(b)]['p50_ms']:12.3f} {row['latency'][str(b)]['p99_ms']:9.3f}" for b in BATCHES)
        a = row["agreement"]
        lines.append(f"{start}{times}  {a['joints_mean_mm']:.4f}, {a['joints_max_mm']:.4f} {row['problem']}".rstrip())
    for name, aim in (figures["aims"] or {}).items():
        lines.append(f"{name}: {aim['is']} (aim {aim['aim']}, {'met' if aim['met'] else 'not met'})")
    return "\n".join(lines)


def _network(source: Path) -> tuple[Recipe, Any]:
    task = load_task(source) if source.suffix == ".ckpt" else HandPoseTask.from_recipe(load_recipe(source))
    return task.recipe, task.exported_net.to(memory_format=torch.contiguous_format)


def _export(graph: ExportGraph, recipe: Recipe, precision: str, inputs: Arrays, folder: Path) -> Network:
    graph = in_half(graph) if precision == "fp16" else graph
    card = ModelCard(
        name=recipe.name, method=recipe.method, **graph.net.card_input(recipe.data.size), cube_m=CUBE_M,
        skeleton=recipe.skeleton, outputs=graph.output_names, side=recipe.side, precision=precision,
    )  # fmt: skip
    file = folder / f"{recipe.name}_{precision}.onnx"
    write(to_onnx(graph, {name: values[:2] for name, values in inputs.items()}), card, file)
    return Network(precision, graph, file)


def _measure(contender: Contender, inputs: Arrays, expected: Arrays, runs: int) -> dict[str, Any]:
    """One row. A compiler that is not there costs torch.compile its row, not the others theirs."""
    row: dict[str, Any] = {"name": contender.name, "precision": contender.precision, "problem": ""}
    try:
        infer, close = contender.load()
        try:
            found = run_all(infer, inputs, max(BATCHES))
            row["agreement"] = agreement(found, expected, CUBE_M)
            row["problem"] = disagreement(row["agreement"], contender.precision)
            row["latency"] = {str(batch): latency(infer, inputs, batch, runs) for batch in BATCHES}
        finally:
            close()
    except Exception as error:
        if contender.name != "torch.compile":
            raise
        row["failed"] = (str(error) or repr(error)).splitlines()[0]
    return row | contender.facts
