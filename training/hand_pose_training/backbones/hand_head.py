"""Is it a hand, and is it a right one? Two logits from the features that the dense map is made of."""

from __future__ import annotations

import torch
from torch import nn

WIDTH = 64


class HandHead(nn.Module):
    """Features (N, C, S', S') -> logits (N, 2) of presence and right side: 1x1 convolution, mean and largest over all cells, for
    what there is much of and what there is anywhere, and two linear layers."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.evidence = nn.Sequential(nn.Conv2d(channels, WIDTH, 1), nn.ReLU())
        self.verdict = nn.Sequential(nn.Linear(2 * WIDTH, WIDTH), nn.ReLU(), nn.Linear(WIDTH, 2))

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        evidence = self.evidence(features)
        return self.verdict(torch.cat([evidence.mean((2, 3)), evidence.amax((2, 3))], dim=1))
