"""`hand-pose-train compare`: networks under the same conditions, as the tables of docs/methods.md.

Each recipe, changed as is said, is trained afresh for hand21 on as many synthetic crops as every other, measured on the same
held-out crops with the same centres, exported with its aggregation inside, timed in ONNX Runtime and built by TensorRT-RTX. So
few samples say how fast a method learns, not how good it gets: a recipe's own schedule is far longer.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.model_card import ModelCard, ModelError
from hand_pose_ros.inference.tensorrt_build import build_plan
from hand_pose_ros.inference.tensorrt_library import find_tensorrt
from hand_pose_ros.metrics import joint_errors, percentiles
from hand_pose_ros.perception.inputs import network_inputs
from hand_pose_training.callbacks import FINAL, LAST
from hand_pose_training.data import CUBE_M, fixed_set, joints_m
from hand_pose_training.evaluate import evaluate
from hand_pose_training.export import calibrated
from hand_pose_training.graph import ExportError, ExportGraph, check_parity, to_onnx, write
from hand_pose_training.params import size
from hand_pose_training.recipe import RecipeError, load_recipe
from hand_pose_training.recipes import CONFIGS
from hand_pose_training.task import load_task

CALIBRATION_CROPS, HELD_OUT_CROPS, PARITY_CROPS = 400, 500, 8
WARM_UP, RUNS = 5, 40
# Whatever a recipe is for.
SAME = {"skeleton": "hand21", "side": "unknown", "data.source": "synthetic", "data.synthetic": {}}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train compare`."""
    parser.add_argument(
        "names",
        nargs="+",
        metavar="NAME",
        help="recipes as `list` names them, with changes in the same argument: 'awr/hand21 model.backbone.stacks=1'",
    )
    parser.add_argument(
        "--samples",
        type=int,
        default=20_000,
        help="crops that each is trained on; 0: none, the weights are fresh (default: %(default)s)",
    )
    parser.add_argument("--learning-rate", type=float, default=1e-3, help="at its peak, for all (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=32, help="for all (default: %(default)s)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs; finished ones are not done again")


@dataclass(frozen=True)
class Contender:
    """A recipe as it is compared.

    :param name: as `list` has it
    :param changes: "key.subkey=value" each
    """

    name: str
    changes: tuple[str, ...] = ()

    @classmethod
    def of(cls, words: str) -> Contender:
        """Of a NAME of the command line.

        :raises RecipeError: no such recipe
        """
        name, *changes = words.split()
        if not (CONFIGS / f"{name}.yaml").is_file():
            raise RecipeError(f"no recipe {name}; `hand-pose-train list` shows all")
        return cls(name, tuple(changes))

    @property
    def path(self) -> Path:
        """The recipe's file."""
        return CONFIGS / f"{self.name}.yaml"

    @property
    def text(self) -> str:
        """How the table names it."""
        return " ".join([self.name, *(change.removeprefix("model.") for change in self.changes)])

    @property
    def overrides(self) -> list[str]:
        """The changes, and what is the same for all."""
        return [*self.changes, *(f"{key}={json.dumps(value)}" for key, value in SAME.items())]


@dataclass(frozen=True)
class Training:
    """How all are trained: on so many crops, with this learning rate at its peak."""

    samples: int
    learning_rate: float
    batch_size: int


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train compare`: prints a Markdown table."""
    training = Training(args.samples, args.learning_rate, args.batch_size)
    rows = []
    for contender in [Contender.of(words) for words in args.names]:
        folder = args.out / contender.text.replace(" ", "_")
        done = folder / "row.json"
        if not done.is_file():
            sizes = size(load_recipe(contender.path, contender.changes))
            row = {"name": contender.text, **sizes, **measure(contender, training, folder)}
            half = done.with_suffix(".half")
            half.write_text(json.dumps(row, indent=1) + "\n")
            os.replace(half, done)
        rows.append(json.loads(done.read_text()))
    print(table(rows))
    if args.samples:
        print(f"\nFor scale: the mean pose, said of every held-out hand, is {mean_pose_error_mm():.1f} mm off.")
    return 0


def measure(contender: Contender, training: Training, folder: Path) -> dict[str, Any]:
    """Trains, exports, measures and times one network; without samples there is no error."""
    samples = training.samples
    if samples:
        task = load_task(trained(contender, training, folder))
        recipe, net = task.recipe, task.exported_net
    else:
        folder.mkdir(parents=True, exist_ok=True)
        recipe = load_recipe(contender.path, contender.overrides)
        net = recipe.network().eval()
    kind = net.crop_kind
    crops = CALIBRATION_CROPS if samples else PARITY_CROPS  # fresh weights have nothing to calibrate
    calibration = calibrated(net, "unknown", fixed_set("calibration", recipe.data.size, CUBE_M, crops, kind))
    graph = ExportGraph(net, calibration).eval()
    card = ModelCard(
        name=recipe.name,
        method=recipe.method,
        **net.card_input(recipe.data.size),
        cube_m=CUBE_M,
        skeleton=recipe.skeleton,
        outputs=graph.output_names,
    )
    crops = fixed_set("heldout", recipe.data.size, CUBE_M, PARITY_CROPS, kind)[kind]
    row = {"method": recipe.method, "samples": samples}
    try:
        inputs = net.inputs_of(crops)
        model = to_onnx(graph, inputs)
        check_parity(model, graph, inputs)
    except ExportError as error:
        return row | {"exports": str(error)}
    path = folder / f"{recipe.name}.onnx"
    write(model, card, path)
    if samples:
        row["mean_error_mm"] = evaluate(path, "heldout", HELD_OUT_CROPS)["mean_error_mm"]
    return row | {"exports": "yes", "onnxruntime_ms": timed(path, crops[:1]), "tensorrt_rtx": buildable(path)}


def mean_pose_error_mm() -> float:
    """The held-out error of the calibration crops' mean joints: of a network that says the same of every crop."""
    known, asked = (fixed_set(name, 48, CUBE_M, HELD_OUT_CROPS) for name in ("calibration", "heldout"))
    mean = known["joints"][known["present"] > 0.5].mean(axis=0)
    said = np.broadcast_to(mean, asked["joints"].shape)
    return 1e3 * float(joint_errors(joints_m(asked, said), joints_m(asked, asked["joints"])).mean())


def trained(contender: Contender, training: Training, folder: Path) -> Path:
    """The checkpoint of a recipe after so many synthetic crops, by its own network and losses and one schedule for all."""
    settings = {
        "optim": {"learning_rate": training.learning_rate, "average_decay": 0.99},
        "budget": {"samples": training.samples},
        "loop": {"batch_size": training.batch_size, "checkpoint_minutes": 20, "bf16": True},
    }
    command = [sys.executable, "-m", "hand_pose_training", "fit", "--config", str(contender.path), "--out", str(folder)]
    overrides = [*contender.overrides, *(f"{key}={json.dumps(value)}" for key, value in settings.items())]
    command += [f"--{override}" for override in overrides]
    if (folder / LAST).is_file():
        command += ["--resume", "last"]
    # A process of its own: training in several processes starts this very command once more in each of them.
    if subprocess.run(command, check=False).returncode:
        raise RecipeError(f"{contender.text}: training failed, see above; {' '.join(command)}")
    return folder / FINAL


def timed(path: Path, crop: np.ndarray) -> float:
    """Median milliseconds of one crop (1, C, S, S) in ONNX Runtime on one thread, the making of its inputs included."""
    engine, times_ms = load_engine(path, "onnxruntime"), []
    for _ in range(WARM_UP + RUNS):
        start = time.perf_counter()
        engine.infer(network_inputs(engine.card, crop))
        times_ms.append(1e3 * (time.perf_counter() - start))
    return round(percentiles(times_ms[WARM_UP:], 50)[0], 2)


def buildable(path: Path) -> str:
    """Whether TensorRT-RTX makes a plan of it: "yes", or why not."""
    try:
        build_plan(find_tensorrt(["tensorrt_rtx"]), path)
    except ModelError as error:
        return str(error)
    return "yes"


def table(rows: list[dict[str, Any]]) -> str:
    """The rows in Markdown."""
    lines = [
        "| recipe | M parameters | GFLOPs | ONNX Runtime, ms | mean error, mm | exports | TensorRT-RTX |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        values = (
            row.get(key, "") for key in ("params_m", "gflops", "onnxruntime_ms", "mean_error_mm", "exports", "tensorrt_rtx")
        )
        lines.append(f"| {row['name']} | {' | '.join(map(str, values))} |")
    return "\n".join(lines)
