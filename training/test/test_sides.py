"""Answers of a network that knows right hands alone."""

import numpy as np
import pytest

from hand_pose_training.sides import answers


def infer(crops: np.ndarray) -> dict[str, np.ndarray]:
    """A stand-in that sees where the brightest column is: left of the middle means a left hand."""
    column = crops[:, 0].min(1).argmin(-1) / (crops.shape[-1] - 1) * 2 - 1
    n = len(crops)
    return {
        "joints": np.stack([column, np.zeros(n), np.ones(n)], -1)[:, None],
        "covariance": np.tile([1.0, 2, 3, 4, 5, 6], (n, 1, 1)),
        "right_side": (column > 0).astype(float),
    }


def crops_with_columns(*columns: int) -> np.ndarray:
    crops = np.ones((len(columns), 1, 5, 5), np.float32)
    for i, column in enumerate(columns):
        crops[i, :, :, column] = -1
    return crops


def test_left_hands_are_seen_mirrored_and_mirrored_back():
    out = answers(infer, crops_with_columns(0, 4), "right")
    assert out["right_side"] == pytest.approx([0, 1])
    assert out["joints"][:, 0].tolist() == [[-1, 0, 1], [1, 0, 1]]
    assert out["covariance"][0, 0].tolist() == [1, -2, -3, 4, 5, 6]
    assert out["covariance"][1, 0].tolist() == [1, 2, 3, 4, 5, 6]


def test_a_model_of_both_sides_looks_once():
    out = answers(infer, crops_with_columns(0), "unknown")
    assert out["covariance"][0, 0].tolist() == [1, 2, 3, 4, 5, 6]
