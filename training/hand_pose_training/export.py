"""`hand-pose-train export`: checkpoint to one ONNX file that is the whole model, checked against torch before it is written."""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from hand_pose_ros.inference.model_card import ModelCard
from hand_pose_training.calibration import Calibration, calibrate
from hand_pose_training.data import CUBE_M, as_right_hands, training_cube_m
from hand_pose_training.datasets.rgb_crops import window_m
from hand_pose_training.evaluate import measured_model, raw_outputs
from hand_pose_training.exams import Exam, calibration_and_test
from hand_pose_training.graph import ExportError, ExportGraph, check_parity, compact, in_half, to_onnx, write
from hand_pose_training.methods.method import Method
from hand_pose_training.model_page import code_revision, limits_of, model_page
from hand_pose_training.sides import look, look_mirrored
from hand_pose_training.task import HandPoseTask, load_task
from hand_pose_training.turned import Turned

PRECISIONS = ("fp32", "fp16")
PARITY_CROPS = 64
HALF_LOSS_MM = 0.2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train export`."""
    parser.add_argument("checkpoint", type=Path, help="for example runs/NAME/final.ckpt")
    parser.add_argument("--out", type=Path, required=True, help="for example models/NAME.onnx; its page NAME.md lies beside it")
    parser.add_argument(
        "--precision",
        default="fp32",
        choices=PRECISIONS,
        help="fp16: the network in half precision, for TensorRT; the aggregation stays float32. Call the file NAME_fp16.onnx",
    )
    parser.add_argument("--note", default="", help="how the weights came about beyond one run of the recipe, for the card")
    parser.add_argument(
        "--compact", action="store_true", help="store the weights of an fp32 model in half precision: half the file"
    )
    parser.add_argument("--stacks", type=int, help="of stacked hourglasses keep the first so many: a faster model")
    parser.add_argument(
        "--views",
        type=int,
        default=1,
        help="looks at each crop, turned by quarters, 1 to 4: nearer the truth, and so many times slower",
    )
    parser.add_argument("--name", default="", help="of the model, for its card and messages (default: the recipe's)")
    parser.epilog = "What does not learn can be changed: --model.mean_shift.weighted=false"


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train export`."""
    form = Form(args.precision, args.compact, args.stacks, args.views, args.name)
    card = export(args.checkpoint, args.out, args.note, form, args.overrides)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB, mean error {card.errors['mean_error_mm']} mm on held-out crops")
    return 0


@dataclass(frozen=True)
class Form:
    """:param precision: one of PRECISIONS
    :param compact: `graph.compact` the weights of an fp32 model
    :param stacks: of the backbone's stacks keep the first so many; None: all
    :param views: of each crop, see `turned`
    :param name: of the model; "": the recipe's
    """

    precision: str = "fp32"
    compact: bool = False
    stacks: int | None = None
    views: int = 1
    name: str = ""

    def __post_init__(self) -> None:
        if self.compact and self.precision != "fp32":
            raise ExportError(f"compact is for fp32 models: the weights of {self.precision} ones are in half precision anyway")

    @property
    def looks(self) -> str:
        """For the card."""
        return "" if self.views == 1 else f"Looks at each crop {self.views} times, turned by quarters, and answers with the mean."

    @property
    def options(self) -> str:
        """As on the command line, each with a space before it."""
        parts = [f" --name {self.name}"] * bool(self.name) + [f" --precision {self.precision}"] * (self.precision != "fp32")
        parts += [" --compact"] * self.compact + [f" --stacks {self.stacks}"] * (self.stacks is not None)
        parts += [f" --views {self.views}"] * (self.views != 1)
        return "".join(parts)


def export(checkpoint: Path, out: Path, note: str = "", form: Form = Form(), overrides: Sequence[str] = ()) -> ModelCard:
    """Calibrates, exports, checks, measures, and writes OUT and its page; on any failure OUT stays as it was.

    :param note: goes into the card's `trained_on`
    :param overrides: of the checkpoint's recipe, as `load_task` takes them
    :raises RecipeError: no usable checkpoint
    :raises ExportError: the ONNX model disagrees with torch, or half precision costs more than `HALF_LOSS_MM`
    """
    task = load_task(checkpoint, overrides)
    recipe, net = task.recipe, task.exported_net.to(memory_format=torch.contiguous_format)
    if form.stacks is not None:
        keep_stacks(net, form.stacks)
    if form.views != 1:
        net = turned(net, form.views)
    calibration, test = calibration_and_test(recipe, CUBE_M, net.crop_kind)
    graph = ExportGraph(net, calibrated(net, recipe.side, calibration.crops)).eval()
    card = ModelCard(
        name=form.name or recipe.name,
        method=recipe.method,
        **net.card_input(recipe.data.size),
        cube_m=float(np.median(test.crops["cube_m"])) if net.crop_kind == "rgb_crop" else training_cube_m(recipe.data),
        window_m=window_m(test.crops) if net.crop_kind == "rgb_crop" else 0.0,
        skeleton=recipe.skeleton,
        outputs=graph.output_names,
        side=recipe.side,
        precision=form.precision,
        trained_on=" ".join(filter(None, (crops_of(task), note, form.looks))),
        limits=" ".join(limits_of(recipe)),
        license="Apache-2.0",
        revision=code_revision(),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        draft = Path(folder) / out.name
        figures = checked_draft(draft, card, graph, test, form.compact)
        if form.precision == "fp16":
            full_error_mm = figures["mean_error_mm"]
            figures = checked_draft(draft, card, in_half(graph), test)
            loss_mm = figures["mean_error_mm"] - full_error_mm
            if not loss_mm <= HALF_LOSS_MM:
                raise ExportError(f"half precision costs {loss_mm:.2f} mm on held-out crops: nothing was written, use fp32")
            figures["fp32_mean_error_mm"] = full_error_mm
        figures["model"] = out.name
        card = replace(card, errors=figures)
        write(onnx.load(draft), card, draft)
        page = Path(folder) / "page.md"
        page.write_text(model_page(card, recipe, form.options))
        os.replace(draft, out)
        os.replace(page, out.with_suffix(".md"))
    return card


def crops_of(task: HandPoseTask) -> str:
    """What the weights come from, for the card."""
    return f"{task.all_samples:,} crops, {task.recipe.data.source}, seed {task.recipe.seed}."


def calibrated(net: Method, side: str, crops: dict[str, np.ndarray]) -> Calibration:
    """The constants of a network's graph, fitted on stacked crops.

    :param side: of the recipe
    """
    infer = partial(raw_outputs, net)
    mirrored = look_mirrored(infer, crops[net.crop_kind]) if side == "right" else None
    return calibrate(look(infer, crops[net.crop_kind]), mirrored, crops)


def keep_stacks(net: Method, stacks: int) -> None:
    """Leaves out all stacks of a network but the first so many.

    :raises ExportError: it has no stacks that could be left out, or not so many
    """
    if not hasattr(net, "keep_stacks"):
        raise ExportError(f"--stacks {stacks}: stacks can be left out of awr's networks alone")
    try:
        net.keep_stacks(stacks)
    except ValueError as error:
        raise ExportError(f"--stacks {stacks}: {error}") from None


def turned(net: Method, views: int) -> Turned:
    """The network with so many views of each crop.

    :raises ExportError: its crops cannot be turned, or not so often
    """
    try:
        return Turned(net, views)
    except ValueError as error:
        raise ExportError(f"--views {views}: {error}") from None


def checked_draft(path: Path, card: ModelCard, graph: ExportGraph, test: Exam, compacted: bool = False) -> dict[str, Any]:
    """Writes the graph, having compared it with torch, and measures it."""
    # Of the other side's hands a network of one side knows no joints: what it says of them hangs on the last digit.
    known = as_right_hands(test.crops) if card.side == "right" else test.crops
    inputs = graph.net.inputs_of(known[graph.net.crop_kind][:PARITY_CROPS])
    model = to_onnx(graph, inputs)
    if compacted:
        compact(model)
    check_parity(model, graph, inputs, "compact" if compacted else card.precision)
    write(model, card, path)
    return measured_model(path, test)
