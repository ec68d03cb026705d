"""Adaptive weighting (AWR, Eq. 1): a joint is the weighted mean of all cells' votes, the weights a softmax over cells.

Always in float32: a softmax over hundreds of cells and the spread of the votes lose their meaning in half precision.
"""

from __future__ import annotations

from typing import NamedTuple

import torch

EXCLUDED = -1e4  # a logit that takes no share, yet leaves a crop without any foreground finite
ROWS, COLUMNS = (0, 0, 0, 1, 1, 2), (0, 1, 2, 1, 2, 2)  # of a 3x3 covariance's six entries
TRACE = (0, 3, 5)  # which of the six are xx, yy and zz


class Aggregated(NamedTuple):
    """Joints (N, J, 3) normalised; weights (N, J, P) of the cells' votes, which sum to 1 for each joint."""

    joints: torch.Tensor
    weights: torch.Tensor


def adaptive_weighting(votes: torch.Tensor, closeness: torch.Tensor, foreground: torch.Tensor, temperature: float) -> Aggregated:
    """Eq. 1 with weights softmax(temperature * closeness) over the foreground.

    :param votes: (N, J, 3, P) normalised
    :param closeness: (N, J, P)
    :param foreground: (N, 1, P) 1 or 0; other cells are excluded (the released code leaves them at logit 0). Without any
        foreground every cell weighs the same and the result means nothing, but is finite.
    :param temperature: 30 in the released code; not printed in the paper
    """
    with torch.autocast(votes.device.type, enabled=False):
        votes, closeness, foreground = votes.float(), closeness.float(), foreground.float()
        logits = temperature * closeness * foreground + EXCLUDED * (1 - foreground)
        weights = torch.softmax(logits, dim=-1)
        return Aggregated((weights[:, :, None] * votes).sum(-1), weights)


def vote_covariance(votes: torch.Tensor, found: Aggregated) -> torch.Tensor:
    """Weighted covariance of the votes about their joint, (N, J, 6) normalised: xx xy xz yy yz zz."""
    spread = votes.float() - found.joints[..., None]
    weighted = found.weights[:, :, None] * spread
    return torch.stack([(weighted[:, :, r] * spread[:, :, c]).sum(-1) for r, c in zip(ROWS, COLUMNS)], dim=-1)


def support(closeness: torch.Tensor, found: Aggregated) -> torch.Tensor:
    """Weighted mean closeness of the cells that decided, (N, J): near 1 where they lie on the joint, near 0 without a hand."""
    return (found.weights * closeness.float()).sum(-1)
