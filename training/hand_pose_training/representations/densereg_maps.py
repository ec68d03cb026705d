"""DenseReg's dense maps (Wan et al., CVPR 2018, Eq. 1 to 3).

Legend: N crops, J joints, S' x S' cells, P = S' S'. R: closeness to the joint in the image, (tau - distance) / tau, 0 beyond.
S: closeness in space, (theta - distance) / theta. V: unit vector from the cell to the joint, 0 beyond theta. Background cells
have R alone. Eq. 1 prints S in millimetres, which Algorithm 1 needs as a share of theta; Eq. 2 prints V from the joint to the
cell, which Algorithm 1 adds to the cell: both are stored as Algorithm 1 needs them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from torch import Tensor

from hand_pose_training.representations.representation import directions


class Maps(NamedTuple):
    """R (N, J, S', S'), S (N, J, S', S') and V (N, J, 3, S', S'); in the dense map in this order, V joint by joint."""

    r: Tensor
    s: Tensor
    v: Tensor


@dataclass(frozen=True)
class DenseRegMaps:
    """Encodes labels and decodes predictions.

    :param theta: radius of the ball around a joint whose cells know of it, normalised units (1 = half the cube)
    :param tau_cells: radius of the disk in the image, cells
    """

    theta: float
    tau_cells: float

    def encode(self, joints: Tensor, points: Tensor, foreground: Tensor) -> Maps:
        """Labels of all cells.

        :param joints: (N, J, 3) normalised; points: (N, 3, S', S') and foreground (N, 1, S', S'), of `cell_points`
        """
        offset = joints[:, :, None, None] - points.permute(0, 2, 3, 1)[:, None]
        tau = 2 * self.tau_cells / points.shape[-1]
        r = directions(offset[..., :2], tau)[1]
        unit, s = directions(offset, self.theta)
        return Maps(r, s * foreground, unit.movedim(-1, 2) * foreground[:, :, None])

    def votes(self, found: Maps, points: Tensor) -> Tensor:
        """Step 1 of Algorithm 1: (N, J, 3, P), where each cell sees each joint, p + theta (1 - S) V."""
        offset = self.theta * (1 - found.s)[:, :, None] * found.v
        return points.flatten(2)[:, None] + offset.flatten(3)


def split(dense: Tensor, joints: int) -> Maps:
    """Dense map (N, 5 J, S', S') -> its parts, float32."""
    r, s, v = dense.float().split([joints, joints, 3 * joints], dim=1)
    return Maps(r, s, v.unflatten(1, (joints, 3)))


def map_loss(found: Tensor, target: Tensor, batch: dict[str, Tensor], weights: Tensor | None = None) -> Tensor:
    """Eq. 4: squared differences summed over joints, cells and channels, mean over the crops that teach.

    A crop without a hand (`present` 0) teaches 0 everywhere, which is what all cells far from a joint learn.

    :param found, target: (N, J, ...)
    :param weights: of each value, broadcast to them (all 1)
    """
    target = target * batch["present"].view(-1, *[1] * (target.dim() - 1))
    squared = (found.float() - target).square()
    each = (squared if weights is None else squared * weights).flatten(2).sum(-1)
    teaches = batch["teaches"]
    return (each * batch["joint_weight"] * teaches[:, None]).sum() / teaches.sum().clamp(min=1)


def radius(metres: float, cube_m: float) -> float:
    """A length in metres in normalised units of a cube with this edge."""
    return metres / (cube_m / 2)
