"""Where a heat map is highest, and the depth of what lies there. Both in float32."""

from __future__ import annotations

import torch
from torch import Tensor

from hand_pose_training.representations.grid import cell_centers

# Least sum of squared heat that is divided by. Maps of a trained network reach about 1; what stays below 0.01 fades to 0, where
# otherwise rounding would decide.
LEAST_WEIGHT = 1e-4


def heat_peak(heat: Tensor) -> Tensor:
    """Where heat maps (N, J, S', S') are highest: (N, J, 2) normalised u and v.

    The centroid of the cells above half of the maximum, weighted by the square of what they have above it: finer than the
    highest cell, and two cells that are equally high do not leave it to rounding which one it is. 0 where no cell is above 0;
    heat below about 0.02 fades to that.
    """
    with torch.autocast(heat.device.type, enabled=False):
        heat = heat.float()
        weights = (heat - 0.5 * heat.amax((2, 3), keepdim=True)).clamp(min=0).square()
        axis = cell_centers(heat.shape[-1], heat.device)
        total = weights.sum((2, 3)).clamp(min=LEAST_WEIGHT)
        return torch.stack([(weights.sum(2) * axis).sum(-1) / total, (weights.sum(3) * axis).sum(-1) / total], dim=-1)


def depth_near(heat: Tensor, depth: Tensor, foreground: Tensor) -> Tensor:
    """Mean depth of the foreground cells, weighted by the square of the heat there: (N, J), 0 where there is none.

    :param heat: (N, J, S', S'); depth, foreground: (N, 1, S', S')
    """
    with torch.autocast(heat.device.type, enabled=False):
        weights = heat.float().clamp(min=0).square() * foreground
        return (weights * depth).sum((2, 3)) / weights.sum((2, 3)).clamp(min=LEAST_WEIGHT)
