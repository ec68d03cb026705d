"""The network of JGR-P2O (figure 1): hourglasses in a row; after each, weights of the cells' votes and a dense map.

Depth crop (N, 1, S, S) -> for each stack a dense map (N, outputs, S', S') and weights (N, J, P), S' = S / 4, P = S' x S'.
A weigher takes features (N, C, S', S') and gives features of the same shape for the dense map, and the weights.
Layers are those of the released code; the paper prints the sizes of crop and maps, and how many parameters there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from hand_pose_training.aggregation.pixel_voting import spatial_softmax
from hand_pose_training.backbones.hourglass import HourglassSettings, Residual, conv_bn

STRIDE = 4
_Block = partial(Residual, settings=HourglassSettings())


@dataclass(frozen=True)
class VotingHourglassSettings:
    """:param stacks: hourglasses in a row (Table 3)
    :param channels: C
    :param depth: halvings inside an hourglass
    :param stem_channels: width after the first convolution
    """

    stacks: int = 2
    channels: int = 128
    depth: int = 3
    stem_channels: int = 32


class VotingHourglass(nn.Module):
    """:param weigher: makes a stack's weigher
    :param outputs: channels of the dense map
    """

    def __init__(self, settings: VotingHourglassSettings, weigher: Callable[[], nn.Module], outputs: int) -> None:
        super().__init__()
        c, width = settings.channels, settings.stem_channels
        self.stem = nn.Sequential(
            *(conv_bn(1, width, 7, 2), nn.ReLU(), _Block(width, 2 * width), nn.MaxPool2d(2)),
            *(_Block(2 * width, 2 * width), _Block(2 * width, c)),
        )
        self.hourglasses = nn.ModuleList(
            nn.Sequential(_Hourglass(settings.depth, c), _Block(c, c)) for _ in range(settings.stacks)
        )
        self.weighers = nn.ModuleList(weigher() for _ in range(settings.stacks))
        self.heads = nn.ModuleList(nn.Conv2d(c, outputs, 1, bias=False) for _ in range(settings.stacks))
        self.merge_features, self.merge_outputs = (
            nn.ModuleList(nn.Sequential(conv_bn(inputs, c, 1), nn.ReLU()) for _ in range(settings.stacks - 1))
            for inputs in (c, outputs)
        )

    def forward(self, crop: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Dense map and weights of each stack. S / 4 divides by 2^depth."""
        x, found = self.stem(crop), []
        for i, (hourglass, weigher, head) in enumerate(zip(self.hourglasses, self.weighers, self.heads)):
            features, weights = weigher(hourglass(x))
            found.append((head(features), weights))
            if i < len(self.merge_features):
                x = x + self.merge_features[i](features) + self.merge_outputs[i](found[-1][0])
        return found


class AttentionWeights(nn.Module):
    """Figure 3's baseline: the weights from a residual block of their own, and one more before the dense map."""

    def __init__(self, channels: int, joints: int) -> None:
        super().__init__()
        self.attend = nn.Sequential(_Block(channels, channels), nn.Conv2d(channels, joints, 1))
        self.refine = _Block(channels, channels)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.refine(x), spatial_softmax(self.attend(x))


class EqualWeights(nn.Module):
    """Table 2's baseline: the joint is the mean of all votes."""

    def __init__(self, joints: int) -> None:
        super().__init__()
        self.joints = joints

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        cells = x.shape[2] * x.shape[3]
        return x, x.new_full((x.shape[0], self.joints, cells), 1 / cells, dtype=torch.float32)


class _Hourglass(nn.Module):
    """One recursive hourglass: a block at this resolution plus a deeper branch at half of it."""

    def __init__(self, depth: int, channels: int) -> None:
        super().__init__()
        deeper = [_Hourglass(depth - 1, channels)] if depth > 1 else []
        self.up = _Block(channels, channels)
        self.low = nn.Sequential(
            *(nn.MaxPool2d(3, 2, padding=1), _Block(channels, channels), *deeper, _Block(channels, channels)),
            nn.Upsample(scale_factor=2, mode="nearest"),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.up(x) + self.low(x)
