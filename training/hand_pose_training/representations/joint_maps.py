"""Joints drawn as maps for a network to look at again (JAR, Zheng et al., BMVC 2021, Eq. 6).

Eq. 6 prints exp(+|p - p_joint| / sigma^2), which grows away from the joint; here it falls, with the squared distance. It puts the
depth on the one pixel p = p_joint, which no joint hits exactly: here it is shared among the four cells around the joint, so that
it changes continuously with the joint and is Eq. 6 where a joint lies on a cell's centre.
"""

from __future__ import annotations

import torch
from torch import Tensor


def heat_maps(joints: Tensor, cells: int, sigma: float) -> Tensor:
    """exp(-distance^2 / sigma^2) to the joints (N, J, 3): (N, J, S', S').

    :param sigma: in cells
    """
    u, v = _distances(joints, cells)
    return torch.exp(-(v.square()[..., None] + u.square()[..., None, :]) / sigma**2)


def depth_maps(joints: Tensor, cells: int) -> Tensor:
    """The joints' d around the joints, 0 elsewhere and for joints outside: (N, J, S', S')."""
    u, v = (torch.relu(1 - distance.abs()) for distance in _distances(joints, cells))
    return joints[..., 2, None, None] * v[..., None] * u[..., None, :]


def _distances(joints: Tensor, cells: int) -> tuple[Tensor, Tensor]:
    """Of all columns from the joints' u, and of all rows from their v, in cells: (N, J, S') each."""
    at = torch.arange(cells, device=joints.device, dtype=torch.float32)
    pixels = (joints[..., :2].float() + 1) * (cells / 2) - 0.5
    return at - pixels[..., 0, None], at - pixels[..., 1, None]
