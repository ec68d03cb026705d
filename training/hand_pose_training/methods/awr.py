"""Adaptive weighting regression on depth crops: hourglass -> O3 maps -> softmax-weighted votes -> joints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import nn

from hand_pose_training.aggregation.adaptive_weighting import Aggregated, adaptive_weighting, support, vote_covariance
from hand_pose_training.backbones.hand_head import HandHead
from hand_pose_training.backbones.hourglass import AWR_RELEASED, HourglassSettings, StackedHourglass
from hand_pose_training.representations.grid import cell_points
from hand_pose_training.representations.offset3d import Offset3D


@dataclass(frozen=True)
class AwrSettings:
    """:param joints: J
    :param kernel_size: k of Eq. 2, normalised units
    :param temperature: factor on the closeness before the softmax (30 in the released code; not printed)
    :param hand_head: the network also says whether it sees a hand, and whether a right one (not in the paper)
    :param backbone: the hourglass
    """

    joints: int = 21
    kernel_size: float = 1.0
    temperature: float = 30.0
    hand_head: bool = False
    backbone: HourglassSettings = field(default_factory=HourglassSettings)


class Prediction(NamedTuple):
    """Joints (N, J, 3) normalised; covariance (N, J, 6) of the votes, xx xy xz yy yz zz; support (N, J), mean closeness.

    `hand` (N, 2) are the logits of presence and right side; None without a hand head.
    """

    joints: torch.Tensor
    covariance: torch.Tensor
    support: torch.Tensor
    hand: torch.Tensor | None


class AwrOutput(NamedTuple):
    """Dense maps (N, 4 J, S', S'), one a stack; logits (N, 2) of presence and right side, None without a hand head."""

    dense: list[torch.Tensor]
    hand: torch.Tensor | None


class Awr(nn.Module):
    """The method's network and its decoding."""

    def __init__(self, settings: AwrSettings) -> None:
        super().__init__()
        self.settings = settings
        self.representation = Offset3D(settings.kernel_size)
        self.backbone = StackedHourglass(settings.backbone, self.representation.channels(settings.joints))
        self.hand_head = HandHead(settings.backbone.channels) if settings.hand_head else None

    def forward(self, depth_crop: torch.Tensor) -> AwrOutput:
        """(N, 1, S, S) -> what the network says, not decoded."""
        dense, features = self.backbone(depth_crop)
        return AwrOutput(dense, None if self.hand_head is None else self.hand_head(features))

    def decode(self, depth_crop: torch.Tensor, dense: torch.Tensor) -> torch.Tensor:
        """One stack's dense map -> normalised joints (N, J, 3)."""
        return self._aggregate(depth_crop, dense)[0].joints

    def predict(self, depth_crop: torch.Tensor) -> Prediction:
        """Crop -> joints and what their votes say of them, by the last stack."""
        output = self.forward(depth_crop)
        found, votes, closeness = self._aggregate(depth_crop, output.dense[-1])
        return Prediction(found.joints, vote_covariance(votes, found), support(closeness, found), output.hand)

    def _aggregate(self, depth_crop: torch.Tensor, dense: torch.Tensor) -> tuple[Aggregated, torch.Tensor, torch.Tensor]:
        points, foreground = cell_points(depth_crop, self.backbone.stride)
        votes, closeness = self.representation.decode(dense, points)
        return adaptive_weighting(votes, closeness, foreground.flatten(2), self.settings.temperature), votes, closeness


def awr_hourglass1_paper(joints: int = 14) -> Awr:
    """AWR's one-stack hourglass as released (128x128 crops, 64x64 maps, 256 channels, 4.58 M parameters at 14 joints)."""
    return Awr(AwrSettings(joints=joints, backbone=AWR_RELEASED))
