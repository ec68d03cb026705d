"""P of AWR (after Li and Lee 2019): every cell says the joint itself. Legend: representation.py."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hand_pose_training.representations.representation import Representation, packed


@dataclass(frozen=True)
class Pose(Representation):
    """Values: the joint (u, v, d). Vote: the value. The weights have no label: joint supervision alone finds them."""

    values = 3
    scores_taught = False
    candidates = 0

    def encode(self, joints: Tensor, points: Tensor) -> Tensor:
        return packed(joints, torch.zeros_like(joints[..., 0]))

    def votes(self, values: Tensor, scores: Tensor, points: Tensor) -> Tensor:
        return values
