"""DenseReg's hourglass joint detector (section 4.3): heat maps of the joints in a wide window, whose median is the centre of the
crop that the pose is found in."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from hand_pose_training.aggregation.heat_peak import depth_near, heat_peak
from hand_pose_training.backbones.batch_renorm import BatchRenormSettings
from hand_pose_training.backbones.hourglass import HourglassSettings
from hand_pose_training.backbones.hourglass_cascade import DENSEREG, STRIDE, HourglassCascade
from hand_pose_training.methods.method import Losses, Method, Prediction
from hand_pose_training.representations.densereg_maps import DenseRegMaps, map_loss
from hand_pose_training.representations.grid import cell_points

ONE_STACK = replace(DENSEREG, stacks=1)


@dataclass(frozen=True)
class DetectorSettings:
    """:param tau_cells: radius of the disk around a joint, cells of the map (DenseReg's own; not printed)
    :param backbone: stacks (the paper's has one) and widths of the hourglass
    :param renorm: batch re-normalisation while training
    """

    tau_cells: float = 4.0
    backbone: HourglassSettings = ONE_STACK
    renorm: BatchRenormSettings = field(default_factory=BatchRenormSettings)


class JointDetector(Method):
    """Joints where their heat maps are highest, at the depth of the surface there."""

    Settings = DetectorSettings

    def __init__(self, settings: DetectorSettings, joints: int) -> None:
        super().__init__(joints)
        self.form = DenseRegMaps(theta=1.0, tau_cells=settings.tau_cells)
        channels = settings.backbone.channels
        self.backbone = HourglassCascade(settings.backbone, settings.renorm, lambda: _Head(channels, joints), outputs=joints)

    def forward(self, inputs: dict[str, Tensor]) -> list[Tensor]:
        """The heat maps (N, J, S', S') of each stack."""
        return [heat for heat, _ in self.backbone(inputs["depth_crop"])]

    def losses(self, output: list[Tensor], batch: dict[str, Tensor], progress: float) -> Losses:
        target = self.form.encode(batch["joints"], *cell_points(batch["depth_crop"], STRIDE)).r
        terms = {"heat_2d_loss": sum(map_loss(heat, target, batch) for heat in output)}
        with torch.no_grad():
            return Losses(terms, self.decode(batch["depth_crop"], output[-1]))

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        return Prediction(self.decode(inputs["depth_crop"], self(inputs)[-1]))

    def decode(self, depth_crop: Tensor, heat: Tensor) -> Tensor:
        """Normalised joints (N, J, 3). Their depth, which the paper does not have, is that of the surface under the heat, so that
        joints inside the hand or behind it are deeper than this says."""
        points, foreground = cell_points(depth_crop, STRIDE)
        return torch.cat([heat_peak(heat), depth_near(heat, points[:, 2:], foreground)[..., None]], dim=-1)


def crop_center(joints: Tensor) -> Tensor:
    """Normalised centres (N, 3) of the crops in which the pose is found: the median over joints (N, J, 3) of u and of v
    (section 4.3), and of the depth (not printed)."""
    return torch.quantile(joints.float(), 0.5, dim=1)


class _Head(nn.Module):
    def __init__(self, channels: int, joints: int) -> None:
        super().__init__()
        self.heat = nn.Conv2d(channels, joints, 1)

    def forward(self, features: Tensor, depth: Tensor, foreground: Tensor) -> tuple[Tensor, None]:
        return self.heat(features), None
