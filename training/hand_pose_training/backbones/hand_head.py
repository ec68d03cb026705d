"""Is it a hand, and is it a right one? Two logits from the features that the dense map is made of."""

from __future__ import annotations

import torch
from torch import nn

WIDTH = 64


class HandHead(nn.Module):
    """1x1 convolution, mean over all cells, linear: features (N, C, S', S') -> logits (N, 2) of presence and right side."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.evidence = nn.Sequential(nn.Conv2d(channels, WIDTH, 1), nn.ReLU())
        self.verdict = nn.Linear(WIDTH, 2)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return self.verdict(self.evidence(features).mean((2, 3)))
