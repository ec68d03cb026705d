"""H1 and H2 of AWR: a heat map of the joint in the image, and beside it the joint's depth (H1) or its depth's offset from the
cell (H2). Legend: representation.py."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from hand_pose_training.representations.representation import Representation, packed


@dataclass(frozen=True)
class HeatmapDepth(Representation):
    """H1. Value: depth of the joint. Vote: (p_uv, depth).

    :param sigma: of the Gaussian blob, normalised units (two cells of a 64 x 64 map; not printed)
    """

    values = 1
    everywhere = True
    heat = True
    candidates = 1  # the highest cell
    sigma: float = 0.0625

    def encode(self, joints: Tensor, points: Tensor) -> Tensor:
        return packed(joints[..., 2:], self.blob(joints, points))

    def blob(self, joints: Tensor, points: Tensor) -> Tensor:
        """exp(-|joint - p|^2 / (2 sigma^2)) in the image, (M, J)."""
        return torch.exp(-(joints - points[:, None])[..., :2].square().sum(-1) / (2 * self.sigma**2))

    def votes(self, values: Tensor, scores: Tensor, points: Tensor) -> Tensor:
        return torch.cat([points[:, :, :2].expand(-1, values.shape[1], -1, -1), values], dim=2)


@dataclass(frozen=True)
class HeatmapDepthOffset(HeatmapDepth):
    """H2. Value: depth offset, 0 beyond k (Eq. 2). Vote: (p_uv, p_d + offset). Cells without depth neither learn nor vote."""

    everywhere = False

    def encode(self, joints: Tensor, points: Tensor) -> Tensor:
        offset = (joints - points[:, None])[..., 2:]
        return packed(offset * (offset.abs() <= self.kernel_size), self.blob(joints, points))

    def votes(self, values: Tensor, scores: Tensor, points: Tensor) -> Tensor:
        return super().votes(points[:, :, 2:] + values, scores, points)
