"""Joint graph reasoning (JGR-P2O, section 3.2): cells give their features to the joints, joints to their neighbours, and back.

Legend: N crops, C channels, J joints, P = S' x S' cells. A graph takes the joints' features (N, J, C) and gives the weights
A_e of its connections, (J, J) or (N, J, J).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from hand_pose_training.aggregation.pixel_voting import spatial_softmax
from hand_pose_training.backbones.hourglass import conv_bn

Bones = Sequence[tuple[int, int]]


def normalized_adjacency(joints: int, bones: Bones) -> Tensor:
    """D^-1/2 (A + I) D^-1/2 of an undirected graph, (J, J); D are the degrees of A + I."""
    connected = torch.eye(joints)
    for parent, child in bones:
        connected[parent, child] = connected[child, parent] = 1
    scale = connected.sum(0).rsqrt()
    return scale[:, None] * connected * scale


class SkeletonGraph(nn.Module):
    """Joints are connected by the bones, with fixed weights."""

    def __init__(self, joints: int, bones: Bones) -> None:
        super().__init__()
        self.register_buffer("edges", normalized_adjacency(joints, bones), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        return self.edges


class SimilarityGraph(nn.Module):
    """Joints are connected by how alike their features are: a graph for each crop."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query, self.key = (nn.Linear(channels, channels, bias=False) for _ in range(2))

    def forward(self, features: Tensor) -> Tensor:
        alike = self.query(features) @ self.key(features).transpose(1, 2)
        return torch.softmax(alike.float(), dim=-1).to(features.dtype)


class ParameterizedGraph(nn.Module):
    """Connections are learned, for each stack its own. (The released code starts at 1e-6, too, and has one for all stacks.)"""

    def __init__(self, joints: int) -> None:
        super().__init__()
        self.edges = nn.Parameter(torch.full((joints, joints), 1e-6))

    def forward(self, features: Tensor) -> Tensor:
        return self.edges


class JointGraphReasoning(nn.Module):
    """Features (N, C, S', S') -> augmented features of the same shape, and the voting weights (N, J, P), float32."""

    def __init__(self, channels: int, joints: int, graph: nn.Module) -> None:
        super().__init__()
        self.vote = nn.Conv2d(channels, joints, 1)
        # The paper prints a 1x1 convolution; the released code follows it with batch norm and ReLU.
        self.transform = nn.Sequential(conv_bn(channels, channels, 1), nn.ReLU())
        self.graph = graph
        self.evolve = nn.Linear(channels, channels, bias=False)
        self.context = nn.Sequential(conv_bn(channels, channels, 1), nn.ReLU())
        self.fuse = nn.Sequential(conv_bn(2 * channels, channels, 1), nn.ReLU())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        weights = spatial_softmax(self.vote(x))
        joints = pixels_to_joints(self.transform(x), weights)
        evolved = torch.relu(self.graph(joints) @ self.evolve(joints))
        context = joints_to_pixels(evolved, weights).unflatten(2, x.shape[2:])
        return self.fuse(torch.cat([self.context(context), x], dim=1)), weights


def pixels_to_joints(features: Tensor, weights: Tensor) -> Tensor:
    """Eq. 2: features (N, C, S', S') and weights (N, J, P) -> the joints' features (N, J, C). Sums over cells in float32."""
    with torch.autocast(features.device.type, enabled=False):
        return (weights @ features.flatten(2).transpose(1, 2).float()).to(features.dtype)


def joints_to_pixels(joints: Tensor, weights: Tensor) -> Tensor:
    """Eq. 4 without rho: the mean over joints of their features (N, J, C), each by its weight at the cell, (N, C, P)."""
    with torch.autocast(joints.device.type, enabled=False):
        return (joints.transpose(1, 2).float() @ weights / weights.shape[1]).to(joints.dtype)
