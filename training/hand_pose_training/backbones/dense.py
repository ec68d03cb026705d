"""Backbones with dense outputs, by their settings: inputs -> ([one map a stack], [the features that it is made of])."""

from __future__ import annotations

from torch import nn

from hand_pose_training.backbones.hourglass import HourglassSettings, StackedHourglass
from hand_pose_training.backbones.hourglass3d import Hourglass3d, Hourglass3dSettings
from hand_pose_training.backbones.point_network import PointNetwork, PointNetworkSettings
from hand_pose_training.backbones.resnet import ResnetDeconv, ResnetSettings

BackboneSettings = HourglassSettings | ResnetSettings


def dense_backbone(settings: BackboneSettings | Hourglass3dSettings | PointNetworkSettings, outputs: int) -> nn.Module:
    """Network with attributes `channels` (of the features) and, of images and grids, `stride` (S / S', D / D').

    :param outputs: channels of each dense map
    """
    kinds = {
        HourglassSettings: StackedHourglass,
        ResnetSettings: ResnetDeconv,
        Hourglass3dSettings: Hourglass3d,
        PointNetworkSettings: PointNetwork,
    }
    return kinds[type(settings)](settings, outputs)
