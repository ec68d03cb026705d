"""A ResNet for colour crops in parts: all groups but the last, and the last one, which later stages run again."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from hand_pose_training.backbones.resnet import Resnet

# Of ImageNet's pictures in [0, 1], as torchvision's weights were trained with.
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_TRUNK = ("conv1", "bn1", "relu", "maxpool", "layer1", "layer2", "layer3")


class ColorTrunk(nn.Module):
    """All groups but the last: RGB crops (N, 3, S, S) in [0, 1] -> (N, `channels`, S / 16, S / 16).

    :param resnet: with the ImageNet stem; its modules are taken, not copied
    """

    def __init__(self, resnet: Resnet) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1))
        self.register_buffer("deviation", torch.tensor(DEVIATION).view(1, 3, 1, 1))
        self.groups = nn.Sequential(*(getattr(resnet, name) for name in _TRUNK))
        self.channels = resnet.channels // 2

    def forward(self, crop: Tensor) -> Tensor:
        return self.groups((crop - self.mean) / self.deviation)


def color_resnet(layers: int, weights: str) -> tuple[ColorTrunk, nn.Module, int]:
    """The trunk, the last group, which gives maps of S / 32, and the channels of those.

    :param weights: file with ImageNet weights (a state dict as torchvision has it); "": fresh ones
    :raises ValueError: weights that do not fit
    """
    resnet = Resnet(layers)
    if weights:
        resnet.load_imagenet(Path(weights).expanduser())
    return ColorTrunk(resnet), resnet.layer4, resnet.channels
