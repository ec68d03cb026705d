"""What the dense forms of AWR (section 2.2) have in common.

Legend: N crops, J joints, P = S' x S' cells, M any cells, k the kernel size in normalised units, p a cell's point (u, v, d).
Dense map (N, (V + 1) J, S', S'): first V values for each joint (joint by joint), then J score maps, which say how much a cell
knows of a joint.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor


@dataclass(frozen=True)
class Representation(ABC):
    """One dense form. It encodes labels and decodes predictions.

    :cvar values: V, values a joint and cell beside the score
    :cvar everywhere: background cells have labels and votes, too
    :cvar heat: the score is a heat map, which is taught with a squared error; else smooth L1 (section 2.3)
    :cvar scores_taught: the score has a label; else it is found by joint supervision alone
    :cvar candidates: cells that decide in the decoding that is not learned; 0: all, with equal weights
    :param kernel_size: k of Eq. 2, in normalised units (1 = half the cube)
    """

    values: ClassVar[int]
    everywhere: ClassVar[bool] = False
    heat: ClassVar[bool] = False
    scores_taught: ClassVar[bool] = True
    candidates: ClassVar[int] = 5  # as many as DenseReg's K; not printed for AWR's Dense rows
    kernel_size: float = 1.0

    def channels(self, joints: int) -> int:
        """Channels of the dense map."""
        return (self.values + 1) * joints

    @abstractmethod
    def encode(self, joints: Tensor, points: Tensor) -> Tensor:
        """Labels of single cells.

        :param joints: (M, J, 3) normalised joints of the crop that cell m belongs to
        :param points: (M, 3), of `cell_points`
        :return: (M, (V + 1) J), the dense map's channels
        """

    @abstractmethod
    def votes(self, values: Tensor, scores: Tensor, points: Tensor) -> Tensor:
        """Where each cell sees each joint.

        :param values: (N, J, V, P); scores: (N, J, P); points: (N, 1, 3, P)
        :return: (N, J, 3, P) normalised
        """

    def decode(self, dense: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        """Dense map to one vote a cell: votes (N, J, 3, P) normalised; scores (N, J, P); both float32."""
        dense, joints = dense.float(), dense.shape[1] // (self.values + 1)
        values = dense[:, : self.values * joints].unflatten(1, (joints, self.values)).flatten(3)
        scores = dense[:, self.values * joints :].flatten(2)
        return self.votes(values, scores, points.flatten(2)[:, None]), scores


def directions(offset: Tensor, kernel_size: float) -> tuple[Tensor, Tensor]:
    """Eq. 3: offsets (M, J, D) from cell to joint -> unit directions (M, J, D) and closeness (M, J), both 0 beyond k.

    S = (k - |joint - p|) / k;  V = (joint - p) / |joint - p|. The paper prints V from joint to pixel; its recovery, like its
    released code, needs pixel to joint, which is stored here.
    """
    distance = offset.square().sum(-1).sqrt()
    closeness = ((kernel_size - distance) / kernel_size).clamp(min=0)
    return offset * ((closeness > 0) / distance.clamp(min=1e-6))[..., None], closeness


def packed(values: Tensor, scores: Tensor) -> Tensor:
    """Values (M, J, V) and scores (M, J) -> (M, (V + 1) J)."""
    return torch.cat([values.flatten(1), scores], dim=1)
