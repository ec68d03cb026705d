"""Joint coordinates straight from an image's features; the plain form is row R of AWR's Table 1 (Huang et al., AAAI 2020)."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from hand_pose_training.backbones.resnet import Resnet, ResnetSettings
from hand_pose_training.losses import joint_loss, joint_weights, weighted_mean
from hand_pose_training.methods.method import Losses, Method, Prediction


class DirectRegression(Method):
    """Depth crop -> features -> joints: no map, no votes.

    :param backbone: (N, 1, S, S) -> features (N, C)
    :param head: features -> (N, 3 J), always in float32
    """

    def __init__(self, joints: int, backbone: nn.Module, head: nn.Module) -> None:
        super().__init__(joints)
        self.backbone, self.head = backbone, head

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Normalised joints (N, J, 3)."""
        features = self.backbone(inputs["depth_crop"])
        with torch.autocast(features.device.type, enabled=False):
            return self.head(features.float()).unflatten(1, (self.joints, 3))

    @abstractmethod
    def joint_loss(self, joints: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """What is minimised."""

    def losses(self, output: Tensor, batch: dict[str, Tensor], progress: float) -> Losses:
        return Losses({"joint_loss": self.joint_loss(output, batch)}, output.detach())

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        return Prediction(self(inputs))


def squared_loss(joints: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Squared distance of normalised joints (N, J, 3), mean over labelled joints (L2)."""
    return weighted_mean((joints - batch["joints"]).square().sum(-1), joint_weights(batch))


@dataclass(frozen=True)
class RegressionSettings:
    """:param layers: of the ResNet
    :param weights: file with its ImageNet weights; "": fresh ones
    :param huber_beta: where smooth L1 turns from square to absolute, normalised units
    """

    layers: int = 50
    weights: str = ""
    huber_beta: float = 0.01

    def __post_init__(self) -> None:
        ResnetSettings(layers=self.layers)  # which knows the numbers of layers that there are


class Regression(DirectRegression):
    """ResNet, mean over all cells, one linear layer."""

    Settings = RegressionSettings

    def __init__(self, settings: RegressionSettings, joints: int) -> None:
        resnet = Resnet(settings.layers, inputs=1, stem="depth")
        if settings.weights:
            resnet.load_imagenet(Path(settings.weights).expanduser())
        pooled = nn.Sequential(resnet, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        super().__init__(joints, pooled, nn.Linear(resnet.channels, 3 * joints))
        self.huber_beta = settings.huber_beta

    def joint_loss(self, joints: Tensor, batch: dict[str, Tensor]) -> Tensor:
        return joint_loss(joints, batch, self.huber_beta)
