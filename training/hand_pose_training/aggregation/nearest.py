"""Aggregation that is not learned: the cells with the highest scores decide (AWR's Dense rows of Table 1)."""

from __future__ import annotations

import torch
from torch import Tensor

from hand_pose_training.aggregation.adaptive_weighting import EXCLUDED, Aggregated


def nearest_candidates(votes: Tensor, scores: Tensor, allowed: Tensor, candidates: int) -> Aggregated:
    """Mean of the votes of the cells with the highest scores, weighted by them; 1 candidate is the arg max.

    :param votes: (N, J, 3, P) normalised; scores: (N, J, P); allowed: (N, 1, P) 1 or 0, cells that may vote
    :param candidates: how many; 0: all allowed cells, with equal weights
    """
    with torch.autocast(votes.device.type, enabled=False):
        votes, scores, allowed = votes.float(), scores.float(), allowed.float()
        if candidates == 0:
            weights = allowed.expand_as(scores)
        else:
            open_scores = scores * allowed + EXCLUDED * (1 - allowed)
            least = open_scores.topk(candidates, dim=-1).values[..., -1:]
            weights = (open_scores >= least) * scores.clamp(min=1e-6) * allowed
        weights = weights / weights.sum(-1, keepdim=True).clamp(min=1e-6)
        return Aggregated((weights[:, :, None] * votes).sum(-1), weights)
