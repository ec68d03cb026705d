"""A small network that sees a crop at three scales (DeepPrior++, Oberweger and Lepetit 2017, its refinement of hand centres)."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

# Pooling after each convolution of the three branches, which see the whole crop, its middle half and its middle quarter.
POOLS = ((4, 2, 1), (2, 2, 1), (2, 1, 1))
KERNELS = (5, 5, 3)


@dataclass(frozen=True)
class ScaleNetSettings:
    """Widths as in the released code.

    :param size: S, which the fully connected layers are made for; `data.size` must be the same
    :param channels: of every convolution
    :param hidden: of both fully connected layers
    """

    size: int = 128
    channels: int = 8
    hidden: int = 1024

    def __post_init__(self) -> None:
        if self.size % 4 or min(self.cells()) < 1:
            raise ValueError(f"backbone.size {self.size}: a multiple of 4, at least 72, for three layers on the middle quarter")

    def cells(self) -> tuple[int, ...]:
        """Edge of each branch's last map."""
        edges = []
        for branch, pools in enumerate(POOLS):
            edge = self.size >> branch
            for kernel, pool in zip(KERNELS, pools):
                edge = (edge - kernel + 1) // pool
            edges.append(edge)
        return tuple(edges)


class ScaleNet(nn.Module):
    """(N, 1, S, S) -> features (N, hidden).

    :raises ValueError: from `forward`, for crops of another size
    """

    def __init__(self, settings: ScaleNetSettings) -> None:
        super().__init__()
        s = settings
        self.size, self.channels = s.size, s.hidden
        self.branches = nn.ModuleList(_branch(s.channels, pools) for pools in POOLS)
        widths = [s.channels * sum(cells * cells for cells in s.cells()), s.hidden, s.hidden]
        self.hidden = nn.Sequential(*(nn.Sequential(nn.Linear(a, b), nn.ReLU()) for a, b in pairwise(widths)))

    def forward(self, crop: Tensor) -> Tensor:
        if crop.shape[-1] != self.size:
            raise ValueError(f"crops of {crop.shape[-1]} pixels for model.backbone.size {self.size}: give both one value")
        return self.hidden(torch.cat([branch(middle(crop, i)) for i, branch in enumerate(self.branches)], dim=1))


def middle(crop: Tensor, halvings: int) -> Tensor:
    """The middle (N, C, s, s) of an image, s = S / 2^halvings."""
    edge = crop.shape[-1] >> halvings
    start = (crop.shape[-1] - edge) // 2
    return crop[..., start : start + edge, start : start + edge]


def _branch(channels: int, pools: tuple[int, ...]) -> nn.Sequential:
    layers = []
    for i, (kernel, pool) in enumerate(zip(KERNELS, pools)):
        layers += [nn.Conv2d(1 if i == 0 else channels, channels, kernel), nn.MaxPool2d(pool), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten())
