"""Batch re-normalisation (Ioffe 2017): batch norm that trains with what it will use afterwards, the running statistics.

In evaluation it is batch norm, and an exported graph folds it into the convolution before it as such.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@dataclass(frozen=True)
class BatchRenormSettings:
    """How far the batch's statistics may be corrected towards the running ones, by the training step. Ioffe's section 4.1.

    Up to `warmup_steps` there is no correction (plain batch norm); then the limits open linearly.

    :param r_max: limit of the ratio of the deviations, reached at `r_steps`
    :param d_max: limit of the difference of the means in running deviations, reached at `d_steps`
    :param momentum: share of a step's statistics in the running ones
    """

    r_max: float = 3.0
    d_max: float = 5.0
    warmup_steps: int = 5000
    r_steps: int = 40_000
    d_steps: int = 25_000
    momentum: float = 0.01

    def __post_init__(self) -> None:
        if self.r_max < 1 or self.d_max < 0:
            raise ValueError(f"renorm: r_max {self.r_max} must be at least 1 and d_max {self.d_max} at least 0")
        if not 0 <= self.warmup_steps < min(self.r_steps, self.d_steps):
            raise ValueError(f"renorm.warmup_steps {self.warmup_steps}: must be before r_steps and d_steps, and not negative")


class BatchRenorm2d(nn.BatchNorm2d):
    """Maps (N, C, H, W) -> the same, normalised for each channel over N, H and W."""

    def __init__(self, channels: int, settings: BatchRenormSettings, eps: float = 1e-5) -> None:
        super().__init__(channels, eps=eps, momentum=settings.momentum)
        self.settings = settings

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        r, d = self._corrections(x)
        # gamma (x_hat r + d) + beta, where r and d are constants for the gradient
        return F.batch_norm(x, None, None, self.weight * r, self.bias + self.weight * d, training=True, eps=self.eps)

    def limits(self) -> tuple[Tensor, Tensor]:
        """r_max and d_max at the step that is counted now."""
        s, step = self.settings, self.num_batches_tracked.float()
        opened = [((step - s.warmup_steps) / (end - s.warmup_steps)).clamp(0, 1) for end in (s.r_steps, s.d_steps)]
        return 1 + (s.r_max - 1) * opened[0], s.d_max * opened[1]

    @torch.no_grad()
    def _corrections(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """r and d (C,) of Ioffe's algorithm 1; takes the batch into the running statistics."""
        variance, mean = torch.var_mean(x.detach().float(), (0, 2, 3), correction=0)
        deviation, running = (variance + self.eps).sqrt(), (self.running_var + self.eps).sqrt()
        r_max, d_max = self.limits()
        r = (deviation / running).clamp(1 / r_max, r_max)
        d = ((mean - self.running_mean) / running).clamp(-d_max, d_max)
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)
        self.num_batches_tracked += 1
        return r, d


def with_batch_renorm(module: nn.Module, settings: BatchRenormSettings) -> nn.Module:
    """The module with every batch norm in it replaced by a fresh batch re-norm."""
    for name, child in module.named_children():
        if isinstance(child, nn.BatchNorm2d):
            setattr(module, name, BatchRenorm2d(child.num_features, settings, child.eps))
        else:
            with_batch_renorm(child, settings)
    return module
