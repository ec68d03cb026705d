"""What a training run does beside training: a progress bar, checkpoints, validation."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import lightning
import torch
from tqdm import tqdm

from hand_pose_training.losses import joint_error_m, joint_weights
from hand_pose_training.optim import cooling
from hand_pose_training.task import HandPoseTask

LAST, FINAL, WARM = "last.ckpt", "final.ckpt", "warm.ckpt"
BATCH = 64  # crops of a validation step
BAR = "{desc} {percentage:5.1f}% |{bar:20}| {elapsed}<{remaining}{postfix}"


class Progress(lightning.Callback):
    """A bar over the budget, in the first process; every half minute where the output is no terminal."""

    def on_train_start(self, trainer: lightning.Trainer, task: HandPoseTask) -> None:
        interval_s = 0.5 if sys.stderr.isatty() else 30
        first = 100 * task.progress_of(task.samples_seen, task.elapsed_s)
        quiet = not trainer.is_global_zero
        self.bar = tqdm(total=100.0, initial=first, desc="training", disable=quiet, mininterval=interval_s, bar_format=BAR)

    def on_train_batch_end(self, trainer: lightning.Trainer, task: HandPoseTask, *_: Any) -> None:
        if trainer.global_step % trainer.log_every_n_steps == 0 and not self.bar.disable:
            seen = trainer.callback_metrics
            loss, error_mm = float(seen["loss"]), float(seen["mean_error_mm"])
            self.bar.set_postfix_str(f"{task.samples_seen:,} crops, loss {loss:.3f}, {error_mm:.1f} mm", refresh=False)
            self.bar.update(100 * task.progress - self.bar.n)

    def on_train_end(self, trainer: lightning.Trainer, task: HandPoseTask) -> None:
        self.bar.close()


class Checkpoints(lightning.Callback):
    """Validates and saves every few minutes and at the end of every epoch, and before a cool-down; a half-written file never
    replaces a good one."""

    def __init__(self, out: Path) -> None:
        self.out, self.saved_s, self.epoch, self.crops, self.cooling = out, 0.0, 0, None, False

    def on_train_start(self, trainer: lightning.Trainer, task: HandPoseTask) -> None:
        self.saved_s, self.epoch = task.elapsed_s, task.samples_seen // task.epoch_samples
        self.cooling = cooling(task.recipe.optim, task.progress_of(task.samples_seen, task.elapsed_s))
        if trainer.is_global_zero:
            self.crops = task.validation_crops()

    def on_train_batch_end(self, trainer: lightning.Trainer, task: HandPoseTask, *_: Any) -> None:
        epoch = task.samples_seen // task.epoch_samples
        if epoch > self.epoch or task.elapsed_s - self.saved_s >= 60 * task.recipe.loop.checkpoint_minutes:
            error_m = self.validate(trainer, task)
            if epoch > self.epoch:
                task.validated(error_m)
            self.saved_s, self.epoch = task.elapsed_s, epoch
            self.save(trainer, LAST)
        if not self.cooling and cooling(task.recipe.optim, task.progress_of(task.samples_seen, task.elapsed_s)):
            self.cooling = True
            self.save(trainer, WARM)

    def on_train_end(self, trainer: lightning.Trainer, task: HandPoseTask) -> None:
        self.validate(trainer, task)
        self.save(trainer, FINAL)

    def validate(self, trainer: lightning.Trainer, task: HandPoseTask) -> float:
        """The averaged network's mean error on the validation crops in metres, also logged; NaN in all but the first process."""
        if not trainer.is_global_zero:
            return float("nan")
        error_m = validation_error_m(task, self.crops)
        for logger in trainer.loggers:
            logger.log_metrics({"validation_mean_error_mm": 1000 * error_m}, trainer.global_step)
        minutes = task.elapsed_s / 60
        tqdm.write(f"{minutes:.1f} min, {task.samples_seen:,} crops: validation {1000 * error_m:.1f} mm", file=sys.stderr)
        return error_m

    def save(self, trainer: lightning.Trainer, name: str) -> None:
        """Writes OUT/name."""
        half = self.out / f".{name}.half"
        trainer.save_checkpoint(half)
        if trainer.is_global_zero:
            os.replace(half, self.out / name)


@torch.no_grad()
def validation_error_m(task: HandPoseTask, crops: dict[str, torch.Tensor]) -> float:
    """Mean joint error of the averaged network in metres (as `joint_error_m`); NaN without a label."""
    if not joint_weights(crops).any():
        return float("nan")
    parts = []
    for start in range(0, len(crops["joints"]), BATCH):
        batch = {key: value[start : start + BATCH].to(task.device) for key, value in crops.items()}
        parts.append(task.exported_net.predict(batch).joints.cpu())
    return float(joint_error_m(torch.cat(parts), crops))
