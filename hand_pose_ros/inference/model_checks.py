"""Does a model's graph do what its card says? The same questions whatever library runs it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from hand_pose_ros.inference.model_card import ModelCard, ModelError
from hand_pose_ros.inference.model_file import REMEDY, TensorSpec
from hand_pose_ros.inference.model_inputs import empty_batch, expected_inputs
from hand_pose_ros.skeleton import skeleton

_TRIAL_BATCH = 2


def check_model(
    path: Path,
    card: ModelCard,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    infer: Callable[[dict[str, np.ndarray]], dict[str, np.ndarray]],
) -> None:
    """Compare names, types and shapes with the card, and run empty inputs once, which also warms the library up.

    :raises ModelError: they disagree; the text says in what
    """
    problem = _inputs_problem(card, inputs) or _outputs_problem(card, outputs)
    if not problem:
        problem = _answer_problem(card, infer(empty_batch(card, _TRIAL_BATCH)))
    if problem:
        raise ModelError(f"model {path} disagrees with its model card: {problem}: {REMEDY}")


def output_shapes(card: ModelCard, batch: int) -> dict[str, tuple[int, ...]]:
    """The shape of every output of a batch, by name."""
    joints = len(skeleton(card.skeleton))
    shapes = {
        "joints": (batch, joints, 3),
        "covariance": (batch, joints, 6),
        "confidence": (batch, joints),
        "presence": (batch,),
        "right_side": (batch,),
        "centers": (batch, card.candidates, 3),
        "score": (batch, card.candidates),
    }
    return {name: shapes[name] for name in card.outputs}


def _inputs_problem(card: ModelCard, inputs: Sequence[TensorSpec]) -> str:
    expected = expected_inputs(card)
    if [i.name for i in inputs] != [e.name for e in expected]:
        return f"its inputs are {_names(inputs)}, its card says {_names(expected)}"
    for found, right in zip(inputs, expected):
        if found.dtype != right.dtype:
            return f"input {found.name} is {found.dtype}, not {right.dtype}"
        if len(found.shape) != len(right.shape) or found.shape[1:] != right.shape[1:]:
            return f"input {found.name} is {found.shape_text}, its card says {right.shape_text}"
        if isinstance(found.shape[0], int):
            return f"input {found.name} has a fixed batch of {found.shape[0]}, it must be dynamic"
    return ""


def _outputs_problem(card: ModelCard, outputs: Sequence[TensorSpec]) -> str:
    missing = [name for name in card.outputs if name not in [o.name for o in outputs]]
    return f"its graph has no output {', '.join(missing)}, only {_names(outputs)}" if missing else ""


def _answer_problem(card: ModelCard, answer: dict[str, np.ndarray]) -> str:
    # Shapes in the file may be symbols; a run tells.
    for name, expected in output_shapes(card, _TRIAL_BATCH).items():
        if answer[name].shape != expected:
            return f"output {name} of a batch of {_TRIAL_BATCH} is {answer[name].shape}, its card says {expected}"
        if not np.isfinite(answer[name]).all():
            return f"output {name} of an empty input is not finite"
    return ""


def _names(tensors: Sequence[TensorSpec]) -> str:
    return ", ".join(t.name for t in tensors) or "none"
