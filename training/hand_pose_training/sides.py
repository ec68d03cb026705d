"""Answers of a model that knows right hands alone: it looks at a crop and at its mirror image, as perception/pipeline.py does."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

Infer = Callable[[np.ndarray], dict[str, np.ndarray]]

BATCH = 50
_MIRROR_JOINTS = np.array([-1, 1, 1], np.float32)
_MIRROR_COVARIANCE = np.array([1, -1, -1, 1, 1, 1], np.float32)  # xx xy xz yy yz zz


def answers(infer: Infer, crops: np.ndarray, side: str) -> dict[str, np.ndarray]:
    """Outputs for crops (N, 1, S, S), by name, first axis the crop.

    :param infer: a batch of crops to outputs: joints (N, J, 3), covariance (N, J, 6), right_side (N,) and others
    :param side: of the model card. "unknown": one look. "right": both looks; the mirrored one is taken, mirrored back,
        where both together speak for a left hand, and `right_side` is what both say
    """
    plain = look(infer, crops)
    if side == "unknown":
        return plain
    mirrored = look_mirrored(infer, crops)
    right_side = (plain["right_side"] + mirrored["right_side"]) / 2
    return choose(plain, mirrored, right_side < 0.5) | {"right_side": right_side}


def look_mirrored(infer: Infer, crops: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs for the crops' mirror images, mirrored back."""
    out = look(infer, crops[..., ::-1])
    out["joints"] = out["joints"] * _MIRROR_JOINTS
    for name in {"covariance", "votes_covariance"} & set(out):
        out[name] = out[name] * _MIRROR_COVARIANCE
    return out | {"right_side": 1 - out["right_side"]}


def choose(plain: dict[str, np.ndarray], mirrored: dict[str, np.ndarray], left: np.ndarray) -> dict[str, np.ndarray]:
    """Rows of `mirrored` where `left` (N,) bool, else of `plain`."""
    return {name: np.where(left.reshape(-1, *[1] * (plain[name].ndim - 1)), mirrored[name], plain[name]) for name in plain}


def look(infer: Infer, crops: np.ndarray) -> dict[str, np.ndarray]:
    """Outputs for crops (N, 1, S, S), a batch at a time."""
    parts = [infer(chunk) for chunk in _chunks(crops)]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _chunks(crops: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(crops), BATCH):
        yield np.ascontiguousarray(crops[start : start + BATCH])
