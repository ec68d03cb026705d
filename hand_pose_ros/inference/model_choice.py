"""Which of a model's files runs: NAME.onnx computes in fp32, NAME_fp16.onnx beside it in half precision."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from hand_pose_ros.inference.model_card import ModelCard, ModelError
from hand_pose_ros.inference.model_file import read_model_file

PRECISION_CHOICES = ("auto", "fp32", "fp16")
HALF_SUFFIX = "_fp16"

log = logging.getLogger(__name__)


def choose_model(path: Path, precision: str, *, prefer_half: bool) -> Path:
    """The file of that precision.

    :param path: either of the two files
    :param precision: one of PRECISION_CHOICES; "auto": half precision where it is preferred and there is such a file
    :param prefer_half: what runs the model is faster in half precision
    :raises ModelError: no such file, or it is not what its name says
    """
    if precision == "auto":
        return _auto(path, prefer_half)
    chosen = half_file(path) if precision == "fp16" else full_file(path)
    if not chosen.is_file() and path.is_file() and read_model_file(path).card.precision == precision:
        return path  # a file with a name of its own
    if not chosen.is_file():
        raise ModelError(
            f"precision {precision} needs {chosen}, which does not exist: "
            f"export it with `hand-pose-train export --precision {precision}`, or set precision to auto"
        )
    found = read_model_file(chosen).card.precision
    if found != precision:
        raise ModelError(f"model {chosen} computes in {found}, and {precision} was asked for: export it again")
    return chosen


def half_file(path: Path) -> Path:
    """NAME_fp16.onnx of either file."""
    return path if path.stem.endswith(HALF_SUFFIX) else path.with_name(path.stem + HALF_SUFFIX + path.suffix)


def full_file(path: Path) -> Path:
    """NAME.onnx of either file."""
    return path.with_name(path.stem.removesuffix(HALF_SUFFIX) + path.suffix)


def same_model(first: ModelCard, second: ModelCard) -> bool:
    """Whether two cards are of one model, perhaps in two precisions: one may take the other's place between two frames."""
    neutral = {"precision": "fp32", "errors": {}, "revision": "", "limits": ""}
    return replace(first, **neutral) == replace(second, **neutral)


def _auto(path: Path, prefer_half: bool) -> Path:
    """The file that was named, or its half-precision twin where that is wanted and fits."""
    half = half_file(path)
    if not prefer_half or half == path or not half.is_file():
        return path
    try:
        fits = same_model(read_model_file(path).card, read_model_file(half).card)
    except ModelError as error:
        log.warning("%s is not used: %s", half, error)
        return path
    if not fits:
        log.warning("%s is not used, since its card is another model's than that of %s: export both again", half, path)
        return path
    return half
