"""Hourglasses in a row, each with a head of its own whose estimates the next one sees (DenseReg, figures 1 and 2).

Depth crop (N, 1, S, S) -> what each head says of S' = S / 4. A head takes features (N, C, S', S'), the cells' depth and whether
they show anything, (N, 1, S', S') each, and gives a dense map, and beside it what is no map.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from hand_pose_training.backbones import hourglass
from hand_pose_training.backbones.batch_renorm import BatchRenormSettings, with_batch_renorm
from hand_pose_training.backbones.hourglass import HourglassSettings, Residual, single_hourglass
from hand_pose_training.representations.grid import cell_points

STRIDE = 4
# 128 x 128 -> 32 x 32, 128 channels, halved four times to 2 x 2. The stem is that of the released code with the first
# convolution of the hourglass here (5 x 5, not 7 x 7).
DENSEREG = HourglassSettings(stacks=2, channels=128, depth=4, increase=0, stem_channels=32, stem_stride=2, stem_residuals=2)


class HourglassCascade(nn.Module):
    """:param head: makes a stage's head: features, depth, foreground -> (dense map (N, outputs, S', S'), the rest or None)
    :param outputs: channels of the dense map
    """

    def __init__(
        self, settings: HourglassSettings, renorm: BatchRenormSettings, head: Callable[[], nn.Module], outputs: int
    ) -> None:
        super().__init__()
        s, channels = settings, settings.channels
        self.stem = stem(s)
        self.hourglasses = nn.ModuleList(single_hourglass(s) for _ in range(s.stacks))
        self.heads = nn.ModuleList(head() for _ in range(s.stacks))
        self.merge_features = nn.ModuleList(nn.Conv2d(channels, channels, 1) for _ in range(s.stacks - 1))
        self.merge_outputs = nn.ModuleList(nn.Conv2d(outputs, channels, 1) for _ in range(s.stacks - 1))
        with_batch_renorm(self, renorm)

    def forward(self, crop: Tensor) -> list[tuple[Tensor, Tensor | None]]:
        """What each stage's head says, the first stage first."""
        points, foreground = (values.to(crop.dtype) for values in cell_points(crop, STRIDE))
        x, found = self.stem(crop), []
        for i, (single, head) in enumerate(zip(self.hourglasses, self.heads)):
            features = single(x)
            found.append(head(features, points[:, 2:], foreground))
            if i < len(self.merge_features):
                x = x + self.merge_features[i](features) + self.merge_outputs[i](found[-1][0])
        return found


class MaskedHead(nn.Module):
    """Features (N, C, S', S') -> maps of vectors (N, outputs, S', S').

    Section 3.2: the features, and beside them the features masked by the binarised depth map; then fully connected layers on
    each cell. Widths and blocks are those of the released code.

    :param width: of the residual blocks on either
    :param hidden: of the two fully connected layers
    :param dropout: after each of them, while training
    """

    def __init__(self, inputs: int, outputs: int, width: int, hidden: int, dropout: float, blocks: HourglassSettings) -> None:
        super().__init__()
        self.plain, self.masked = (
            nn.Sequential(Residual(inputs, width, blocks), Residual(width, width, blocks)) for _ in range(2)
        )
        self.both = Residual(2 * width, 2 * width, blocks)
        self.connected = nn.Sequential(
            *(nn.Conv2d(2 * width, hidden, 1), nn.ReLU(), nn.Dropout(dropout)),
            *(nn.Conv2d(hidden, hidden, 1), nn.ReLU(), nn.Dropout(dropout)),
            nn.Conv2d(hidden, outputs, 1),
        )

    def forward(self, features: Tensor, foreground: Tensor) -> Tensor:
        seen = torch.cat([self.plain(features), self.masked(features * foreground)], dim=1)
        return self.connected(self.both(seen))


class NumbersHead(nn.Module):
    """Features (N, C, S', S') -> (N, outputs): residual blocks with pooling down to `cells` x `cells`, then two fully connected
    layers (the brown module of figure 2, whose sizes are not printed).

    :param pools: halvings, S' = cells 2^pools
    """

    def __init__(
        self, inputs: int, outputs: int, pools: int, cells: int, hidden: int, dropout: float, blocks: HourglassSettings
    ) -> None:
        super().__init__()
        widths = [inputs, *[blocks.channels] * pools]
        self.pyramid = nn.Sequential(
            *(nn.Sequential(Residual(a, b, blocks), nn.MaxPool2d(2)) for a, b in pairwise(widths)), nn.Flatten()
        )
        self.connected = nn.Sequential(
            *(nn.Linear(widths[-1] * cells**2, hidden), nn.ReLU(), nn.Dropout(dropout)),
            *(nn.Linear(hidden, hidden), nn.ReLU(), nn.Dropout(dropout)),
            nn.Linear(hidden, outputs),
        )

    def forward(self, features: Tensor) -> Tensor:
        return self.connected(self.pyramid(features))


def stem(settings: HourglassSettings) -> nn.Sequential:
    """Depth crop (N, 1, S, S) -> features (N, C, S / 4, S / 4), with plain batch norms.

    :raises ValueError: a stride of the settings that does not give S / 4
    """
    if (stride := settings.stem_stride) * 2 != STRIDE:
        raise ValueError(f"model.backbone.stem_stride {stride}: DenseReg's maps have a quarter of the crop's edge, give 2")
    return hourglass.stem(settings)
