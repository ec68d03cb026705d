"""Residual attention regression (Residual Attention Regression for 3D Hand Pose Estimation, ICIRA 2019): a Residual Attention
Network, few pose parameters, and a prior layer that turns them into joints."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor, nn

from hand_pose_training.backbones.pose_prior import PosePrior
from hand_pose_training.backbones.residual_attention import ResidualAttentionNetwork, ResidualAttentionSettings
from hand_pose_training.data import Crops
from hand_pose_training.methods.regression import DirectRegression, squared_loss


@dataclass(frozen=True)
class ResidualAttentionRegressionSettings:
    """:param prior_size: pose parameters; 0: no prior, one layer from the features to the joints
    :param prior_trainable: training goes on from the principal components; False: they stay
    :param prior_poses: training crops from whose labels the prior is learned
    """

    prior_size: int = 30
    prior_trainable: bool = True
    prior_poses: int = 1000
    backbone: ResidualAttentionSettings = field(default_factory=ResidualAttentionSettings)


class ResidualAttentionRegression(DirectRegression):
    """The method's network; its joints need no decoding."""

    Settings = ResidualAttentionRegressionSettings

    def __init__(self, settings: ResidualAttentionRegressionSettings, joints: int) -> None:
        backbone, s = ResidualAttentionNetwork(settings.backbone), settings
        if s.prior_size:
            head = PosePrior(backbone.channels, s.prior_size, joints, s.prior_trainable)
        else:
            head = nn.Linear(backbone.channels, 3 * joints)
        super().__init__(joints, backbone, head)
        self.settings = settings

    def prepare_training(self, crops: Crops) -> None:
        """Learns the prior from the first crops with all labels. Joints that never have one stay at the cube's centre.

        :raises PriorError: too few of them
        """
        if self.settings.prior_size:
            samples = (crops[i] for i in range(min(self.settings.prior_poses, len(crops))))
            labels = [(sample["joints"], sample["joint_weight"] * sample["present"] > 0) for sample in samples]
            joints, known = (np.stack(values) for values in zip(*labels))
            complete = (known == known.any(axis=0)).all(axis=1) & known.any(axis=1)
            self.head.learn(np.where(known[..., None], joints, 0)[complete])

    def joint_loss(self, joints: Tensor, batch: dict[str, Tensor]) -> Tensor:
        return squared_loss(joints, batch)
