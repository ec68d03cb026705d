"""Every cell of a map votes, with weights that sum to 1 over the cells (JGR-P2O, Eq. 1 and 6). Always in float32."""

from __future__ import annotations

import torch
from torch import Tensor

from hand_pose_training.aggregation.adaptive_weighting import Aggregated
from hand_pose_training.representations.grid import cell_centers


def spatial_softmax(scores: Tensor) -> Tensor:
    """Eq. 1: maps (N, J, S', S') -> weights (N, J, P) of the P = S' x S' cells, float32."""
    return torch.softmax(scores.float().flatten(2), dim=-1)


def cell_votes(depth: Tensor) -> Tensor:
    """Depth maps (N, J, S', S') -> votes (N, J, 3, P): each cell sees each joint where it lies itself, at the map's depth
    (heat maps with depth maps, Iqbal et al., ECCV 2018)."""
    axis = cell_centers(depth.shape[-1], depth.device)
    return torch.stack([axis + 0 * depth, axis[:, None] + 0 * depth, depth], dim=2).flatten(3)


def weighted_votes(votes: Tensor, weights: Tensor) -> Aggregated:
    """Eq. 6.

    :param votes: (N, J, 3, P) normalised, where each cell sees each joint
    :param weights: (N, J, P), they sum to 1 over the cells
    """
    weights = weights.float()
    return Aggregated((weights[:, :, None] * votes.float()).sum(-1), weights)
