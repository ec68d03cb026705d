"""The points that vote: one per cell of a dense map, where the crop shows something at all."""

from __future__ import annotations

import torch
import torch.nn.functional as F

FOREGROUND_BELOW = 0.999  # background is exactly +1; below it even after a round trip through half precision


def cell_centers(cells: int, device: torch.device) -> torch.Tensor:
    """Where the centres of a map's S' columns or rows lie, (S',) normalised: (2 i + 1) / S' - 1."""
    return (2 * torch.arange(cells, device=device, dtype=torch.float32) + 1) / cells - 1


def cell_points(depth_crop: torch.Tensor, stride: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Depth crop -> voting points in normalised crop coordinates.

    :param depth_crop: (N, 1, S, S) in [-1, 1], background +1
    :param stride: S / S'
    :return: points (N, 3, S', S'), the cell's centre (u, v) and the mean depth of its foreground pixels (+1 if none);
        foreground (N, 1, S', S') 1 or 0, cells with at least one foreground pixel

    AWR's released code takes the nearest pixel's depth; with cells of 4 x 4 pixels that loses fingers and keeps noise.
    """
    depth_crop = depth_crop.float()
    seen = (depth_crop < FOREGROUND_BELOW).float()
    share = F.avg_pool2d(seen, stride)
    foreground = (share > 0).float()
    depth = F.avg_pool2d(depth_crop * seen, stride) / (share + (1 - foreground)) + (1 - foreground)
    axis = cell_centers(depth.shape[-1], depth.device)
    u, v = axis.view(1, 1, 1, -1), axis.view(1, 1, -1, 1)
    return torch.cat([u + 0 * depth, v + 0 * depth, depth], dim=1), foreground
