"""The training step as a LightningModule: schedule over a budget, dense then joint supervision, averaged weights."""

from __future__ import annotations

import dataclasses
import math
import pickle
import time
from pathlib import Path
from typing import Any

import lightning
import torch
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader

from hand_pose_training.data import training_loader
from hand_pose_training.losses import dense_loss, hand_loss, joint_error_m, joint_loss
from hand_pose_training.methods.awr import Awr
from hand_pose_training.recipe import OptimSettings, Recipe, RecipeError, build


def learning_rate(optim: OptimSettings, progress: float) -> float:
    """Rate at `progress` (0 to 1) of the budget: linear warm-up, then a cosine to 0."""
    if progress < optim.warmup:
        return optim.learning_rate * max(progress / optim.warmup, 0.01)
    share = min((progress - optim.warmup) / (1 - optim.warmup), 1.0)
    return optim.learning_rate * 0.5 * (1 + math.cos(math.pi * share))


class HandPoseTask(lightning.LightningModule):
    """Trains one network by a recipe.

    `net` learns; `average` is the running average of its weights, and what is evaluated and exported. `samples_seen`
    and `elapsed_s` come with the checkpoint, so a resumed run goes on with crops it has not seen and the same schedule.
    """

    def __init__(self, recipe: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.recipe: Recipe = build(Recipe, recipe, "recipe of the checkpoint")
        torch.manual_seed(self.recipe.seed)
        self.net = Awr(self.recipe.model).to(memory_format=torch.channels_last)
        self.average = AveragedModel(self.net, multi_avg_fn=self._average, use_buffers=True).requires_grad_(False)
        self.samples_seen, self.elapsed_s, self.progress = 0, 0.0, 0.0
        self._started = 0.0

    @classmethod
    def from_recipe(cls, recipe: Recipe) -> HandPoseTask:
        """A fresh task."""
        return cls(dataclasses.asdict(recipe))

    def start_from(self, other: HandPoseTask) -> None:
        """Takes the averaged weights of another run (layers that it lacks stay new) and goes on after its samples."""
        weights = other.exported_net.state_dict()
        for net in (self.net, self.average.module):
            missing, surplus = net.load_state_dict(weights, strict=False)
            if surplus or any(not name.startswith("hand_head.") for name in missing):
                raise RecipeError(
                    f"the other run's network has another shape (missing {missing}, surplus {surplus}): take its model settings"
                )
        self.samples_seen = other.samples_seen

    @property
    def exported_net(self) -> Awr:
        """The averaged network in evaluation mode."""
        return self.average.module.eval()

    def train_dataloader(self) -> DataLoader:
        world = self.trainer.world_size
        batch = self.recipe.loop.batch_size // world
        return training_loader(self.recipe.seed, self.recipe.data, batch, self.samples_seen, self.global_rank, world)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        optim = self.recipe.optim
        return torch.optim.AdamW(self.net.parameters(), lr=optim.learning_rate, weight_decay=optim.weight_decay, fused=True)

    def progress_of(self, samples: int, elapsed_s: float) -> float:
        """The share of the budget that is spent."""
        budget = self.recipe.budget
        return samples / budget.samples if budget.samples else elapsed_s / (60 * budget.minutes)

    def on_train_start(self) -> None:
        self._started = time.monotonic() - self.elapsed_s
        self.average.eval()

    def on_train_batch_start(self, batch: dict[str, torch.Tensor], batch_idx: int) -> int | None:
        """Sets the rate; ends the run (-1) when the budget is spent. The first process's clock counts for all."""
        self.elapsed_s = self._first_process(time.monotonic() - self._started)
        self.progress = self.progress_of(self.samples_seen, self.elapsed_s)
        if self.progress >= 1:
            self.trainer.should_stop = True
            return -1
        for group in self.optimizers().param_groups:
            group["lr"] = learning_rate(self.recipe.optim, self.progress)
        return None

    def training_step(self, batch: dict[str, torch.Tensor], batch_idx: int) -> torch.Tensor:
        optim, crop = self.recipe.optim, batch["depth_crop"].to(memory_format=torch.channels_last)
        loss, with_joints = torch.zeros(()), self.progress >= optim.dense_only
        found = self.net(crop)
        teach = self._teaches_joints(batch)
        taught = {key: value[teach] for key, value in batch.items()}
        for dense in found.dense:
            on_maps = dense_loss(self.net, dense[teach], taught, optim.huber_beta)
            loss = loss + on_maps
            joints = self.net.decode(taught["depth_crop"], dense[teach])
            if with_joints:
                loss = loss + optim.joint_weight * joint_loss(joints, taught, optim.huber_beta)
        if found.hand is not None:
            on_hand = hand_loss(found.hand, batch, self.recipe.data.right_hands)
            loss = loss + optim.hand_weight * on_hand
            self.log("hand_loss", on_hand)
        self.log("loss", loss, prog_bar=True)
        self.log("dense_loss", on_maps)
        self.log("mean_error_mm", 1000 * joint_error_m(joints, taught), prog_bar=True)
        self.log("learning_rate", self.optimizers().param_groups[0]["lr"])
        self.log("samples", float(self.samples_seen))
        return loss

    def _teaches_joints(self, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """(N,) bool: all crops, but not those of the side that this recipe leaves to mirroring."""
        if self.recipe.side == "right":
            return (batch["present"] == 0) | (batch["right_side"] == 1)
        return torch.ones_like(batch["present"], dtype=torch.bool)

    def on_train_batch_end(self, outputs: Any, batch: dict[str, torch.Tensor], batch_idx: int) -> None:
        self.samples_seen += self.recipe.loop.batch_size // self.trainer.world_size * self.trainer.world_size
        self.average.update_parameters(self.net)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        checkpoint["run"] = {"samples_seen": self.samples_seen, "elapsed_s": self.elapsed_s}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        self.samples_seen, self.elapsed_s = checkpoint["run"]["samples_seen"], checkpoint["run"]["elapsed_s"]

    @torch.no_grad()
    def _average(self, averaged: list[torch.Tensor], current: list[torch.Tensor], count: torch.Tensor | int) -> None:
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


def load_task(checkpoint: Path) -> HandPoseTask:
    """The task of a checkpoint, on the CPU, ready to evaluate.

    :raises RecipeError: no such file, or no checkpoint of this package
    """
    if not checkpoint.is_file():
        raise RecipeError(f"checkpoint {checkpoint}: no such file; `hand-pose-train fit` writes one")
    try:
        return HandPoseTask.load_from_checkpoint(checkpoint, map_location="cpu", weights_only=False).eval()
    except (KeyError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise RecipeError(f"checkpoint {checkpoint} is not one of this version of hand_pose_training: {error}") from error
