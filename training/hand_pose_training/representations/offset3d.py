"""O3 of AWR (Huang et al. 2020): dense 3D offsets as unit directions and closeness, Eq. 2 and 3. Legend: representation.py."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from hand_pose_training.representations.representation import Representation, directions, packed


@dataclass(frozen=True)
class Offset3D(Representation):
    """Values: direction (u, v, d). Vote: p + k (1 - S) V."""

    values = 3

    def encode(self, joints: Tensor, points: Tensor) -> Tensor:
        return packed(*directions(joints - points[:, None], self.kernel_size))

    def votes(self, values: Tensor, scores: Tensor, points: Tensor) -> Tensor:
        return points + self.kernel_size * (1 - scores)[:, :, None] * values
