"""Joint-aware regression on colour crops (Zheng et al., BMVC 2021): joint-specific feature maps, one decoder for all joints,
several heads, and stages that look again at the middle features with the joints drawn upon them.

Where each stage's last group of the ResNet has weights of its own is not printed; here it has, as in zxz267/SAR, by the same
first author, and so is its 1x1 convolution that makes the joints' maps of the last group's channels (with it ResNet-50 has the
parameters of Table 2).
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from hand_pose_training.backbones.color_resnet import color_resnet
from hand_pose_training.backbones.joint_decoder import JointMlps, MultiHead, mlp
from hand_pose_training.backbones.resnet import ResnetSettings
from hand_pose_training.losses import joint_loss
from hand_pose_training.methods.method import Losses, Method, Prediction
from hand_pose_training.representations.joint_maps import depth_maps, heat_maps


@dataclass(frozen=True)
class JarSettings:
    """:param layers: of the ResNet: 18, 34, 50, 101, 152
    :param weights: file with its ImageNet weights; "": fresh ones
    :param size: S, pixels an edge of the crops, a multiple of 32; the same as data.size
    :param pooled: a joint's features are means over its maps instead of the maps (Table 1, ID 3 and 4)
    :param shared: one decoder for all joints; else one each (ID 3 and 5), which takes heads 1
    :param heads: 1 (Eq. 3 alone) or more (Eq. 4)
    :param maps: feature maps of a joint for each head
    :param hidden: width of the hidden layer of all fully connected parts (not printed)
    :param head_outputs: numbers that a head says of a joint (not printed)
    :param stages: 1, or more with refinement
    :param heat_maps, depth_maps: are drawn for the next stage (ID 8, 9)
    :param refine_maps: learnable maps of each joint for the next stage (ID 10); 0: none
    :param sigma: of the heat maps, in cells of S / 16 (not printed)
    """

    layers: int = 50
    weights: str = ""
    size: int = 256
    pooled: bool = False
    shared: bool = True
    heads: int = 8
    maps: int = 8
    hidden: int = 512
    head_outputs: int = 64
    stages: int = 1
    heat_maps: bool = True
    depth_maps: bool = True
    refine_maps: int = 1
    sigma: float = 1.5

    def __post_init__(self) -> None:
        ResnetSettings(layers=self.layers)  # which knows the numbers of layers that there are
        if self.size % 32:
            raise ValueError(f"model.size {self.size}: a multiple of 32")
        if self.heads > 1 and not self.shared:
            raise ValueError("model.shared false: decoders of single joints have one head, set model.heads 1")
        if self.stages > 1 and self.refine_maps and self.heads == 1:
            raise ValueError("model.refine_maps come from several heads: set model.heads, or model.refine_maps 0")
        if self.stages > 1 and not self.maps_drawn:
            raise ValueError("model.stages: a further stage sees nothing new, set heat_maps, depth_maps or refine_maps")

    @property
    def maps_drawn(self) -> int:
        """Maps of each joint that a further stage sees."""
        return self.heat_maps + self.depth_maps + self.refine_maps


class Decoded(NamedTuple):
    """Joints (N, J, 3) normalised, and the heads' outputs (N, J, H O); None with one head."""

    joints: Tensor
    heads: Tensor | None


class JointDecoder(nn.Module):
    """A joint's features G (N, J, F) -> its coordinates, in float32."""

    def __init__(self, settings: JarSettings, joints: int) -> None:
        super().__init__()
        s = settings
        features = s.maps * (1 if s.pooled else (s.size // 32) ** 2)
        self.heads = MultiHead(s.heads, features, s.hidden, s.head_outputs) if s.heads > 1 else None
        if s.heads > 1:
            self.last = mlp(s.heads * s.head_outputs, s.hidden, 3)
        else:
            self.last = mlp(features, s.hidden, 3) if s.shared else JointMlps(joints, features, s.hidden, 3)

    def forward(self, features: Tensor) -> Decoded:
        with torch.autocast(features.device.type, enabled=False):
            features = features.float()
            heads = None if self.heads is None else self.heads(features)
            return Decoded(self.last(features if heads is None else heads), heads)


class RefineMaps(nn.Module):
    """Eq. 5: the heads' outputs, through which no gradient flows back -> learnable maps (N, J R, S', S')."""

    def __init__(self, settings: JarSettings) -> None:
        super().__init__()
        self.maps, self.cells = settings.refine_maps, settings.size // 16
        self.map = mlp(settings.heads * settings.head_outputs, settings.hidden, self.maps * self.cells**2)

    def forward(self, heads: Tensor) -> Tensor:
        with torch.autocast(heads.device.type, enabled=False):
            return self.map(heads.detach()).unflatten(-1, (self.maps, self.cells, self.cells)).flatten(1, 2)


class Jar(Method):
    """The network and its stages."""

    Settings = JarSettings
    input_kind = crop_kind = "rgb_crop"

    def __init__(self, settings: JarSettings, joints: int) -> None:
        super().__init__(joints)
        s = self.settings = settings
        self.trunk, last, channels = color_resnet(s.layers, s.weights)
        groups = [nn.Sequential(last, nn.Conv2d(channels, joints * s.heads * s.maps, 1))]
        drawn = self.trunk.channels + joints * s.maps_drawn
        for _ in range(1, s.stages):
            fusion = nn.Conv2d(drawn, self.trunk.channels, 1)
            groups.append(nn.Sequential(fusion, copy.deepcopy(last), nn.Conv2d(channels, joints * s.heads * s.maps, 1)))
        self.groups = nn.ModuleList(groups)
        self.decoders = nn.ModuleList(JointDecoder(s, joints) for _ in groups)
        self.refine = nn.ModuleList(RefineMaps(s) for _ in groups[1:] if s.refine_maps)

    @property
    def half_modules(self) -> tuple[nn.Module, ...]:
        return (self.trunk, *self.groups)

    def forward(self, inputs: dict[str, Tensor]) -> list[Tensor]:
        """Normalised joints (N, J, 3) of every stage."""
        middle = self.trunk(inputs["rgb_crop"])
        found = [self.decoders[0](self._features(self.groups[0](middle)))]
        for stage in range(1, self.settings.stages):
            seen = torch.cat([middle, *(maps.to(middle.dtype) for maps in self._drawn(stage - 1, found[-1]))], dim=1)  # Eq. 7
            found.append(self.decoders[stage](self._features(self.groups[stage](seen))))
        return [each.joints for each in found]

    def losses(self, output: list[Tensor], batch: dict[str, Tensor], progress: float) -> Losses:
        terms = {f"joint_loss_{stage}": joint_loss(joints, batch, beta=0.0) for stage, joints in enumerate(output, start=1)}
        return Losses(terms, output[-1].detach())

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        return Prediction(self(inputs)[-1])

    def _features(self, maps: Tensor) -> Tensor:
        """Eq. 2: maps (N, J H M, S', S') -> each joint's own, in channel order: (N, J, F), those of a head side by side."""
        return (maps.mean((2, 3)) if self.settings.pooled else maps.flatten(1)).unflatten(1, (self.joints, -1))

    def _drawn(self, stage: int, found: Decoded) -> list[Tensor]:
        """What the stage after this one sees beside the middle features: (N, ., S / 16, S / 16) each."""
        s, cells = self.settings, self.settings.size // 16
        maps = [self.refine[stage](found.heads)] if s.refine_maps else []
        if s.heat_maps:
            maps.append(heat_maps(found.joints, cells, s.sigma))
        return maps + ([depth_maps(found.joints, cells)] if s.depth_maps else [])
