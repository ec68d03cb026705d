"""Cards of voxels and point sets: the crop that they are made of, and the inputs that the graph must have."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tiny_model import tiny_card

from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.model_checks import check_model
from hand_pose_ros.inference.model_file import TensorSpec
from hand_pose_ros.inference.model_inputs import empty_batch, expected_inputs
from hand_pose_ros.perception.inputs import crop_kind, crop_size, network_inputs

VOXELS = tiny_card(input_kind="voxel_grid", input_size=16, crop_size=24)
POINTS = tiny_card(input_kind="point_set", input_size=64, crop_size=24)
OUTPUTS = [TensorSpec(name, "float32", ("N", 21)) for name in ("joints", "covariance", "confidence")]


def answer(inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    n = len(next(iter(inputs.values())))
    return {"joints": np.zeros((n, 21, 3)), "covariance": np.zeros((n, 21, 6)), "confidence": np.zeros((n, 21))}


@pytest.mark.parametrize("card", [tiny_card(size=24), VOXELS, POINTS], ids=lambda card: card.input_kind)
def test_inputs_made_of_crops_are_those_that_the_card_says(card):
    crops = np.random.default_rng(0).uniform(-1, 1, (3, 1, 24, 24)).astype(np.float32)
    assert crop_kind(card) == "depth_crop" and crop_size(card) == 24
    for inputs in (network_inputs(card, crops), empty_batch(card, 3)):
        rows = tuple(TensorSpec(name, str(v.dtype), ("N", *v.shape[1:])) for name, v in inputs.items())
        assert rows == expected_inputs(card)
    check_model(Path("right.onnx"), card, expected_inputs(card), OUTPUTS, answer)


def test_a_voxel_model_without_a_crop_size_takes_a_pixel_a_voxel():
    assert crop_size(tiny_card(input_kind="voxel_grid", input_size=88)) == 88


@pytest.mark.parametrize(
    "card, change, said",
    [
        (VOXELS, {"name": "depth_crop"}, "its inputs are depth_crop, its card says voxel_grid"),
        (VOXELS, {"dtype": "int64"}, "input voxel_grid is int64, not float32"),
        (VOXELS, {"shape": ("N", 1, 8, 8, 8)}, r"input voxel_grid is \(N, 1, 8, 8, 8\), its card says \(N, 1, 16, 16, 16\)"),
        (VOXELS, {"shape": (1, 1, 16, 16, 16)}, "input voxel_grid has a fixed batch of 1"),
        (POINTS, {"dtype": "float32"}, "input nearest_2 is float32, not int64"),
    ],
)
def test_graphs_with_other_inputs_are_refused(card, change, said):
    inputs = list(expected_inputs(card))
    at = -2 if card is POINTS else 0
    inputs[at] = replace(inputs[at], **change)
    with pytest.raises(ModelError, match=said):
        check_model(Path("wrong.onnx"), card, inputs, OUTPUTS, answer)


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"crop_size": -1}, "crop_size -1 is no number of pixels"),
        ({"crop_size": "96"}, "crop_size '96' is no number of pixels"),
        ({"input_kind": "point_set", "input_size": 100, "crop_size": 96}, "input_size 100 is no number of points: a multiple"),
        ({"input_kind": "point_set", "input_size": 1024}, "crop_size is missing"),
    ],
)
def test_cards_that_cannot_be_used(changes, said):
    with pytest.raises(ModelError, match=said):
        tiny_card(**changes)
