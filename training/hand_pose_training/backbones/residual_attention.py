"""The Residual Attention Network (Wang et al., CVPR 2017) for depth crops: residual units whose features a learned mask lifts.

Its Attention-56: a stem, three attention modules on maps of S / 4, S / 8 and S / 16, and three residual units on S / 32.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class ResidualAttentionSettings:
    """:param p: residual units before the branches part, and after they meet
    :param t: residual units of a trunk branch
    :param r: residual units between two changes of size in a mask branch
    :param widths: channels of each attention module
    :param mask_halvings: how often each module's mask branch halves its map
    :param stem_channels: of the first convolution
    :param last_channels, last_units: of the residual units after the modules; their mean over all cells are the features
    :param attention: False: H = T, the trunk branches alone
    """

    p: int = 1
    t: int = 2
    r: int = 1
    widths: tuple[int, ...] = (256, 512, 1024)
    mask_halvings: tuple[int, ...] = (3, 2, 1)
    stem_channels: int = 64
    last_channels: int = 2048
    last_units: int = 3
    attention: bool = True

    def __post_init__(self) -> None:
        if not self.widths or len(self.widths) != len(self.mask_halvings) or min(self.mask_halvings) < 1:
            raise ValueError(
                f"backbone.widths {self.widths} and backbone.mask_halvings {self.mask_halvings}: one of each a module, and at "
                f"least one halving"
            )

    @property
    def multiple(self) -> int:
        """What S must divide by, so that every mask comes back to the size of its trunk."""
        return 4 * 2 ** max(self.last_halvings, *(i + halvings for i, halvings in enumerate(self.mask_halvings)))

    @property
    def last_halvings(self) -> int:
        """Halvings from the stem's map to that of the last residual units."""
        return len(self.widths)


class ResidualUnit(nn.Module):
    """Batch norm and ReLU before each of 1x1, 3x3 and 1x1 convolutions, plus the input (He et al., ECCV 2016)."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        narrow = outputs // 4
        self.before = nn.Sequential(nn.BatchNorm2d(inputs), nn.ReLU())
        self.body = nn.Sequential(
            *(nn.Conv2d(inputs, narrow, 1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU()),
            *(nn.Conv2d(narrow, narrow, 3, stride, padding=1, bias=False), nn.BatchNorm2d(narrow), nn.ReLU()),
            nn.Conv2d(narrow, outputs, 1, bias=False),
        )
        self.skip = None if inputs == outputs and stride == 1 else nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        y = self.before(x)
        return self.body(y) + (x if self.skip is None else self.skip(y))


def units(count: int, channels: int) -> nn.Sequential:
    """Residual units in a row."""
    return nn.Sequential(*(ResidualUnit(channels, channels) for _ in range(count)))


class BottomUpTopDown(nn.Module):
    """Half the size, r units, what is deeper beside a unit that skips it, r units, and the size of before."""

    def __init__(self, channels: int, halvings: int, r: int) -> None:
        super().__init__()
        self.pool = nn.MaxPool2d(3, 2, padding=1)
        self.down, self.up = units(r, channels), units(r, channels)
        self.skip = ResidualUnit(channels, channels) if halvings > 1 else None
        self.deeper = BottomUpTopDown(channels, halvings - 1, r) if halvings > 1 else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.down(self.pool(x))
        if self.deeper is not None:
            x = self.skip(x) + self.deeper(x)
        return F.interpolate(self.up(x), scale_factor=2.0, mode="bilinear", align_corners=False)


class AttentionModule(nn.Module):
    """H = (1 + M) T (Eq. 1): features T (N, C, h, w) of the trunk branch, and M in [0, 1], as many, of the mask branch."""

    def __init__(self, channels: int, halvings: int, settings: ResidualAttentionSettings) -> None:
        super().__init__()
        s = settings
        self.first, self.trunk, self.last = units(s.p, channels), units(s.t, channels), units(s.p, channels)
        self.mask = mask_branch(channels, halvings, s.r) if s.attention else None

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        features = self.trunk(x)
        return self.last(features if self.mask is None else (1 + self.mask(x)) * features)


def mask_branch(channels: int, halvings: int, r: int) -> nn.Sequential:
    """(N, C, h, w) -> M, which a sigmoid ends."""
    return nn.Sequential(
        BottomUpTopDown(channels, halvings, r),
        *(nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 1, bias=False)),
        *(nn.BatchNorm2d(channels), nn.ReLU(), nn.Conv2d(channels, channels, 1, bias=False)),
        nn.Sigmoid(),
    )


class ResidualAttentionNetwork(nn.Module):
    """Image (N, inputs, S, S) -> features (N, `channels`).

    :raises ValueError: from `forward`, where S does not divide by `ResidualAttentionSettings.multiple`
    """

    def __init__(self, settings: ResidualAttentionSettings, inputs: int = 1) -> None:
        super().__init__()
        s, width = settings, settings.stem_channels
        self.multiple, self.channels = s.multiple, s.last_channels
        layers = [nn.Conv2d(inputs, width, 7, 2, padding=3, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
        layers.append(nn.MaxPool2d(3, 2, padding=1))
        for i, (channels, halvings) in enumerate(zip(s.widths, s.mask_halvings)):
            layers += [ResidualUnit(width, channels, 1 if i == 0 else 2), AttentionModule(channels, halvings, s)]
            width = channels
        layers += [ResidualUnit(width, s.last_channels, 2), units(s.last_units - 1, s.last_channels)]
        self.layers = nn.Sequential(*layers, nn.BatchNorm2d(s.last_channels), nn.ReLU())

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] % self.multiple:
            raise ValueError(
                f"crops of {image.shape[-1]} pixels: give data.size a multiple of {self.multiple}, for the mask branches"
            )
        return torch.mean(self.layers(image), dim=(2, 3))
