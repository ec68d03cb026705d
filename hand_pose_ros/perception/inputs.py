"""A model's inputs from crops, by its card: the same code for the node, for training and for evaluation."""

from __future__ import annotations

import numpy as np

from hand_pose_ros.geometry.points import point_set
from hand_pose_ros.geometry.voxels import voxel_grid
from hand_pose_ros.inference.model_card import ModelCard


def crop_kind(card: ModelCard) -> str:
    """What kind of crop the inputs are made of: "depth_crop" or "rgb_crop"."""
    return "rgb_crop" if card.input_kind == "rgb_crop" else "depth_crop"


def crop_size(card: ModelCard) -> int:
    """S, pixels an edge of that crop."""
    return card.crop_size or card.input_size


def network_inputs(card: ModelCard, crops: np.ndarray) -> dict[str, np.ndarray]:
    """The engine's inputs by name.

    :param crops: (N, C, S, S) float32 of `crop_kind` and `crop_size`
    """
    if card.input_kind == "voxel_grid":
        return {"voxel_grid": voxel_grid(crops, card.input_size)}
    if card.input_kind == "point_set":
        return point_set(crops, card.input_size)
    return {card.input_kind: crops}
