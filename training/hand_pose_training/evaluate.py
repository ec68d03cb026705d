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
from hand_pose_ros.live.parameters import DEFAULT_DETECTOR
from hand_pose_ros.metrics import joint_errors
from hand_pose_ros.perception.inputs import crop_kind, crop_size, network_inputs
from hand_pose_ros.share import find, model_file
from hand_pose_ros.skeleton import skeleton
from hand_pose_training.data import CUBE_M, SETS, as_right_hands, joints_m, to_tensors
from hand_pose_training.exams import Exam, synthetic_exam
from hand_pose_training.figures import figures_of, slice_figures
from hand_pose_training.figures_table import table
from hand_pose_training.methods.method import Method
from hand_pose_training.sides import Infer, answers
from hand_pose_training.task import load_task


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train evaluate`."""
    parser.add_argument(
        "--model", required=True, help="model (.onnx), checkpoint (.ckpt), or the name of a model of the package, as hand21_fast"
    )
    parser.add_argument(
        "--set",
        default="heldout",
        choices=SETS,
        help="which crops (default: heldout, of people, objects and sensor models that training never draws; familiar has its "
        "quotas of training's own; half of negatives show no hand)",
    )
    parser.add_argument("--crops", type=int, help="how many of them, from the first (default: all)")
    parser.add_argument(
        "--center",
        default="detector",
        choices=("detector", "displaced"),
        help="of the held-out crops of a model file of depth images: where the pipeline finds the hand in the whole frame, or "
        "the true centre displaced at random, as of every other set (default: detector)",
    )
    parser.add_argument(
        "--detector", help="detector's model file; none: the finder of limbs' ends (default: the one that comes with the package)"
    )
    parser.add_argument("--frames", type=int, help="whole frames for recall and false hands (default: all)")
    parser.add_argument("--json", type=Path, help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train evaluate`.

    :raises ValueError: numbers below 1, a folder for the figures that does not exist, or what `evaluate` raises
    """
    for name in ("crops", "frames"):
        if (count := getattr(args, name)) is not None and count < 1:
            raise ValueError(f"--{name} {count}: at least 1")
    if args.json and not args.json.parent.is_dir():
        raise ValueError(f"--json {args.json}: the folder {args.json.parent} does not exist; make it first")
    figures = _figures(args)
    print(table(figures))
    if args.json:
        half = args.json.with_name(f".{args.json.name}.half")
        half.write_text(json.dumps(figures, indent=1) + "\n")
        os.replace(half, args.json)
    return 0


def _figures(args: argparse.Namespace) -> dict[str, Any]:
    model = model_file(args.model)
    known = args.set != "heldout" or args.center == "displaced" or model.suffix == ".ckpt"
    if known or crop_kind(load_engine(model, "onnxruntime").card) != "depth_crop":
        return evaluate(model, args.set, args.crops)
    # Measures with this module's functions.
    from hand_pose_training.detected import evaluate_detected

    detector = None if args.detector == "none" else model_file(args.detector) if args.detector else find(DEFAULT_DETECTOR)
    return evaluate_detected(model, detector, args.crops, args.frames)


def evaluate(model: Path, set_name: str = "heldout", crops: int | None = None) -> dict[str, Any]:
    """Figures of a model file through the runtime's engine, or of a checkpoint's averaged weights through torch, with
    true centres displaced at random.

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
    if exam.quotas:
        figures["quotas"] = exam.quotas
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
