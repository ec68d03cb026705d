"""The stacked hourglass (Newell et al. 2016) in the form of AWR's released code, and a small one for one CPU core.

Depth crop (N, 1, S, S) -> one dense map (N, outputs, S', S') a stack, S' = S / stride.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn


@dataclass(frozen=True)
class HourglassSettings:
    """Shape of a stacked hourglass.

    :param stacks: hourglasses in a row; each but the first sees the outputs before it
    :param channels: C, width of the maps between hourglasses
    :param depth: halvings inside an hourglass
    :param increase: channels added at each halving
    :param stem_channels: width after the first convolution
    :param stem_stride: stride of the first convolution (1: maps of S / 2; 2: S / 4)
    :param stem_residuals: residual blocks between the stem's pooling and the first hourglass
    :param preactivation: batch norm and ReLU before each convolution, as released; else after it, where an inference
        engine folds every batch norm into its convolution
    :param spare_skips: blocks that keep their width own a 1x1 skip convolution that is never run, as in the released
        code, whose 4.58 M parameters count them
    """

    kind: str = "hourglass"
    stacks: int = 1
    channels: int = 96
    depth: int = 3
    increase: int = 64
    stem_channels: int = 24
    stem_stride: int = 2
    stem_residuals: int = 1
    preactivation: bool = False
    spare_skips: bool = False


AWR_RELEASED = HourglassSettings(
    channels=256, depth=4, increase=0, stem_channels=64, stem_stride=1, stem_residuals=2, preactivation=True, spare_skips=True
)


def conv_bn(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """Convolution with padding that keeps the size (up to the stride), then batch norm."""
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False), nn.BatchNorm2d(outputs))


class Residual(nn.Module):
    """Bottleneck: 1x1 to half the width, 3x3, 1x1, each with batch norm, plus the input (through 1x1 where the width changes)."""

    def __init__(self, inputs: int, outputs: int, settings: HourglassSettings) -> None:
        super().__init__()
        half = outputs // 2
        if settings.preactivation:
            self.body = nn.Sequential(
                *(nn.BatchNorm2d(inputs), nn.ReLU(), nn.Conv2d(inputs, half, 1)),
                *(nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, half, 3, padding=1)),
                *(nn.BatchNorm2d(half), nn.ReLU(), nn.Conv2d(half, outputs, 1)),
            )
            self.last = nn.Identity()
        else:
            self.body = nn.Sequential(
                conv_bn(inputs, half, 1), nn.ReLU(), conv_bn(half, half, 3), nn.ReLU(), conv_bn(half, outputs, 1)
            )
            self.last = nn.ReLU()
        same = inputs == outputs
        self.skip = nn.Identity() if same else nn.Conv2d(inputs, outputs, 1)
        if same and settings.spare_skips:
            self.spare = nn.Conv2d(inputs, outputs, 1).requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(self.body(x) + self.skip(x))


class Hourglass(nn.Module):
    """One recursive hourglass: a branch at this resolution plus a deeper one at half of it."""

    def __init__(self, depth: int, channels: int, settings: HourglassSettings) -> None:
        super().__init__()
        deeper = channels + settings.increase
        self.pool, self.unpool = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="nearest")
        self.up = Residual(channels, channels, settings)
        self.low_in = Residual(channels, deeper, settings)
        self.low = Hourglass(depth - 1, deeper, settings) if depth > 1 else Residual(deeper, deeper, settings)
        self.low_out = Residual(deeper, channels, settings)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.up(x) + self.unpool(self.low_out(self.low(self.low_in(self.pool(x)))))


def stem(settings: HourglassSettings) -> nn.Sequential:
    """Depth crop (N, 1, S, S) -> features (N, C, S', S'), S' = S / (2 stem_stride)."""
    s, width = settings, settings.stem_channels
    return nn.Sequential(
        *(conv_bn(1, width, 5, s.stem_stride), nn.ReLU(), Residual(width, 2 * width, s), nn.MaxPool2d(2)),
        *(Residual(2 * width if i == 0 else s.channels, s.channels, s) for i in range(s.stem_residuals)),
    )


def single_hourglass(settings: HourglassSettings) -> nn.Sequential:
    """One hourglass of a row and what follows it: features (N, C, S', S') -> the same. S' divides by 2^depth."""
    s, channels = settings, settings.channels
    return nn.Sequential(
        *(Hourglass(s.depth, channels, s), Residual(channels, channels, s), conv_bn(channels, channels, 1), nn.ReLU())
    )


class StackedHourglass(nn.Module):
    """Stem, hourglasses, and one 1x1 head a stack; stacks after the first see the features and outputs before them.

    :param outputs: channels of the dense map
    """

    def __init__(self, settings: HourglassSettings, outputs: int) -> None:
        super().__init__()
        s = settings
        self.stride, self.channels = 2 * s.stem_stride, s.channels
        self.stem = stem(s)
        self.hourglasses = nn.ModuleList(single_hourglass(s) for _ in range(s.stacks))
        self.heads = nn.ModuleList(nn.Conv2d(s.channels, outputs, 1) for _ in range(s.stacks))
        self.merge_features = nn.ModuleList(nn.Conv2d(s.channels, s.channels, 1) for _ in range(s.stacks - 1))
        self.merge_outputs = nn.ModuleList(nn.Conv2d(outputs, s.channels, 1) for _ in range(s.stacks - 1))

    def forward(self, crop: torch.Tensor) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
        """(N, 1, S, S) -> one dense map (N, outputs, S / stride, S / stride) a stack, and its features (N, C, ...).

        S / stride divides by 2^depth.
        """
        x, dense, seen = self.stem(crop), [], []
        for i, (hourglass, head) in enumerate(zip(self.hourglasses, self.heads)):
            features = hourglass(x)
            seen.append(features)
            dense.append(head(features))
            if i < len(self.merge_features):
                x = x + self.merge_features[i](features) + self.merge_outputs[i](dense[-1])
        return dense, seen

    def keep_stacks(self, stacks: int) -> None:
        """Leaves out all stacks but the first so many."""
        self.hourglasses, self.heads = self.hourglasses[:stacks], self.heads[:stacks]
        self.merge_features, self.merge_outputs = self.merge_features[: stacks - 1], self.merge_outputs[: stacks - 1]
