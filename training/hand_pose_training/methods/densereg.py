"""DenseReg (Wan et al., CVPR 2018) on depth crops: hourglasses -> maps R, S and V -> votes -> weighted mean shift -> joints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

import torch
from torch import Tensor, nn

from hand_pose_training.aggregation.adaptive_weighting import Aggregated, support, vote_covariance
from hand_pose_training.aggregation.mean_shift import LEAST_WEIGHT, Selected, at_projections, mean_shift, select
from hand_pose_training.backbones.batch_renorm import BatchRenormSettings
from hand_pose_training.backbones.hourglass import HourglassSettings, Residual
from hand_pose_training.backbones.hourglass_cascade import DENSEREG, STRIDE, HourglassCascade, MaskedHead
from hand_pose_training.methods.method import Losses, Method, Prediction
from hand_pose_training.representations.densereg_maps import DenseRegMaps, map_loss, radius, split
from hand_pose_training.representations.grid import cell_points

MOST_CANDIDATES = 3840


@dataclass(frozen=True)
class MeanShiftSettings:
    """Algorithm 1.

    :param candidates: K, votes that take part (Table 1)
    :param sigma_m: width of the kernel, metres (Table 1)
    :param iterations: N (10 in the released code; not printed)
    :param weighted: by R where a vote projects to; else the approximation of section 3.3, by (1 + R) S^2 of its cell
    """

    candidates: int = 5
    sigma_m: float = 0.040
    iterations: int = 10
    weighted: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.candidates <= MOST_CANDIDATES:
            raise ValueError(f"mean_shift.candidates {self.candidates}: 1 to {MOST_CANDIDATES}, which is what TensorRT sorts")
        if self.sigma_m <= 0 or self.iterations < 1:
            raise ValueError(f"mean_shift: sigma_m {self.sigma_m} must be above 0, iterations {self.iterations} at least 1")


@dataclass(frozen=True)
class MapSettings:
    """What the maps are, and the layers that make the vectors.

    :param theta_m: radius of the ball around a joint, metres (80 mm in the released code; not printed)
    :param tau_cells: radius of the disk in the image, cells of the map (4 in the released code; not printed)
    :param cube_m: cube that lengths in metres are meant for: inside the graph they are shares of it
    :param width, hidden, dropout: of `MaskedHead` (256, 512 and 0.5 in the released code; not printed)
    """

    theta_m: float = 0.080
    tau_cells: float = 4.0
    cube_m: float = 0.25
    width: int = 256
    hidden: int = 512
    dropout: float = 0.5


@dataclass(frozen=True)
class DenseRegSettings:
    """:param maps: R, S and V
    :param mean_shift: from votes to joints
    :param backbone: stacks and widths of the hourglasses
    :param renorm: batch re-normalisation while training
    """

    maps: MapSettings = field(default_factory=MapSettings)
    mean_shift: MeanShiftSettings = field(default_factory=MeanShiftSettings)
    backbone: HourglassSettings = DENSEREG
    renorm: BatchRenormSettings = field(default_factory=BatchRenormSettings)


class DenseReg(Method):
    """The method's network and its decoding.

    :cvar maps_a_joint: channels of the dense map for each joint
    """

    Settings = DenseRegSettings
    maps_a_joint: ClassVar[int] = 5

    def __init__(self, settings: DenseRegSettings, joints: int) -> None:
        super().__init__(joints)
        self.settings, s = settings, settings.maps
        self.form = DenseRegMaps(radius(s.theta_m, s.cube_m), s.tau_cells)
        outputs = self.maps_a_joint * joints
        self.backbone = HourglassCascade(settings.backbone, settings.renorm, self.head, outputs)

    def head(self) -> nn.Module:
        """One stack's head."""
        return _Head(self.joints, self.settings.maps, self.settings.backbone)

    def forward(self, inputs: dict[str, Tensor]) -> list[Tensor]:
        """The dense map (N, `maps_a_joint` J, S', S') of each stack."""
        return [dense for dense, _ in self.backbone(inputs["depth_crop"])]

    def losses(self, output: list[Tensor], batch: dict[str, Tensor], progress: float) -> Losses:
        target = self.form.encode(batch["joints"], *cell_points(batch["depth_crop"], STRIDE))
        stages = [split(dense, self.joints) for dense in output]
        names = ("heat_2d_loss", "heat_3d_loss", "vector_loss")
        terms = {name: sum(map_loss(found[i], target[i], batch) for found in stages) for i, name in enumerate(names)}
        with torch.no_grad():
            return Losses(terms, self.decode(batch["depth_crop"], output[-1]).joints)

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        return self.decode(inputs["depth_crop"], self(inputs)[-1])

    def decode(self, depth_crop: Tensor, dense: Tensor) -> Prediction:
        """Algorithm 1 on one stack's dense map, in float32."""
        s, maps = self.settings, split(dense, self.joints)
        points, foreground = cell_points(depth_crop, STRIDE)
        with torch.autocast(dense.device.type, enabled=False):
            chosen = select(self.form.votes(maps, points), maps.s.flatten(2), foreground.flatten(2), s.mean_shift.candidates)
            if s.mean_shift.weighted:
                weights = at_projections(maps.r, chosen.votes)
            else:
                weights = (1 + maps.r.flatten(2).gather(2, chosen.cells)) * chosen.scores.square()
            return mode_of_votes(chosen, weights, s.mean_shift, s.maps.cube_m)


class _Head(nn.Module):
    """The cascade of section 3.2: R from the features, S from features and depth, V from features and both heat maps."""

    def __init__(self, joints: int, settings: MapSettings, blocks: HourglassSettings) -> None:
        super().__init__()
        channels = blocks.channels
        self.heat_2d = nn.Conv2d(channels, joints, 1)
        self.heat_3d = nn.Sequential(Residual(channels + 1, channels, blocks), nn.Conv2d(channels, joints, 1))
        self.vectors = MaskedHead(channels + 2 * joints, 3 * joints, settings.width, settings.hidden, settings.dropout, blocks)

    def forward(self, features: Tensor, depth: Tensor, foreground: Tensor) -> tuple[Tensor, None]:
        heat = torch.cat([self.heat_2d(features), self.heat_3d(torch.cat([features, depth], dim=1))], dim=1)
        return torch.cat([heat, self.vectors(torch.cat([features, heat], dim=1), foreground)], dim=1), None


def mode_of_votes(chosen: Selected, weights: Tensor, settings: MeanShiftSettings, cube_m: float) -> Prediction:
    """The joints, with the weighted spread of the K votes about them and the weighted mean score.

    :param weights: (N, J, K) of the chosen votes
    :param cube_m: cube that `settings.sigma_m` is meant for
    """
    weights = (weights * chosen.seen).clamp(min=LEAST_WEIGHT)
    joints = mean_shift(chosen.votes, weights, radius(settings.sigma_m, cube_m), settings.iterations)
    found = Aggregated(joints, weights / weights.sum(-1, keepdim=True))
    return Prediction(joints, vote_covariance(chosen.votes, found), support(chosen.scores, found))
