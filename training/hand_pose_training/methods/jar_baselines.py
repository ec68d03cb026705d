"""What joint-aware regression is compared with (Zheng et al., BMVC 2021, Tables 1 and 2): regression from all feature maps (FR)
or from their means (AFR), and 2.5D heat maps with depth maps (Iqbal et al., ECCV 2018)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from hand_pose_training.aggregation.pixel_voting import cell_votes, spatial_softmax, weighted_votes
from hand_pose_training.backbones.color_resnet import color_resnet
from hand_pose_training.backbones.joint_decoder import mlp
from hand_pose_training.backbones.resnet import DECONV_CHANNELS, ResnetSettings, deconvolutions
from hand_pose_training.losses import joint_loss
from hand_pose_training.methods.method import Losses, Method, Prediction


@dataclass(frozen=True)
class FeatureRegressionSettings:
    """:param layers: of the ResNet: 18, 34, 50, 101, 152
    :param weights: file with its ImageNet weights; "": fresh ones
    :param size: S, pixels an edge of the crops, a multiple of 32; the same as data.size
    :param pooled: means over the maps (AFR), else the maps themselves (FR)
    :param maps: feature maps for each joint, though all joints see all of them (not printed)
    :param hidden: width of the hidden layer (not printed)
    """

    layers: int = 50
    weights: str = ""
    size: int = 256
    pooled: bool = True
    maps: int = 64
    hidden: int = 4096

    def __post_init__(self) -> None:
        ResnetSettings(layers=self.layers)  # which knows the numbers of layers that there are
        if self.size % 32:
            raise ValueError(f"model.size {self.size}: a multiple of 32")


class FeatureRegression(Method):
    """All features of the picture to all joints at once, by Eq. 3."""

    Settings = FeatureRegressionSettings
    input_kind = crop_kind = "rgb_crop"

    def __init__(self, settings: FeatureRegressionSettings, joints: int) -> None:
        super().__init__(joints)
        self.pooled = settings.pooled
        self.trunk, last, channels = color_resnet(settings.layers, settings.weights)
        self.group = nn.Sequential(last, nn.Conv2d(channels, joints * settings.maps, 1))
        features = joints * settings.maps * (1 if self.pooled else (settings.size // 32) ** 2)
        self.decoder = mlp(features, settings.hidden, 3 * joints)

    @property
    def half_modules(self) -> tuple[nn.Module, ...]:
        return (self.trunk, self.group)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Normalised joints (N, J, 3)."""
        maps = self.group(self.trunk(inputs["rgb_crop"]))
        with torch.autocast(maps.device.type, enabled=False):
            maps = maps.float()
            return self.decoder(maps.mean((2, 3)) if self.pooled else maps.flatten(1)).unflatten(1, (self.joints, 3))

    def losses(self, output: Tensor, batch: dict[str, Tensor], progress: float) -> Losses:
        return Losses({"joint_loss": joint_loss(output, batch, beta=0.0)}, output.detach())

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        return Prediction(self(inputs))


@dataclass(frozen=True)
class HeatDepthSettings:
    """:param layers: of the ResNet: 18, 34, 50, 101, 152
    :param weights: file with its ImageNet weights; "": fresh ones
    :param deconvolutions: each doubles the maps of S / 32 (not printed; 3 have the parameters of Table 2)
    """

    layers: int = 50
    weights: str = ""
    deconvolutions: int = 3

    def __post_init__(self) -> None:
        ResnetSettings(layers=self.layers)  # which knows the numbers of layers that there are


class HeatDepth(Method):
    """2.5D: for each joint a latent heat map, whose soft argmax is (u, v), and a depth map, whose mean under the heat is d."""

    Settings = HeatDepthSettings
    input_kind = crop_kind = "rgb_crop"

    def __init__(self, settings: HeatDepthSettings, joints: int) -> None:
        super().__init__(joints)
        self.trunk, last, channels = color_resnet(settings.layers, settings.weights)
        lift = deconvolutions(channels, settings.deconvolutions)
        self.group = nn.Sequential(last, lift, nn.Conv2d(DECONV_CHANNELS, 2 * joints, 1))

    @property
    def half_modules(self) -> tuple[nn.Module, ...]:
        return (self.trunk, self.group)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Heat, then depth maps (N, 2 J, S', S')."""
        return self.group(self.trunk(inputs["rgb_crop"]))

    def losses(self, output: Tensor, batch: dict[str, Tensor], progress: float) -> Losses:
        joints = self.decode(output)
        return Losses({"joint_loss": joint_loss(joints, batch, beta=0.0)}, joints.detach())

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        """Without covariance: nothing teaches latent heat maps to be as wide as the error."""
        return Prediction(self.decode(self(inputs)))

    def decode(self, maps: Tensor) -> Tensor:
        """Every cell votes for (its u, its v, its depth) by the softmax of its heat: (N, J, 3)."""
        with torch.autocast(maps.device.type, enabled=False):
            heat, depth = maps.float().unflatten(1, (2, self.joints)).unbind(1)
            return weighted_votes(cell_votes(depth), spatial_softmax(heat)).joints
