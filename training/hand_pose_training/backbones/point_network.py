"""The hierarchical point network of P2P (Ge et al., ECCV 2018), PointNet++ (Qi et al. 2017) on point sets whose sampling and
grouping are inputs (see hand_pose_ros/geometry/points.py).

Levels: P points, P / 2, P / 8, and the whole set. On the way down a small network looks at each neighbourhood and keeps each
feature's maximum; on the way up features are interpolated from the nearest three points and joined by those of the way down.
Widths are those of P2P's public code. Features lie point by point, (N, P, C): a layer is one matrix product.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class PointNetworkSettings:
    """:param stacks: networks in a row; each but the first sees the features and outputs before it
    :param width: W, of the first layers; the others are multiples of it
    """

    kind: str = "point_network"
    stacks: int = 2
    width: int = 64


class Layers(nn.Sequential):
    """Linear layers, each with batch norm and ReLU, the same for every point: (..., inputs) -> (..., last of widths).

    Weights start with a variance that keeps that of the features, or seventeen layers would leave all points alike.
    """

    def __init__(self, inputs: int, *widths: int) -> None:
        layers: list[nn.Module] = []
        for before, after in zip((inputs, *widths), widths):
            layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
            nn.init.kaiming_normal_(layers[-3].weight, nonlinearity="relu")
        super().__init__(*layers)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.flatten(0, -2)).unflatten(0, x.shape[:-1])


def take(x: Tensor, indices: Tensor) -> Tensor:
    """Rows of (N, P, C) by indices (N, ...) into each one's P points -> (N, ..., C)."""
    first = torch.arange(x.shape[0], device=x.device).view(-1, *[1] * (indices.dim() - 1)) * x.shape[1]
    return x.flatten(0, 1).index_select(0, (indices + first).flatten()).unflatten(0, indices.shape)


def interpolated(x: Tensor, nearest: Tensor, weights: Tensor) -> Tensor:
    """Weighted sums of rows of (N, M, C): indices and weights (N, P, 3) -> (N, P, C)."""
    return (take(x, nearest) * weights[..., None]).sum(2)


class Stack(nn.Module):
    """One network down and up again.

    :param features: of each point beside its place
    """

    def __init__(self, w: int, features: int) -> None:
        super().__init__()
        self.down_1 = Layers(3 + features, w, w, 2 * w)
        self.down_2 = Layers(3 + 2 * w, 2 * w, 2 * w, 4 * w)
        self.down_3 = Layers(3 + 4 * w, 4 * w, 8 * w, 16 * w)
        self.up_2 = Layers(16 * w + 4 * w, 4 * w, 4 * w)
        self.up_1 = Layers(4 * w + 2 * w, 4 * w, 2 * w)
        self.up_0 = Layers(2 * w, 2 * w, 2 * w, 2 * w)

    def forward(self, features: Tensor | None, points: Tensor, samples: Tensor, groups: list[Tensor], up: list[Tensor]) -> Tensor:
        """Features (N, P, 2 W) of points (N, P, 3); `groups` and `up` as `PointNetwork.forward` has them."""
        nearest_1, weights_1, nearest_2, weights_2 = up
        level_1 = take(points, samples)
        level_2 = level_1[:, : groups[1].shape[1]]
        near = [take(points, groups[0]) - level_1[:, :, None]]
        if features is not None:
            near.append(take(features, groups[0]))
        found_1 = self.down_1(torch.cat(near, dim=-1)).amax(2)
        near_2 = [take(level_1, groups[1]) - level_2[:, :, None], take(found_1, groups[1])]
        found_2 = self.down_2(torch.cat(near_2, dim=-1)).amax(2)
        whole = self.down_3(torch.cat([level_2, found_2], dim=-1)).amax(1, keepdim=True)
        found_2 = self.up_2(torch.cat([whole.expand(-1, found_2.shape[1], -1), found_2], dim=-1))
        found_1 = self.up_1(torch.cat([interpolated(found_2, nearest_2, weights_2), found_1], dim=-1))
        return self.up_0(interpolated(found_1, nearest_1, weights_1))


class PointNetwork(nn.Module):
    """Stacks, each with a head of one layer.

    :param outputs: values a point
    """

    def __init__(self, settings: PointNetworkSettings, outputs: int) -> None:
        super().__init__()
        self.channels = 2 * settings.width
        self.stacks = nn.ModuleList(
            Stack(settings.width, 0 if i == 0 else self.channels + outputs) for i in range(settings.stacks)
        )
        self.heads = nn.ModuleList(nn.Linear(self.channels, outputs) for _ in range(settings.stacks))

    def forward(
        self, points: Tensor, samples: Tensor, groups_1: Tensor, groups_2: Tensor, *up: Tensor
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Inputs of `geometry.points.input_rows`, in its order (`up`: nearest_1, weights_1, nearest_2, weights_2) -> one dense
        map (N, outputs, P) a stack, and its features as an image (N, 2 W, P, 1)."""
        features, dense, seen = None, [], []
        for stack, head in zip(self.stacks, self.heads):
            found = stack(features, points, samples, [groups_1, groups_2], list(up))
            dense.append(head(found))
            seen.append(found.transpose(1, 2)[..., None])
            features = torch.cat([found, dense[-1]], dim=-1)
        return [values.transpose(1, 2) for values in dense], seen
