"""What inputs a model has by its card: names, types and shapes."""

from __future__ import annotations

import numpy as np

from hand_pose_ros.geometry import letterbox
from hand_pose_ros.geometry.points import input_rows
from hand_pose_ros.inference.model_card import ModelCard
from hand_pose_ros.inference.model_file import TensorSpec

BATCH = "N"


def expected_inputs(card: ModelCard) -> tuple[TensorSpec, ...]:
    """The inputs that the graph must have, in its order."""
    size = card.input_size
    rows = {
        "depth_crop": lambda: {"depth_crop": ("float32", (1, size, size))},
        "rgb_crop": lambda: {"rgb_crop": ("float32", (3, size, size))},
        "voxel_grid": lambda: {"voxel_grid": ("float32", (1, size, size, size))},
        "point_set": lambda: input_rows(size),
        "depth_frame": lambda: letterbox.input_rows(size),
    }[card.input_kind]()
    return tuple(TensorSpec(name, dtype, (BATCH, *row)) for name, (dtype, row) in rows.items())


def empty_batch(card: ModelCard, batch: int) -> dict[str, np.ndarray]:
    """Inputs in which nothing is: depth at the far end of the cube, black, no voxel, all points and indices 0, no depth."""
    fill = np.ones if card.input_kind == "depth_crop" else np.zeros
    return {spec.name: fill((batch, *spec.shape[1:]), spec.dtype) for spec in expected_inputs(card)}
