"""The training step as a LightningModule: schedule over a budget, the method's losses, averaged weights."""

from __future__ import annotations

import dataclasses
import pickle
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning
import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.data import (
    Prepared,
    as_right_hands,
    endless_loader,
    relabelled,
    to_tensors,
    training_crops,
    validation_crops,
)
from hand_pose_training.losses import joint_error_m
from hand_pose_training.methods.method import Method
from hand_pose_training.optim import Clock, Plateau, learning_rate, optimizer
from hand_pose_training.recipe import Recipe, RecipeError, overridden, recipe_of

HEADS = ("hand_heads.", "spread_heads.")  # beside the joints: a run may have others than the one it starts from


class HandPoseTask(lightning.LightningModule):
    """Trains one network by a recipe.

    `net` learns; `average` is the running average of its weights, and what is evaluated and exported. `samples_seen`,
    `elapsed_s` and `plateau` come with the checkpoint, so a resumed run goes on with crops it has not seen and the same
    schedule. `first_sample` is the index of the run's first crop: those before it were seen by the run it started from.
    """

    def __init__(self, recipe: dict[str, Any], pretrained: bool = True) -> None:
        """:param pretrained: read the files of weights that the recipe names; a checkpoint has weights of its own"""
        super().__init__()
        self.save_hyperparameters(ignore=["pretrained"])
        self.recipe: Recipe = recipe_of(recipe, "recipe of the checkpoint")
        torch.manual_seed(self.recipe.seed)
        self.net: Method = self.recipe.network(pretrained)
        for weights in self.net.parameters():
            if weights.dim() == 4:
                weights.data = weights.data.to(memory_format=torch.channels_last)
        self.average = AveragedModel(self.net, multi_avg_fn=self._average, use_buffers=True).requires_grad_(False)
        self.first_sample, self.samples_seen, self.elapsed_s, self.progress = 0, 0, 0.0, 0.0
        self.plateau = Plateau()
        self._started = 0.0

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> HandPoseTask:
        """A fresh task."""
        return cls(dataclasses.asdict(recipe))

    def start_from(self, other: HandPoseTask) -> None:
        """Takes the averaged weights of another run, and crops that it has not seen; the schedule starts afresh. Layers that it
        lacks, and heads that have another shape there, stay new.

        :raises RecipeError: the other run's network is no part of this one
        """
        weights = other.exported_net.state_dict()
        for net in (self.net, self.average.module):
            own = net.state_dict()
            fitting = {name for name, value in weights.items() if name in own and own[name].shape == value.shape}
            if unfit := [name for name in weights if name not in fitting and not name.startswith(HEADS)]:
                raise RecipeError(f"the other run's network has another shape ({', '.join(unfit)}): take its model settings")
            net.load_state_dict({name: weights[name] for name in fitting}, strict=False)
        self.first_sample = other.all_samples

    @property
    def all_samples(self) -> int:
        """Crops that made the weights, those of the run it started from included."""
        return self.first_sample + self.samples_seen

    @property
    def exported_net(self) -> Method:
        """The averaged network in evaluation mode."""
        return self.average.module.eval()

    def setup(self, stage: str) -> None:
        """Opens the training data: how many samples an epoch has decides the schedule."""
        kind = self.net.crop_kind
        crops, source, self.epoch_samples = training_crops(self.recipe.seed, self.recipe.data, kind)
        self.crops = Prepared(crops, source, skeleton(self.recipe.skeleton), self.net.inputs_of, kind)

    def train_dataloader(self) -> DataLoader:
        loop, world = self.recipe.loop, self.trainer.world_size
        return endless_loader(self.crops, loop.batch_size // world, self.all_samples, self.global_rank, world, loop.workers)

    def validation_crops(self) -> dict[str, Tensor]:
        """What the error is measured on while training, stacked, with the network's inputs.

        :raises RecipeError: no labels among them, though the error decides the rate or the end of the run
        """
        recipe = self.recipe
        crops, source, _ = validation_crops(recipe.data, self.net.crop_kind)
        crops = relabelled(crops, source, skeleton(recipe.skeleton))
        needed = recipe.optim.schedule == "plateau" or recipe.budget.plateau_epochs
        if needed and not crops["joint_weight"].any():
            raise RecipeError(
                f"{recipe.data.source} {recipe.data.validation_split} has no labels to tell a plateau by: give "
                f"data.validation_split one that has, or data.holdout_every a number, or another optim.schedule and "
                f"budget.plateau_epochs 0"
            )
        if recipe.side == "right":
            crops = as_right_hands(crops)
        return to_tensors(crops | self.net.inputs_of(crops[self.net.crop_kind]))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return optimizer(self.recipe.optim, self.net.parameters())

    def progress_of(self, samples: int, elapsed_s: float) -> float:
        """The share of the budget that is spent."""
        budget = self.recipe.budget
        if budget.minutes:
            return elapsed_s / (60 * budget.minutes)
        return samples / (budget.samples or budget.epochs * self.epoch_samples)

    def on_train_start(self) -> None:
        if self.all_samples == 0:  # neither resumed nor started from another run's weights
            self.net.prepare_training(self.crops)
            self.average.module.load_state_dict(self.net.state_dict())
        # Drop-out must not hide the same values in every process, nor again after a resume.
        torch.manual_seed(_seed(self.recipe.seed, self.all_samples, self.global_rank))
        self._started = time.monotonic() - self.elapsed_s
        self.average.eval()

    def on_train_batch_start(self, batch: dict[str, Tensor], batch_idx: int) -> int | None:
        """Sets the rate; ends the run (-1) when the budget is spent. The first process's clock counts for all."""
        self.elapsed_s = self._first_process(time.monotonic() - self._started)
        self.progress = self.progress_of(self.samples_seen, self.elapsed_s)
        patience, last_stage = self.recipe.budget.plateau_epochs, self.plateau.stage == self.net.stage(1.0)
        if self.progress >= 1 or (patience and last_stage and self.plateau.epochs_since_best >= patience):
            self.trainer.should_stop = True
            return -1
        # A stage begins with the rate of the beginning, and not at the end of its first epoch, when `plateau` is told of it.
        drops = self.plateau.drops if self.plateau.stage == self.net.stage(self.progress) else 0
        clock = Clock(self.progress, self.samples_seen // self.epoch_samples, drops)
        for group in self.optimizers().param_groups:
            group["lr"] = learning_rate(self.recipe.optim, clock)
        return None

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        if self.recipe.side == "right":  # the joints of left hands are left to mirroring
            batch = batch | {"teaches": batch["teaches"] * ((batch["present"] == 0) | (batch["right_side"] == 1))}
        terms, joints = self.net.losses(self.net(channels_last(batch)), batch, self.progress)
        loss = sum(terms.values())
        self.log("loss", loss, prog_bar=True)
        for name, value in terms.items():
            self.log(name, value)
        self.log("mean_error_mm", 1000 * joint_error_m(joints, batch), prog_bar=True)
        self.log("learning_rate", self.optimizers().param_groups[0]["lr"])
        self.log("samples", float(self.samples_seen))
        return loss

    def optimizer_step(self, *args: Any, **kwargs: Any) -> None:
        """One step; counted here, and not at the batch's end, which comes after the callbacks have saved."""
        super().optimizer_step(*args, **kwargs)
        self.samples_seen += self.recipe.loop.batch_size // self.trainer.world_size * self.trainer.world_size
        self.average.update_parameters(self.net)

    def validated(self, error_m: float) -> None:
        """An epoch ended with this validation error in the first process, whose word counts for all."""
        stage = self.net.stage(self.progress)
        self.plateau = self.plateau.after(self._first_process(error_m), self.recipe.optim.decay_epochs, stage)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["run"] = {
            "first_sample": self.first_sample,
            "samples_seen": self.samples_seen,
            "elapsed_s": self.elapsed_s,
            "plateau": dataclasses.asdict(self.plateau),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        run = checkpoint["run"]
        self.first_sample, self.samples_seen = run.get("first_sample", 0), run["samples_seen"]
        self.elapsed_s = run["elapsed_s"]
        self.plateau = Plateau(**run["plateau"])

    @torch.no_grad()
    def _average(self, averaged: list[Tensor], current: list[Tensor], count: Tensor | int) -> None:
        decay = min(self.recipe.optim.average_decay, (1 + int(count)) / (10 + int(count)))
        if averaged[0].is_floating_point():
            torch._foreach_lerp_(averaged, current, 1 - decay)
        else:  # batch norm's counters
            torch._foreach_copy_(averaged, current)

    def _first_process(self, value: float) -> float:
        if self.trainer.world_size == 1:
            return value
        shared = torch.tensor([value], dtype=torch.float64, device=self.device)
        torch.distributed.broadcast(shared, 0)
        return float(shared)


def channels_last(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    """A batch with its images channels last, the faster order for convolutions."""
    images = {name: value for name, value in batch.items() if value.dim() == 4}
    return batch | {name: value.to(memory_format=torch.channels_last) for name, value in images.items()}


def load_task(checkpoint: Path, overrides: Sequence[str] = ()) -> HandPoseTask:
    """The task of a checkpoint, on the CPU, ready to evaluate.

    :param overrides: of its recipe, as `load_recipe` takes them; what changes the weights' shapes does not load
    :raises RecipeError: no such file, or no checkpoint of this package
    """
    if not checkpoint.is_file():
        raise RecipeError(f"checkpoint {checkpoint}: no such file; `hand-pose-train fit` writes one")
    how = {"map_location": "cpu", "weights_only": False, "pretrained": False}
    try:
        task = HandPoseTask.load_from_checkpoint(checkpoint, **how)
    except (KeyError, TypeError, RuntimeError, EOFError, pickle.UnpicklingError, RecipeError) as error:
        raise RecipeError(f"checkpoint {checkpoint} is not one of this version of hand_pose_training: {error}") from error
    if overrides:
        recipe = overridden(dataclasses.asdict(task.recipe), overrides)
        try:
            task = HandPoseTask.load_from_checkpoint(checkpoint, **how, recipe=recipe)
        except RuntimeError as error:
            raise RecipeError(f"checkpoint {checkpoint}: --{' --'.join(overrides)} needs other weights: {error}") from None
    return task.eval()


def _seed(*numbers: int) -> int:
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])
