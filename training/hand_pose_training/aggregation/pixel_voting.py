"""Every cell of a map votes, with weights that sum to 1 over the cells (JGR-P2O, Eq. 1 and 6). Always in float32."""

from __future__ import annotations

import torch
from torch import Tensor

from hand_pose_training.aggregation.adaptive_weighting import Aggregated


def spatial_softmax(scores: Tensor) -> Tensor:
    """Eq. 1: maps (N, J, S', S') -> weights (N, J, P) of the P = S' x S' cells, float32."""
    return torch.softmax(scores.float().flatten(2), dim=-1)


def weighted_votes(votes: Tensor, weights: Tensor) -> Aggregated:
    """Eq. 6.

    :param votes: (N, J, 3, P) normalised, where each cell sees each joint
    :param weights: (N, J, P), they sum to 1 over the cells
    """
    weights = weights.float()
    return Aggregated((weights[:, :, None] * votes.float()).sum(-1), weights)
