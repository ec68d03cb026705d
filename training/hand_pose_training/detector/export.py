"""`hand-pose-train export-detector`: a checkpoint to one ONNX file, checked against torch and measured before it is written."""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from scipy.optimize import minimize
from torch import Tensor, nn

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.model_card import ModelCard
from hand_pose_ros.inference.model_kinds import HAND_CENTERS
from hand_pose_ros.perception.detector import HandDetector
from hand_pose_ros.skeleton import HAND_CENTER
from hand_pose_training.detector.figures import FRAMES, detector_figures
from hand_pose_training.detector.frames import Frame, FrameSettings, SyntheticFrames
from hand_pose_training.detector.measure import candidates, measure
from hand_pose_training.detector.network import HandCenterNet
from hand_pose_training.detector.page import LIMITS, detector_page
from hand_pose_training.detector.training import load_run
from hand_pose_training.graph import ExportError, to_onnx, write
from hand_pose_training.model_page import code_revision

CALIBRATION_SEED, CALIBRATION_FRAMES = 2_000_014, 600
PARITY_FRAMES = 32
CENTER_TOLERANCE, SCORE_TOLERANCE = 1e-3, 1e-3  # normalised and metres, whatever the order of equal ones
LIKELY = 0.05
_MAX_MB = 2.5


class DetectorGraph(nn.Module):
    """Inputs in the order of `HandCenterNet.input_names` -> centers (N, K, 3), score (N, K).

    :param scale, shift: the score is sigmoid(scale * logit + shift): the probability that a hand is there
    """

    output_names = HAND_CENTERS.required

    def __init__(self, net: HandCenterNet, scale: float, shift: float) -> None:
        super().__init__()
        self.net, self.scale, self.shift = net, scale, shift

    def forward(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        peaks = self.net.peaks(self.net(*inputs))
        return peaks.centers, torch.sigmoid(self.scale * peaks.logit + self.shift)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train export-detector`."""
    parser.add_argument("checkpoint", type=Path, help="for example runs/hand_detector/final.ckpt")
    parser.add_argument("--out", type=Path, required=True, help="for example models/hand_detector.onnx; its page lies beside it")
    parser.add_argument("--note", default="", help="how the weights came about beyond one run of the recipe, for the card")
    parser.add_argument("--frames", type=int, default=FRAMES, help="held-out frames that it is measured on (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train export-detector`."""
    card = export_detector(args.checkpoint, args.out, args.note, args.frames)
    found = card.errors["detector"]
    print(
        f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB, recall {found['recall']} with "
        f"{found['false_per_100_frames']} false places in 100 held-out frames"
    )
    return 0


def export_detector(checkpoint: Path, out: Path, note: str = "", frames: int = FRAMES) -> ModelCard:
    """Calibrates, exports, checks, measures, and writes OUT and its page; on any failure OUT stays as it was.

    :param note: goes into the card's `trained_on`
    :param frames: held-out ones that it is measured on
    :raises RecipeError: no usable checkpoint
    :raises ExportError: the ONNX model disagrees with torch, or is too large to be shipped
    """
    trained = load_run(checkpoint)
    recipe, net = trained.recipe, trained.average.to(memory_format=torch.contiguous_format)
    settings = FrameSettings(recipe.frames.width, recipe.frames.scene, augment=None)
    known = [SyntheticFrames(CALIBRATION_SEED, CALIBRATION_FRAMES, settings).frame(i) for i in range(CALIBRATION_FRAMES)]
    graph = DetectorGraph(net, *calibration(net, known)).eval()
    inputs = inputs_of(known[:PARITY_FRAMES])
    model = to_onnx(graph, inputs)
    check_detector_parity(model, graph, inputs)
    card = ModelCard(
        name=recipe.name,
        method="hand_centers",
        input_kind="depth_frame",
        input_size=recipe.frames.width,
        cube_m=0.0,
        skeleton=HAND_CENTER.name,
        outputs=graph.output_names,
        candidates=recipe.network.candidates,
        trained_on=f"{trained.first_sample + trained.samples_seen:,} synthetic frames, seed {recipe.seed}. {note}".strip(),
        limits=" ".join(LIMITS),
        license="Apache-2.0",
        revision=code_revision(),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        draft = Path(folder) / out.name
        write(model, card, draft)
        if draft.stat().st_size > 1e6 * _MAX_MB:
            raise ExportError(f"the model has {draft.stat().st_size / 1e6:.1f} MB, more than {_MAX_MB}: give it fewer channels")
        card = replace(
            card, errors=detector_figures(HandDetector(load_engine(draft), besides=None), frames) | {"model": out.name}
        )
        write(onnx.load(draft), card, draft)
        page = Path(folder) / "page.md"
        page.write_text(detector_page(card, recipe))
        os.replace(draft, out)
        os.replace(page, out.with_suffix(".md"))
    return card


def inputs_of(frames: list[Frame]) -> dict[str, np.ndarray]:
    """The network's inputs for some frames."""
    return {
        "depth_frame": np.stack([frame.depth for frame in frames])[:, None],
        "focal_px": np.stack([frame.focal_px for frame in frames]),
    }


@torch.no_grad()
def calibration(net: HandCenterNet, frames: list[Frame]) -> tuple[float, float]:
    """Scale and shift of the logits, so that of the places with score p a share of p is a hand (Platt 1999)."""
    inputs = inputs_of(frames)
    peaks = net.peaks(net(torch.as_tensor(inputs["depth_frame"]), torch.as_tensor(inputs["focal_px"])))
    places = [candidates(f.box, c, s) for f, c, s in zip(frames, peaks.centers.numpy(), peaks.logit.numpy())]
    finds = measure(frames, places, none=-np.inf)
    hands, false = finds.score[np.isfinite(finds.score)], finds.false_score
    logit, is_hand = np.concatenate([hands, false]), np.concatenate([np.ones(len(hands)), np.zeros(len(false))])
    logit = np.clip(logit, -30, 30)

    def cost(x: np.ndarray) -> float:
        said = np.exp(x[0]) * logit + x[1]
        return float(np.logaddexp(0, -said)[is_hand == 1].sum() + np.logaddexp(0, said)[is_hand == 0].sum())

    log_scale, shift = minimize(cost, np.zeros(2), method="Nelder-Mead").x
    return float(np.exp(log_scale)), float(shift)


def check_detector_parity(model: onnx.ModelProto, graph: DetectorGraph, inputs: dict[str, np.ndarray]) -> None:
    """Runs frames through ONNX Runtime and torch, together and one by one.

    :raises ExportError: likely places (the last and its equals may be others) or any score differ by more than the tolerances
    """
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        centers, score = (value.numpy() for value in graph(*(torch.as_tensor(inputs[name]) for name in graph.net.input_names)))
    frames = len(score)
    for batch in (frames, 1):
        parts = [
            session.run(list(graph.output_names), {name: values[i : i + batch] for name, values in inputs.items()})
            for i in range(0, frames, batch)
        ]
        found_centers, found_score = (np.concatenate(values) for values in zip(*parts))
        off = np.abs(found_score - score).max()
        apart = np.abs(found_centers[:, None] - centers[:, :, None]).max(axis=3).min(axis=2)
        away = apart[(score > LIKELY) & (score > score[:, -1:] + SCORE_TOLERANCE)].max(initial=0.0)
        if not (off <= SCORE_TOLERANCE and away <= CENTER_TOLERANCE):
            raise ExportError(
                f"the exported graph differs from torch by {off:.2g} in its scores and {away:.2g} in its centres, in batches of "
                f"{batch}: nothing was written"
            )
