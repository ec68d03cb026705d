"""O1 and O2 of AWR: 2D offsets as unit directions and closeness in the image, and beside them the joint's depth (O1) or its
depth's offset from the cell (O2). Legend: representation.py."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hand_pose_training.representations.representation import Representation, directions, packed


@dataclass(frozen=True)
class Offset2DDepth(Representation):
    """O1. Values: direction (u, v), depth of the joint. Vote: (p_uv + k (1 - S) V, depth)."""

    values = 3

    def encode(self, joints: Tensor, points: Tensor) -> Tensor:
        flat, closeness = directions((joints - points[:, None])[..., :2], self.kernel_size)
        return packed(torch.cat([flat, joints[..., 2:]], dim=-1), closeness)

    def votes(self, values: Tensor, scores: Tensor, points: Tensor) -> Tensor:
        uv = points[:, :, :2] + self.kernel_size * (1 - scores)[:, :, None] * values[:, :, :2]
        return torch.cat([uv, values[:, :, 2:]], dim=2)


@dataclass(frozen=True)
class Offset2DDepthOffset(Offset2DDepth):
    """O2. Values: direction (u, v), depth offset, 0 beyond k (Eq. 2). Vote: (p_uv + k (1 - S) V, p_d + offset)."""

    def encode(self, joints: Tensor, points: Tensor) -> Tensor:
        offset = joints - points[:, None]
        flat, closeness = directions(offset[..., :2], self.kernel_size)
        near = offset[..., 2:].abs() <= self.kernel_size
        return packed(torch.cat([flat, offset[..., 2:] * near], dim=-1), closeness)

    def votes(self, values: Tensor, scores: Tensor, points: Tensor) -> Tensor:
        found = super().votes(values, scores, points)
        return torch.cat([found[:, :, :2], points[:, :, 2:] + found[:, :, 2:]], dim=2)
