"""`hand-pose-train export`: checkpoint to one ONNX file that is the whole model, checked against torch before it is written."""

from __future__ import annotations

import argparse
import logging
import os
import tempfile
from dataclasses import replace
from functools import partial
from io import BytesIO
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from torch import nn

from hand_pose_ros.inference.model_card import METADATA_KEY, OPTIONAL_OUTPUTS, REQUIRED_OUTPUTS, ModelCard
from hand_pose_training.calibration import CalibratedOutputs, Calibration, calibrate
from hand_pose_training.data import fixed_set
from hand_pose_training.evaluate import evaluate, raw_outputs
from hand_pose_training.methods.awr import Awr
from hand_pose_training.model_page import LIMITS, code_revision, model_page
from hand_pose_training.sides import look, look_mirrored
from hand_pose_training.task import load_task

OPSET = 18  # TensorRT 10.3 takes it
CUBE_M = 0.25  # what the runtime crops: the middle of what the network was trained on, and the papers' size
PARITY_CROPS = 64
# 1e-4 of the cube's edge, which is 2 normalised units long.
JOINT_TOLERANCE = 2e-4


class ExportError(ValueError):
    """A model that was not written; the text says why."""


class ExportGraph(nn.Module):
    """depth_crop (N, 1, S, S) -> joints (N, J, 3), covariance (N, J, 6), confidence (N, J), and with a hand head presence
    (N,) and right_side (N,): DESIGN section 3."""

    def __init__(self, net: Awr, calibration: Calibration) -> None:
        super().__init__()
        self.net, self.outputs = net, CalibratedOutputs(calibration)

    @property
    def output_names(self) -> tuple[str, ...]:
        """In the order of `forward`."""
        return REQUIRED_OUTPUTS + (OPTIONAL_OUTPUTS if self.net.hand_head is not None else ())

    def forward(self, depth_crop: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = self.net.predict(depth_crop)
        return (found.joints, *self.outputs(found))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train export`."""
    parser.add_argument("checkpoint", type=Path, help="for example runs/NAME/final.ckpt")
    parser.add_argument("--out", type=Path, required=True, help="for example models/NAME.onnx; its page NAME.md lies beside it")
    parser.add_argument("--note", default="", help="how the weights came about beyond one run of the recipe, for the card")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train export`."""
    card = export(args.checkpoint, args.out, args.note)
    print(f"{args.out}: {args.out.stat().st_size / 1e6:.1f} MB, mean error {card.errors['mean_error_mm']} mm on held-out crops")
    return 0


def export(checkpoint: Path, out: Path, note: str = "") -> ModelCard:
    """Calibrates, exports, checks, measures, and writes OUT and its page; on any failure OUT stays as it was.

    :param note: goes into the card's `trained_on`
    :raises RecipeError: no usable checkpoint
    :raises ExportError: the ONNX model disagrees with torch
    """
    task = load_task(checkpoint)
    recipe, net = task.recipe, task.exported_net.to(memory_format=torch.contiguous_format)
    crops = fixed_set("calibration", recipe.data.size, CUBE_M)
    infer = partial(raw_outputs, net)
    mirrored = look_mirrored(infer, crops["depth_crop"]) if recipe.side == "right" else None
    graph = ExportGraph(net, calibrate(look(infer, crops["depth_crop"]), mirrored, crops)).eval()
    model = to_onnx(graph, recipe.data.size)
    check_parity(model, graph, fixed_set("heldout", recipe.data.size, CUBE_M, PARITY_CROPS)["depth_crop"])
    card = ModelCard(
        name=recipe.name,
        method="awr",
        input_kind="depth_crop",
        input_size=recipe.data.size,
        cube_m=CUBE_M,
        skeleton=recipe.skeleton,
        outputs=graph.output_names,
        side=recipe.side,
        trained_on=f"{task.samples_seen:,} synthetic depth crops, seed {recipe.seed}. {note}".strip(),
        limits=" ".join(LIMITS),
        license="Apache-2.0",
        revision=code_revision(),
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".export-") as folder:
        draft = Path(folder) / out.name
        write(model, card, draft)
        figures = evaluate(draft)
        figures["model"] = out.name
        card = replace(card, errors=figures)
        write(model, card, draft)
        page = Path(folder) / "page.md"
        page.write_text(model_page(card, recipe))
        os.replace(draft, out)
        os.replace(page, out.with_suffix(".md"))
    return card


def to_onnx(graph: ExportGraph, size: int) -> onnx.ModelProto:
    """The graph in ONNX with batch norms folded and a dynamic batch N."""
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of every package that it could use and does not need
    buffer = BytesIO()
    program = torch.onnx.export(
        graph,
        (torch.zeros(2, 1, size, size),),
        input_names=["depth_crop"],
        output_names=list(graph.output_names),
        opset_version=OPSET,
        dynamo=True,
        dynamic_shapes={"depth_crop": {0: torch.export.Dim("N")}},
        verbose=False,
    )
    program.save(buffer)
    model = onnx.load_from_string(buffer.getvalue())
    onnx.checker.check_model(model, full_check=True)
    return model


def check_parity(model: onnx.ModelProto, graph: ExportGraph, crops: np.ndarray) -> None:
    """Runs real crops through both, in two batch sizes.

    :raises ExportError: an output differs: joints by more than 1e-4 of the cube, covariance by more than 1 % of its
        joint's trace, a probability by more than 0.01
    """
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        expected = dict(zip(graph.output_names, (t.numpy() for t in graph(torch.as_tensor(crops)))))
    scale = {"covariance": expected["covariance"][..., [0, 3, 5]].sum(-1, keepdims=True)}
    for batch in (len(crops), 1):
        parts = [session.run(list(expected), {"depth_crop": crops[i : i + batch]}) for i in range(0, len(crops), batch)]
        for name, values in zip(expected, zip(*parts)):
            difference = (np.abs(np.concatenate(values) - expected[name]) / scale.get(name, 1.0)).max()
            tolerance = JOINT_TOLERANCE if name == "joints" else 0.01
            if not difference <= tolerance:
                raise ExportError(
                    f"the exported graph's {name} differ from torch by {difference:.2g}, more than {tolerance:.2g}, "
                    f"on {len(crops)} held-out crops in batches of {batch}: nothing was written"
                )


def write(model: onnx.ModelProto, card: ModelCard, path: Path) -> None:
    """The model with its card as `metadata_props["hand_pose"]`."""
    del model.metadata_props[:]
    model.metadata_props.add(key=METADATA_KEY, value=card.to_json())
    onnx.save(model, path)
