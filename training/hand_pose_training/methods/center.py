"""The small separate network that finds the hand's centre before the pose is estimated (AWR, section 2.3): one point, the mean of
the joints, in a crop about a coarse centre. Recipes give it the skeleton `hand_center`."""

from __future__ import annotations

from dataclasses import dataclass, field

from torch import Tensor, nn

from hand_pose_training.backbones.scale_net import ScaleNet, ScaleNetSettings
from hand_pose_training.methods.regression import DirectRegression, squared_loss


@dataclass(frozen=True)
class CenterSettings:
    """:param backbone: not printed; that of DeepPrior++, which AWR's precursor (Ren et al. 2019) follows in this"""

    backbone: ScaleNetSettings = field(default_factory=ScaleNetSettings)


class HandCenter(DirectRegression):
    """Regresses the coordinates of its joints, of which there should be one."""

    Settings = CenterSettings

    def __init__(self, settings: CenterSettings, joints: int) -> None:
        backbone = ScaleNet(settings.backbone)
        super().__init__(joints, backbone, nn.Linear(backbone.channels, 3 * joints))

    def joint_loss(self, joints: Tensor, batch: dict[str, Tensor]) -> Tensor:
        return squared_loss(joints, batch)
