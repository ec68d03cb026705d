"""Residual networks (He et al. 2016), and the deconvolutions that lift their maps for dense outputs (AWR, section 2.2).

Modules are named as in torchvision, so that its ImageNet weights load from a file (`load_imagenet`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

# Blocks of the four groups, by the number of layers; from 50 on each block has a bottleneck.
BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}
STEMS = ("depth", "imagenet")
DECONV_CHANNELS = 256


@dataclass(frozen=True)
class ResnetSettings:
    """:param layers: 18, 34, 50, 101 or 152
    :param stride: S / S', the input's size to that of the dense map: 2, 4 or 8 (16: no deconvolution)
    :param weights: file with ImageNet weights (a state dict as torchvision has it); "": fresh ones
    """

    kind: str = "resnet"
    layers: int = 18
    stride: int = 2
    weights: str = ""

    def __post_init__(self) -> None:
        if self.layers not in BLOCKS:
            raise ValueError(f"a ResNet of {self.layers} layers is not known: one of {', '.join(map(str, BLOCKS))}")
        if self.stride not in (2, 4, 8, 16):
            raise ValueError(f"backbone stride {self.stride}: one of 2, 4, 8, 16")


class BasicBlock(nn.Module):
    """Two 3x3 convolutions, plus the input."""

    expansion = 1

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.relu = nn.ReLU()
        self.downsample = projection(inputs, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + self.downsample(x))


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 convolutions, plus the input."""

    expansion = 4

    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)
        self.relu = nn.ReLU()
        self.downsample = projection(inputs, width * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        return self.relu(self.bn3(self.conv3(y)) + self.downsample(x))


def projection(inputs: int, outputs: int, stride: int) -> nn.Module:
    """What brings a block's input to its output's shape."""
    if inputs == outputs and stride == 1:
        return nn.Identity()
    return nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))


class Resnet(nn.Module):
    """Image (N, C, S, S) -> features (N, `channels`, S / `stride`, S / `stride`).

    :param stem: "imagenet": 7x7 with stride 2 and pooling, S / 32 at the end; "depth": 5x5 and pooling, S / 16, as AWR's code
    """

    def __init__(self, layers: int, inputs: int = 3, stem: str = "imagenet") -> None:
        super().__init__()
        kernel, step = (7, 2) if stem == "imagenet" else (5, 1)
        self.conv1 = nn.Conv2d(inputs, 64, kernel, step, padding=kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU()
        self.maxpool = nn.MaxPool2d(3, 2, padding=1)
        block = Bottleneck if layers >= 50 else BasicBlock
        width = 64
        for group, (count, narrow) in enumerate(zip(BLOCKS[layers], (64, 128, 256, 512)), start=1):
            blocks = []
            for i in range(count):
                blocks.append(block(width, narrow, stride=2 if i == 0 and group > 1 else 1))
                width = narrow * block.expansion
            setattr(self, f"layer{group}", nn.Sequential(*blocks))
        self.channels, self.stride = width, 16 * step

    def forward(self, image: Tensor) -> Tensor:
        return self.layer4(self.trunk(image))

    def trunk(self, image: Tensor) -> Tensor:
        """Everything but the last group."""
        x = self.maxpool(self.relu(self.bn1(self.conv1(image))))
        return self.layer3(self.layer2(self.layer1(x)))

    def load_imagenet(self, path: Path) -> None:
        """Takes the weights of a state dict as torchvision saves it; its classifier is left out.

        A network of one input channel takes the mean over colours in its first convolution, or none where the kernel differs.

        :raises ValueError: no such file, or weights of another network
        """
        if not path.is_file():
            raise ValueError(f"ImageNet weights {path}: no such file; save torchvision's state_dict of this ResNet there")
        state = torch.load(path, map_location="cpu", weights_only=True)
        state = {name: value for name, value in state.items() if not name.startswith("fc.")}
        own = self.state_dict()
        if state["conv1.weight"].shape[2:] != own["conv1.weight"].shape[2:]:
            state["conv1.weight"] = own["conv1.weight"]
        elif state["conv1.weight"].shape[1] != own["conv1.weight"].shape[1]:
            state["conv1.weight"] = state["conv1.weight"].mean(1, keepdim=True)
        try:
            self.load_state_dict(state)
        except RuntimeError as error:
            raise ValueError(f"ImageNet weights {path} are of another network: {error}") from None


def deconvolutions(inputs: int, doublings: int) -> nn.Sequential:
    """Deconvolutions that double a map so many times; each gives `DECONV_CHANNELS`."""
    widths = [inputs, *[DECONV_CHANNELS] * doublings]
    return nn.Sequential(
        *(
            nn.Sequential(nn.ConvTranspose2d(a, b, 4, 2, padding=1, bias=False), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in pairwise(widths)
        )
    )


class ResnetDeconv(nn.Module):
    """A ResNet, deconvolutions that double its map up to S / stride, and a 1x1 head (one convolution stands for the heads of
    the parts, which see the same features).

    :param outputs: channels of the dense map
    """

    def __init__(self, settings: ResnetSettings, outputs: int, inputs: int = 1) -> None:
        super().__init__()
        self.resnet = Resnet(settings.layers, inputs, stem="depth")
        if settings.weights:
            self.resnet.load_imagenet(Path(settings.weights).expanduser())
        doublings = int(math.log2(self.resnet.stride // settings.stride))
        self.deconv = deconvolutions(self.resnet.channels, doublings)
        self.channels, self.stride = DECONV_CHANNELS if doublings else self.resnet.channels, settings.stride
        self.head = nn.Conv2d(self.channels, outputs, 1)

    def forward(self, crop: Tensor) -> tuple[list[Tensor], list[Tensor]]:
        """(N, 1, S, S) -> the one dense map (N, outputs, S / stride, S / stride), and the features before it."""
        features = self.deconv(self.resnet(crop))
        return [self.head(features)], [features]
