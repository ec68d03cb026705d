"""Optimisers and learning-rate schedules of the recipes."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
SCHEDULES = ("cosine", "exponential", "step", "plateau", "constant", "trapezoid")


@dataclass(frozen=True)
class OptimSettings:
    """How the weights are found.

    :param optimizer: adamw (weight decay decoupled) or adam (weight decay as an L2 term of the loss, as the papers' code has it)
    :param learning_rate: at its peak
    :param schedule: after the warm-up: cosine (to 0 at the budget's end), exponential (times `decay` every epoch), step (times
        `decay` every `decay_epochs`, at most `max_drops` times where that is not 0), plateau (times `decay` when the validation
        error has not fallen for `decay_epochs`), constant, trapezoid (constant, then linearly to 0 over the cool-down: Zhai et
        al., CVPR 2022; a longer run goes on from the checkpoint that is written before it)
    :param warmup: share of the budget in which the rate rises linearly
    :param cooldown: of a trapezoid: share of the budget in which the rate falls
    :param average_decay: per step, of the exponential average of the weights, which is what is evaluated and exported;
        0: the weights themselves
    """

    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 5e-4
    betas: tuple[float, float] = (0.9, 0.999)
    schedule: str = "cosine"
    warmup: float = 0.02
    cooldown: float = 0.25
    decay: float = 0.1
    decay_epochs: int = 1
    max_drops: int = 0
    average_decay: float = 0.998

    def __post_init__(self) -> None:
        if self.optimizer not in OPTIMIZERS:
            raise ValueError(f"optim.optimizer {self.optimizer!r}: one of {', '.join(OPTIMIZERS)}")
        if self.schedule not in SCHEDULES:
            raise ValueError(f"optim.schedule {self.schedule!r}: one of {', '.join(SCHEDULES)}")
        if not 0 < self.cooldown <= 1:
            raise ValueError(f"optim.cooldown {self.cooldown}: a share of the budget, above 0 and at most 1")


@dataclass(frozen=True)
class Clock:
    """Where a run stands: share of the budget spent (0 to 1), epochs done, and how often the validation error stood still."""

    progress: float
    epoch: int
    plateaus: int = 0


@dataclass(frozen=True)
class Plateau:
    """How the validation error goes from epoch to epoch.

    :param best_m: the least error so far
    :param epochs_since_best: epochs since it was reached
    :param since_drop: epochs since then or since the learning rate last fell
    :param drops: how often the learning rate fell
    :param stage: of the supervision (`Method.stage`) that all this is of
    """

    best_m: float = float("inf")
    epochs_since_best: int = 0
    since_drop: int = 0
    drops: int = 0
    stage: int = 0

    def after(self, error_m: float, patience: int, stage: int = 0) -> Plateau:
        """After one more epoch; `patience` epochs without a better error lower the learning rate. A new stage starts afresh, with
        the rate of the beginning."""
        if stage != self.stage:
            return Plateau(error_m, stage=stage)
        if error_m < self.best_m:
            return Plateau(error_m, 0, 0, self.drops, stage)
        dropping = self.since_drop + 1 >= patience
        since_drop = 0 if dropping else self.since_drop + 1
        return Plateau(self.best_m, self.epochs_since_best + 1, since_drop, self.drops + dropping, stage)


def cooling(optim: OptimSettings, progress: float) -> bool:
    """Whether a trapezoid's cool-down has begun."""
    return optim.schedule == "trapezoid" and progress >= 1 - optim.cooldown


def learning_rate(optim: OptimSettings, clock: Clock) -> float:
    """The rate of the next step."""
    if clock.progress < optim.warmup:
        return optim.learning_rate * max(clock.progress / optim.warmup, 0.01)
    if optim.schedule == "cosine":
        share = min((clock.progress - optim.warmup) / (1 - optim.warmup), 1.0)
        return optim.learning_rate * 0.5 * (1 + math.cos(math.pi * share))
    if optim.schedule == "trapezoid":
        return optim.learning_rate * min((1 - clock.progress) / optim.cooldown, 1.0)
    drops = {
        "exponential": clock.epoch,
        "step": min(clock.epoch // optim.decay_epochs, optim.max_drops or clock.epoch),
        "plateau": clock.plateaus,
        "constant": 0,
    }
    return optim.learning_rate * optim.decay ** drops[optim.schedule]


def optimizer(optim: OptimSettings, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser over the parameters that learn."""
    learning = [parameter for parameter in parameters if parameter.requires_grad]
    cls = OPTIMIZERS[optim.optimizer]
    return cls(learning, lr=optim.learning_rate, betas=optim.betas, weight_decay=optim.weight_decay, fused=True)
