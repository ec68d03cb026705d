"""The detector's network: a small U-shaped one, a map of hands' centres with depth, and its peaks (after CenterNet, Zhou et al.
2019, "Objects as Points").

All maps have a quarter of the frame's resolution; H', W' are their height and width.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from hand_pose_ros.geometry.letterbox import WIDTH, input_rows
from hand_pose_training.backbones.hourglass import conv_bn

STRIDE = 4
FAR_M = 3.0  # what is farther is as far as this
NEIGHBOURS = 9  # cells that vote for a centre's depth: 3 x 3
RESIDUAL_M = 0.1  # a residual of 1
_USUAL_PX = 185.0  # about 1.4 times a usual focal length, so that what a pixel covers is of the depth's size
_PRIOR = 0.01  # first probability of a hand in each cell, as in focal loss (Lin et al. 2017)
_NO_VOTE, _NO_PEAK = 1e4, 1e4


@dataclass(frozen=True)
class NetworkSettings:
    """:param stem: channels at half resolution
    :param channels: at a quarter, an eighth, ... of the resolution
    :param blocks: convolutions at each of them after the one that halves
    :param decoder: channels of the last map
    :param candidates: K, peaks that are answered
    """

    stem: int = 16
    channels: tuple[int, ...] = (32, 48, 64, 96)
    blocks: tuple[int, ...] = (1, 1, 1, 1)
    decoder: int = 32
    candidates: int = 8


class Maps(NamedTuple):
    """What the network says of each cell.

    :param heat: (N, 1, H', W') logit that a hand's centre is here
    :param place: (N, 12, H', W') offset from the cell's centre to the hand's, in cells, right and down; residual of the depth;
        logits of the neighbours' votes for it
    :param surface: (N, 9, H', W') what the neighbours vote for: FAR_M less the nearest depth in the cell, 0 where there is none
    """

    heat: Tensor
    place: Tensor
    surface: Tensor

    @property
    def offset(self) -> Tensor:
        """(N, 2, H', W') cells, right and down."""
        return self.place[:, :2]

    @property
    def depth(self) -> Tensor:
        """(N, H', W') of the hand's centre, metres."""
        return center_depth(self.place, self.surface)


class Peaks(NamedTuple):
    """The K highest local maxima.

    :param centers: (N, K, 3) u, v normalised, depth in metres
    :param logit: (N, K), very low where there are fewer
    """

    centers: Tensor
    logit: Tensor


class HandCenterNet(nn.Module):
    """Frames -> `Maps` -> `Peaks`."""

    input_names = tuple(input_rows(WIDTH))

    def __init__(self, settings: NetworkSettings) -> None:
        super().__init__()
        self.settings = settings
        widths = settings.channels
        self.stem = nn.Sequential(conv_bn(3, settings.stem, 5, 2), nn.ReLU())
        self.down = nn.ModuleList(
            _convolutions([before, *[width] * (1 + blocks)], 2)
            for before, width, blocks in zip((settings.stem, *widths), widths, settings.blocks)
        )
        self.lateral = nn.ModuleList(nn.Conv2d(deep, width, 1) for width, deep in pairwise(widths))
        outputs = (settings.decoder, *widths[1:-1])
        self.up = nn.ModuleList(_convolutions([width, output], 1) for width, output in zip(widths, outputs))
        self.head = nn.Conv2d(settings.decoder, 1 + 2 + 1 + NEIGHBOURS, 1)
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.zeros_(self.head.bias)
        self.head.bias.data[0] = torch.logit(torch.tensor(_PRIOR))
        self.register_buffer("neighbours", torch.eye(NEIGHBOURS).reshape(NEIGHBOURS, 1, 3, 3), persistent=False)

    def forward(self, frame: Tensor, focal_px: Tensor) -> Maps:
        """:param frame: (N, 1, H, W) metres, 0 where there is no depth
        :param focal_px: (N, 1) of the frame
        """
        frame, valid = self.seen(frame)
        return self.maps(self.answer(frame, valid, focal_px), frame, valid)

    def seen(self, frame: Tensor) -> tuple[Tensor, Tensor]:
        """Depths up to FAR_M, and 1 where there is any, else 0; (N, 1, H, W) each."""
        return frame.clamp(max=FAR_M), (1e3 * frame).clamp(max=1.0)

    def answer(self, frame: Tensor, valid: Tensor, focal_px: Tensor) -> Tensor:
        """What is learned (N, 13, H', W'), of what is `seen`; fit for low precision."""
        # How much of the scene a pixel covers tells a hand's size from its picture.
        pitch = frame * (_USUAL_PX / focal_px.clamp(min=1.0))[:, :, None, None]
        maps = [self.stem(torch.cat([valid, frame, pitch], dim=1))]
        for down in self.down:
            maps.append(down(maps[-1]))
        x = maps.pop()
        for lateral, up, skip in zip(reversed(self.lateral), reversed(self.up), reversed(maps[1:])):
            x = up(skip + functional.interpolate(lateral(x), scale_factor=2.0, mode="nearest"))
        return self.head(x)

    def maps(self, answer: Tensor, frame: Tensor, valid: Tensor) -> Maps:
        """With the depths that are voted for, which need full precision."""
        found = answer.float()
        # What is nearest in a cell is a maximum, and a border of zeros is as far as can be.
        nearest = functional.max_pool2d(FAR_M * valid - frame, STRIDE)
        return Maps(found[:, :1], found[:, 1:], functional.conv2d(nearest, self.neighbours, padding=1))

    def peaks(self, maps: Maps) -> Peaks:
        """The highest of the cells that no neighbour exceeds."""
        height, width = maps.heat.shape[2:]
        beside = (functional.max_pool2d(maps.heat, 3, 1, 1) - maps.heat) * _NO_PEAK
        logit, index = (maps.heat - beside).flatten(1).topk(self.settings.candidates, dim=1)
        place, surface = (
            values.flatten(2).gather(2, index[:, None].expand(-1, values.shape[1], -1)) for values in (maps.place, maps.surface)
        )
        row = torch.div(index, width, rounding_mode="floor")
        u = (2 * (index - row * width + place[:, 0]) + 1) / width - 1
        v = (2 * (row + place[:, 1]) + 1) / height - 1
        return Peaks(torch.stack([u, v, center_depth(place, surface)], dim=2), logit)


def center_depth(place: Tensor, surface: Tensor) -> Tensor:
    """Depths (N, ...) in metres, of `Maps.place` (N, 12, ...) and `Maps.surface` (N, 9, ...): the mean of the neighbours' by the
    votes of those that have one, and the residual."""
    votes = torch.softmax(place[:, 3:] - _NO_VOTE * (surface <= 0).to(surface.dtype), dim=1)
    return FAR_M - (votes * surface).sum(1) + RESIDUAL_M * place[:, 2]


def _convolutions(widths: list[int], stride: int) -> nn.Sequential:
    """3x3 convolutions from width to width, the first with a stride."""
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        layers += [conv_bn(inputs, outputs, 3, stride if i == 0 else 1), nn.ReLU()]
    return nn.Sequential(*layers)
