"""A pose prior in a network's last layers (Oberweger et al., CVWW 2015): few numbers, and the poses that they stand for."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn


class PriorError(ValueError):
    """Poses from which no prior can be learned; the text says what to change."""


def pca_prior(joints: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Principal components of poses: mean (3 J,) and orthonormal components (size, 3 J), that of the largest variance first.

    A component's largest number is positive, so that the same poses give the same components.

    :param joints: (N, J, 3) normalised
    :raises PriorError: fewer than size + 1 poses, or fewer than `size` coordinates
    """
    poses = np.asarray(joints, float).reshape(len(joints), 3 * joints.shape[1])
    if len(poses) <= size or poses.shape[1] < size:
        raise PriorError(
            f"{len(poses)} fully labelled poses of {poses.shape[1]} coordinates have no {size} principal components: raise "
            f"model.prior_poses or lower model.prior_size"
        )
    mean = poses.mean(axis=0)
    components = np.linalg.svd(poses - mean, full_matrices=False)[2][:size]
    largest = np.take_along_axis(components, np.abs(components).argmax(axis=1)[:, None], axis=1)
    return mean, components * np.sign(largest)


class PosePrior(nn.Module):
    """Features (N, C) -> `size` pose parameters -> coordinates (N, 3 J), both linear.

    The second layer is the prior; `learn` makes it the principal components of poses and their mean.

    :param trainable: whether training changes the prior after that
    :raises PriorError: more pose parameters than coordinates
    """

    def __init__(self, channels: int, size: int, joints: int, trainable: bool) -> None:
        super().__init__()
        if size > 3 * joints:
            raise PriorError(f"model.prior_size {size}: {joints} joints have {3 * joints} coordinates; it must not be more")
        self.bottleneck, self.prior = nn.Linear(channels, size), nn.Linear(size, 3 * joints)
        self.prior.requires_grad_(trainable)

    @torch.no_grad()
    def learn(self, joints: np.ndarray) -> None:
        """Takes the prior from poses (N, J, 3) normalised; raises as `pca_prior`."""
        mean, components = pca_prior(joints, self.prior.in_features)
        self.prior.weight.copy_(torch.as_tensor(components.T))
        self.prior.bias.copy_(torch.as_tensor(mean))

    def forward(self, features: Tensor) -> Tensor:
        return self.prior(self.bottleneck(features))
