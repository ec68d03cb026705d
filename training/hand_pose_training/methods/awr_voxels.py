"""AWR on voxels (section 2.2 "Input modalities", Table 3): occupancy of the cube -> V2V-PoseNet's hourglass -> 3D offsets from
the occupied cells at half the resolution -> weighted votes -> joints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from hand_pose_ros.geometry.voxels import CELLS, voxel_grid
from hand_pose_training.backbones.hourglass3d import Hourglass3dSettings
from hand_pose_training.methods.awr import Awr, AwrSettings
from hand_pose_training.representations.grid import cell_centers


@dataclass(frozen=True)
class AwrVoxelsSettings(AwrSettings):
    """AWR's settings, of which these differ.

    :param representation: O3 alone: a cell of the grid is a point in space
    :param kernel_size: k of Eq. 2, normalised units; beyond it a cell's closeness is 0: 15 of 44 cells an edge, each 2 / 44 wide
    :param cells: D, voxels an edge of the input, divides by 8
    """

    kernel_size: float = 15 * 2 / 44
    cells: int = CELLS
    backbone: Hourglass3dSettings = field(default_factory=Hourglass3dSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.representation != "O3":
            raise ValueError(f"model.representation {self.representation!r}: voxels have O3 alone")
        if self.cells < 8 or self.cells % 8:
            raise ValueError(f"model.cells {self.cells}: a multiple of 8, for the hourglass halves the grid three times")


class AwrVoxels(Awr):
    """The method's network and its decoding."""

    Settings = AwrVoxelsSettings
    input_kind = "voxel_grid"

    def inputs_of(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        return {"voxel_grid": voxel_grid(crops, self.settings.cells)}

    def card_input(self, crop_size: int) -> dict[str, Any]:
        return {"input_kind": "voxel_grid", "input_size": self.settings.cells, "crop_size": crop_size}

    def cells(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The centres of the dense map's cells (N, 3, D', D', D'), and those with an occupied voxel (N, 1, D', D', D')."""
        occupied = F.max_pool3d(inputs["voxel_grid"].float(), self.backbone.stride)
        axis = cell_centers(occupied.shape[-1], occupied.device)
        u, v, d = axis.view(1, 1, 1, 1, -1), axis.view(1, 1, 1, -1, 1), axis.view(1, 1, -1, 1, 1)
        return torch.cat([axis_points + 0 * occupied for axis_points in (u, v, d)], dim=1), occupied
