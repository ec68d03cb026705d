"""From features to joint coordinates by fully connected layers (JAR, Zheng et al., BMVC 2021, Eq. 3 and 4). All in float32."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def mlp(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Eq. 3: ReLU(G W1 + b1) W2 + b2 over the last axis; one for all joints."""
    return nn.Sequential(nn.Linear(inputs, hidden), nn.ReLU(), nn.Linear(hidden, outputs))


class JointMlps(nn.Module):
    """Eq. 3 with weights of their own for every joint: (N, J, I) -> (N, J, O)."""

    def __init__(self, joints: int, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.weight1, self.bias1 = _layer(joints, inputs, hidden)
        self.weight2, self.bias2 = _layer(joints, hidden, outputs)

    def forward(self, features: Tensor) -> Tensor:
        hidden = torch.relu((features[:, :, None] @ self.weight1)[:, :, 0] + self.bias1)
        return (hidden[:, :, None] @ self.weight2)[:, :, 0] + self.bias2


class MultiHead(nn.Module):
    """Eq. 4 without its fusion: each head sees its own part of a joint's features, (N, J, H I) -> (N, J, H O).

    :param inputs, outputs: I and O of one head
    """

    def __init__(self, heads: int, inputs: int, hidden: int, outputs: int) -> None:
        super().__init__()
        self.heads = nn.ModuleList(mlp(inputs, hidden, outputs) for _ in range(heads))

    def forward(self, features: Tensor) -> Tensor:
        parts = features.chunk(len(self.heads), dim=-1)
        return torch.cat([head(part) for head, part in zip(self.heads, parts)], dim=-1)


def _layer(joints: int, inputs: int, outputs: int) -> tuple[nn.Parameter, nn.Parameter]:
    """Weights (J, I, O) and biases (J, O), drawn as nn.Linear draws them."""
    bound = 1 / math.sqrt(inputs)
    weight, bias = torch.empty(joints, inputs, outputs), torch.empty(joints, outputs)
    return nn.Parameter(weight.uniform_(-bound, bound)), nn.Parameter(bias.uniform_(-bound, bound))
