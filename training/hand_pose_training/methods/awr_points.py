"""AWR on point sets (section 2.2 "Input modalities", Table 3): points -> P2P's hierarchical point network -> 3D offsets from each
point -> weighted votes -> joints. As in the paper, without P2P's oriented bounding box and fingertip refinement."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from hand_pose_ros.geometry.points import POINTS, input_rows, point_set, size_problem
from hand_pose_training.backbones.point_network import PointNetworkSettings
from hand_pose_training.methods.awr import Awr, AwrSettings


@dataclass(frozen=True)
class AwrPointsSettings(AwrSettings):
    """AWR's settings, of which these differ.

    :param representation: O3 alone: a point lies in space
    :param points: P, of the set, a multiple of 16
    """

    points: int = POINTS
    backbone: PointNetworkSettings = field(default_factory=PointNetworkSettings)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.representation != "O3":
            raise ValueError(f"model.representation {self.representation!r}: point sets have O3 alone")
        if problem := size_problem(self.points):
            raise ValueError(f"model.points {problem}")


class AwrPoints(Awr):
    """The method's network and its decoding."""

    Settings = AwrPointsSettings
    input_kind = "point_set"

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(input_rows(self.settings.points))

    def inputs_of(self, crops: np.ndarray) -> dict[str, np.ndarray]:
        return point_set(crops, self.settings.points)

    def card_input(self, crop_size: int) -> dict[str, Any]:
        return {"input_kind": "point_set", "input_size": self.settings.points, "crop_size": crop_size}

    def cells(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The points (N, 3, P), all of which learn and vote (N, 1, P)."""
        points = inputs["point_set"].float().transpose(1, 2)
        return points, torch.ones_like(points[:, :1])
