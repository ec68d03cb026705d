"""Depth crop -> occupancy of a grid of voxels over the cube (as V2V-PoseNet, Moon et al., CVPR 2018, takes its input).

A pixel of the crop fills the one voxel that holds its point (u, v, d); background fills none. Axes of the grid are (d, v, u), so
that a slice of one depth looks like the crop.
"""

from __future__ import annotations

import numpy as np

from hand_pose_ros.geometry.crop import BACKGROUND

CELLS = 88  # V2V-PoseNet's grid
SEEN_BELOW = 0.999 * BACKGROUND  # below it even after a round trip through half precision


def voxel_grid(depth_crop: np.ndarray, cells: int = CELLS) -> np.ndarray:
    """Occupancy 1 or 0, (N, 1, D, D, D) float32.

    :param depth_crop: (N, 1, S, S) in [-1, 1], background +1
    :param cells: D, voxels an edge; voxel i spans [2 i / D - 1, 2 (i + 1) / D - 1) of its axis
    """
    depth_crop = np.asarray(depth_crop)
    crop, row, column = np.nonzero(depth_crop[:, 0] < SEEN_BELOW)
    depth = (depth_crop[crop, 0, row, column].astype(np.float32) + 1) * np.float32(cells / 2)
    layer = np.clip(depth.astype(np.intp), 0, cells - 1)
    voxel = (2 * np.arange(depth_crop.shape[-1]) + 1) * cells // (2 * depth_crop.shape[-1])
    grid = np.zeros((len(depth_crop), 1, cells, cells, cells), np.float32)
    grid[crop, 0, layer, voxel[row], voxel[column]] = 1
    return grid
