"""How far off a joint may be: the votes' covariance, stretched and widened by what the whole crop shows.

Votes that agree can all be wrong: of a finger that hides behind the hand they agree on the likeliest place. The crop's features,
the joints and the other joints' votes tell where that is so.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hand_pose_training.aggregation.adaptive_weighting import COLUMNS, ROWS, TRACE

HIDDEN = 96
_FLOOR = 2e-3  # normalised units squared: about 6 mm of deviation in a cube of 250 mm
_FREEDOM = 8  # degrees of the t distribution


class SpreadHead(nn.Module):
    """Features (N, C, ...cells), joints (N, J, 3), votes' covariance (N, J, 6) and support (N, J) -> covariance (N, J, 6),
    normalised units squared.

    Nothing is learned through its inputs, so it takes nothing away from the joints.
    """

    def __init__(self, channels: int, joints: int) -> None:
        super().__init__()
        known = channels + 5 * joints
        self.standard = nn.BatchNorm1d(known)
        self.factors = nn.Sequential(nn.Linear(known, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 2 * joints))
        nn.init.zeros_(self.factors[2].weight)
        nn.init.zeros_(self.factors[2].bias)

    def forward(self, features: Tensor, joints: Tensor, covariance: Tensor, support: Tensor) -> Tensor:
        with torch.autocast(features.device.type, enabled=False):
            covariance = covariance.detach().float()
            trace = sum(covariance[..., i] for i in TRACE)
            known = (features.flatten(2).mean(2), joints.flatten(1), torch.log(trace + 1e-6), support)
            values = self.factors(self.standard(torch.cat([part.detach().float() for part in known], dim=1)))
            stretch, floor = values.unflatten(1, (2, -1)).unbind(1)
            variances = torch.zeros_like(covariance[:1, :1])
            variances[..., TRACE] = 1
            return torch.exp(stretch)[..., None] * covariance + _FLOOR * torch.exp(floor)[..., None] * variances


def spread_loss(covariance: Tensor, residual: Tensor, weights: Tensor) -> Tensor:
    """Negative log-likelihood of residuals (N, J, 3) under a multivariate t distribution, which a few gross errors do not rule,
    with these covariances (N, J, 6) as its scale; mean over joints with weights (N, J) of 1, not of 0."""
    matrix = torch.zeros(*covariance.shape[:-1], 3, 3, device=covariance.device)
    for value, row, column in zip(covariance.unbind(-1), ROWS, COLUMNS):
        matrix[..., row, column] = matrix[..., column, row] = value
    root = torch.linalg.cholesky(matrix)
    squared = torch.linalg.solve_triangular(root, residual.detach().float()[..., None], upper=False).square().sum((-2, -1))
    log_determinant = 2 * root.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    likelihood = 0.5 * log_determinant + 0.5 * (_FREEDOM + 3) * torch.log1p(squared / _FREEDOM)
    return (likelihood * weights).sum() / weights.sum().clamp(min=1)
