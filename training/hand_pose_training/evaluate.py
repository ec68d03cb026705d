"""`hand-pose-train evaluate`: errors on crops that were never trained on, overall, by joint and by slice."""

from __future__ import annotations

import argparse
import json
import os
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.metrics import joint_errors
from hand_pose_ros.perception.inputs import crop_kind, crop_size, network_inputs
from hand_pose_ros.skeleton import skeleton
from hand_pose_training.data import CUBE_M, SETS, as_right_hands, joints_m, to_tensors
from hand_pose_training.exams import Exam, synthetic_exam
from hand_pose_training.figures import figures_of, slice_figures
from hand_pose_training.methods.method import Method
from hand_pose_training.sides import Infer, answers
from hand_pose_training.task import load_task


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train evaluate`."""
    parser.add_argument("--model", type=Path, required=True, help="model (.onnx) or checkpoint (.ckpt)")
    parser.add_argument("--set", default="heldout", choices=SETS, help="which crops (default: heldout)")
    parser.add_argument("--crops", type=int, help="how many of them, from the first (default: all)")
    parser.add_argument("--json", type=Path, help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train evaluate`."""
    figures = evaluate(args.model, args.set, args.crops)
    print(table(figures))
    if args.json:
        half = args.json.with_name(f".{args.json.name}.half")
        half.write_text(json.dumps(figures, indent=1) + "\n")
        os.replace(half, args.json)
    return 0


def evaluate(model: Path, set_name: str = "heldout", crops: int | None = None) -> dict[str, Any]:
    """Figures of a model file through the runtime's engine, or of a checkpoint's averaged weights through torch.

    :raises ValueError: unknown set, model or checkpoint that cannot be used
    """
    if model.suffix == ".ckpt":
        recipe, net = (task := load_task(model)).recipe, task.exported_net
        exam = synthetic_exam(set_name, recipe.data.size, CUBE_M, recipe.skeleton, net.crop_kind, crops)
        return {"model": str(model), **measured(partial(raw_outputs, net), recipe.side, exam, net.crop_kind, recipe.skeleton)}
    card = load_engine(model, "onnxruntime").card
    exam = synthetic_exam(set_name, crop_size(card), card.cube_m, card.skeleton, crop_kind(card), crops)
    return measured_model(model, exam)


def measured_model(model: Path, exam: Exam) -> dict[str, Any]:
    """Figures of a model file, through the runtime's engine."""
    engine = load_engine(model, "onnxruntime")
    card = engine.card

    def infer(chunk: np.ndarray) -> dict[str, np.ndarray]:
        return engine.infer(network_inputs(card, chunk))

    return {"model": str(model), **measured(infer, card.side, exam, crop_kind(card), card.skeleton)}


def measured(infer: Infer, side: str, exam: Exam, kind: str, joints: str) -> dict[str, Any]:
    """Figures of what `infer` says of the crops of an exam.

    :param side: of the recipe or card
    :param kind: "depth_crop" or "rgb_crop"
    :param joints: name of the skeleton
    """
    outputs = answers(infer, exam.crops[kind], side)
    figures = {"set": exam.name, "center": exam.center, **figures_of(exam.crops, outputs, skeleton(joints))}
    if side == "right":
        figures["given_side"] = _given_side(exam.crops, infer, kind)
    return figures


@torch.no_grad()
def raw_outputs(net: Method, crops: np.ndarray) -> dict[str, np.ndarray]:
    """What a network that is not exported yet says of crops (N, C, S, S): joints; from votes their covariance, not calibrated,
    as `votes_covariance` and their support; with a hand head its logits `hand` (N, 2), presence and right_side."""
    found = net.predict(to_tensors(net.inputs_of(crops)))
    outputs = {"joints": found.joints}
    if found.covariance is not None:
        outputs |= {"votes_covariance": found.covariance, "support": found.support}
    if found.hand is not None:
        presence, right_side = torch.sigmoid(found.hand.float()).unbind(1)
        outputs |= {"hand": found.hand, "presence": presence, "right_side": right_side}
    return {name: values.float().numpy() for name, values in outputs.items()}


def _given_side(batch: dict[str, np.ndarray], infer: Infer, kind: str) -> dict[str, Any]:
    """Errors when the true side is told, which a tracked hand comes near to: its side is averaged over frames."""
    outputs = answers(infer, as_right_hands(batch)[kind], "unknown")["joints"]
    outputs = outputs * np.where(batch["right_side"] > 0.5, 1, -1)[:, None, None] ** np.array([1, 0, 0])
    errors = joint_errors(joints_m(batch, outputs), joints_m(batch, batch["joints"]))
    return slice_figures(errors[batch["present"] > 0.5])


def table(figures: dict[str, Any]) -> str:
    """The figures as text."""
    rows = [
        ("mean error", f"{figures['mean_error_mm']:.2f} mm"),
        ("median error", f"{figures['median_error_mm']:.2f} mm"),
        ("frames with all joints in 30 mm", f"{100 * figures['good_frames_30mm']:.1f} %"),
    ]
    if "given_side" in figures:
        rows.append(("mean error, side told", f"{figures['given_side']['mean_error_mm']:.2f} mm"))
    for name, text in (("side_right_share", "sides told rightly"), ("presence_right_share", "presence told rightly")):
        if name in figures:
            rows.append((text, f"{100 * figures[name]:.1f} %"))
    for name, v in figures["slices"].items():
        if v["crops"]:
            rows.append(
                (f"  {name}", f"{v['mean_error_mm']:.2f} mm mean, {v['median_error_mm']:.2f} mm median, {v['crops']} crops")
            )
    rows += [(f"  {name}", f"{error:.2f} mm") for name, error in figures["joint_error_mm"].items()]
    for name, v in figures.get("joints_within_sigma", {}).items():
        rows.append((f"  joints within {name}", f"{100 * v['share']:.1f} % (nominal {100 * v['nominal_share']:.1f} %)"))
    for v in figures.get("confidence", {}).get("bins", []):
        within = f"{100 * v['share_within_20mm']:.1f} % within 20 mm, {v['joints']} joints"
        rows.append((f"  confidence {v['from']:.1f} to {v['to']:.1f}", within))
    heading = f"{figures['model']} on {figures['crops']} {figures['set']} crops, centre: {figures['center']}"
    return "\n".join([heading, *(f"{name:34s} {value}" for name, value in rows)])
