"""O3 of AWR (Huang et al. 2020): dense 3D offsets as unit directions and closeness, Eq. 2 and 3.

Legend: N crops, J joints, P = S' x S' cells, M any cells, k the kernel size in normalised units.
Dense map (N, 4 J, S', S'): first 3 J directions (joint by joint: u, v, d), then J closeness maps.
    S = (k - |joint - p|) / k within k of the joint, else 0;  V = (joint - p) / |joint - p| within k, else 0.
The paper prints V from joint to pixel; its recovery, like its released code, needs pixel to joint, which is stored here.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class Offset3D:
    """:param kernel_size: k of Eq. 2, in normalised units (1 = half the cube)."""

    kernel_size: float = 1.0

    @staticmethod
    def channels(joints: int) -> int:
        """Channels of the dense map."""
        return 4 * joints

    def encode(self, joints: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
        """Labels of single cells, all on the foreground.

        :param joints: (M, J, 3) normalised joints of the crop that cell m belongs to
        :param points: (M, 3), of `cell_points`
        :return: (M, 4 J), the dense map's channels; 0 beyond the kernel
        """
        offset = joints - points[:, None]
        distance = offset.square().sum(-1).sqrt()
        closeness = ((self.kernel_size - distance) / self.kernel_size).clamp(min=0)
        direction = offset * ((closeness > 0) / distance.clamp(min=1e-6))[..., None]
        return torch.cat([direction.flatten(1), closeness], dim=1)

    def decode(self, dense: torch.Tensor, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Dense map to one vote a cell: p + k (1 - S) V, the joint as cell p sees it.

        :return: votes (N, J, 3, P) normalised; closeness (N, J, P); both float32
        """
        dense, joints = dense.float(), dense.shape[1] // 4
        direction = dense[:, : 3 * joints].unflatten(1, (joints, 3)).flatten(3)
        closeness = dense[:, 3 * joints :].flatten(2)
        return points.flatten(2)[:, None] + self.kernel_size * (1 - closeness)[:, :, None] * direction, closeness
