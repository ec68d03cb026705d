"""The encoder and decoder of V2V-PoseNet (Moon et al., CVPR 2018), with its released code's layers and widths: an hourglass of 3D
convolutions.

Occupancy (N, 1, D, D, D) -> one dense map (N, outputs, D / 2, D / 2, D / 2).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class Hourglass3dSettings:
    """:param channels: C at D / 2; at D / 4 it is 2 C, at D / 8 4 C
    :param stem_channels: width after the first convolution
    """

    kind: str = "hourglass3d"
    channels: int = 32
    stem_channels: int = 16


def conv_bn(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    """Convolution that keeps the size, and batch norm."""
    return nn.Sequential(nn.Conv3d(inputs, outputs, kernel, padding=kernel // 2), nn.BatchNorm3d(outputs))


class Residual3d(nn.Module):
    """Two 3x3x3 convolutions, plus the input (through 1x1x1 where the width changes)."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(conv_bn(inputs, outputs, 3), nn.ReLU(), conv_bn(outputs, outputs, 3))
        self.skip = nn.Identity() if inputs == outputs else conv_bn(inputs, outputs, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.body(x) + self.skip(x))


class Level(nn.Module):
    """A branch at this resolution plus a deeper one at half of it.

    :param deeper: from half the resolution on; widens to 2 C
    """

    def __init__(self, channels: int, deeper: nn.Module) -> None:
        super().__init__()
        self.beside, self.deeper = Residual3d(channels, channels), deeper
        self.down = nn.MaxPool3d(2)
        self.up = nn.Sequential(nn.ConvTranspose3d(2 * channels, channels, 2, 2), nn.BatchNorm3d(channels), nn.ReLU())

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(self.deeper(self.down(x))) + self.beside(x)


class Hourglass3d(nn.Module):
    """Stem, hourglass with two halvings, head of one 1x1x1 convolution.

    :param outputs: channels of the dense map
    """

    stride = 2

    def __init__(self, settings: Hourglass3dSettings, outputs: int) -> None:
        super().__init__()
        c, self.channels = settings.channels, settings.channels
        self.stem = nn.Sequential(
            *(conv_bn(1, settings.stem_channels, 7), nn.ReLU(), nn.MaxPool3d(2)),
            *(Residual3d(settings.stem_channels, c), Residual3d(c, c), Residual3d(c, c)),
        )
        quarter = nn.Sequential(Residual3d(2 * c, 4 * c), Residual3d(4 * c, 4 * c), Residual3d(4 * c, 4 * c))
        half = nn.Sequential(Residual3d(c, 2 * c), Level(2 * c, quarter), Residual3d(2 * c, 2 * c))
        self.hourglass = nn.Sequential(
            *(Level(c, half), Residual3d(c, c)),
            *(conv_bn(c, c, 1), nn.ReLU(), conv_bn(c, c, 1), nn.ReLU()),
        )
        self.head = nn.Conv3d(c, outputs, 1)

    def forward(self, grid: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """(N, 1, D, D, D) -> one dense map (N, outputs, D / 2, D / 2, D / 2); its features as an image (N, C, D D / 4, D / 2).

        D divides by 8.
        """
        features = self.hourglass(self.stem(grid))
        return [self.head(features)], [features.flatten(2, 3)]
