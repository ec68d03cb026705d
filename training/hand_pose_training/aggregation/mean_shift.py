"""Mean shift over a joint's best votes (DenseReg, Algorithm 1), unrolled, always in float32."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from hand_pose_training.aggregation.adaptive_weighting import EXCLUDED

LEAST_WEIGHT = 1e-6  # keeps a joint of which no vote has any weight finite


class Selected(NamedTuple):
    """The K best cells of each joint: their votes (N, J, 3, K), and (N, J, K) each: scores, indices among all cells, and 1 or 0,
    whether they show anything."""

    votes: Tensor
    scores: Tensor
    cells: Tensor
    seen: Tensor


def select(votes: Tensor, scores: Tensor, foreground: Tensor, candidates: int) -> Selected:
    """Steps 2 and 3: the cells with the highest scores, of those that show something.

    :param votes: (N, J, 3, P) normalised; scores: (N, J, P); foreground: (N, 1, P) 1 or 0
    :param candidates: K; with fewer foreground cells others follow, `seen` 0
    """
    open_scores = scores * foreground + EXCLUDED * (1 - foreground)
    cells = open_scores.topk(candidates, dim=-1).indices
    chosen = votes.gather(3, cells[:, :, None].expand(-1, -1, 3, -1))
    return Selected(chosen, scores.gather(2, cells), cells, foreground.expand_as(scores).gather(2, cells))


def at_projections(maps: Tensor, votes: Tensor) -> Tensor:
    """Steps 4 and 5: a joint's 2D map where its votes project to, bilinear, 0 outside the crop.

    In normalised coordinates the projection of (u, v, d) is (u, v).

    :param maps: (N, J, S', S'); votes: (N, J, 3, K)
    :return: (N, J, K)
    """
    grid = votes[:, :, :2].movedim(2, 3).flatten(0, 1)[:, :, None]
    sampled = F.grid_sample(maps.flatten(0, 1)[:, None], grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    return sampled[:, 0, :, 0].unflatten(0, (-1, maps.shape[1]))


def mean_shift(votes: Tensor, weights: Tensor, sigma: float, iterations: int) -> Tensor:
    """Steps 6 to 9: the mode of the weighted votes under the kernel exp(-|x|^2 / (2 sigma^2)), (N, J, 3).

    How it starts is not printed; here at the vote with the highest density, so that votes far from the others, however they
    move the mean, are left out. (The released code starts at the fullest of 4^3 bins.)

    :param votes: (N, J, 3, K); weights: (N, J, K), not negative; sigma: as the votes, normalised
    """
    with torch.autocast(votes.device.type, enabled=False):
        points, weights = votes.float().movedim(2, 3), weights.float().clamp(min=LEAST_WEIGHT)
        between = _kernel(points[:, :, :, None] - points[:, :, None], sigma)
        densest = (between * weights[:, :, None]).sum(-1).argmax(-1)
        mode = points.gather(2, densest[..., None, None].expand(-1, -1, -1, 3))
        for _ in range(iterations):
            pull = (_kernel(points - mode, sigma) * weights)[..., None]
            mode = (pull * points).sum(2, keepdim=True) / pull.sum(2, keepdim=True)
        return mode[:, :, 0]


def _kernel(difference: Tensor, sigma: float) -> Tensor:
    return torch.exp(-difference.square().sum(-1) / (2 * sigma**2))
