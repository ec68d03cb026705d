"""What a training run does beside training: a progress bar, checkpoints, validation."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import lightning
import torch
from tqdm import tqdm

from hand_pose_training.data import as_right_hands, fixed_set, to_tensors
from hand_pose_training.losses import joint_error_m
from hand_pose_training.task import HandPoseTask

LAST, FINAL = "last.ckpt", "final.ckpt"
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
    """Saves and validates every few minutes; a half-written file never replaces a good one."""

    def __init__(self, out: Path) -> None:
        self.out, self.saved_s, self.crops = out, 0.0, None

    def on_train_start(self, trainer: lightning.Trainer, task: HandPoseTask) -> None:
        self.saved_s = task.elapsed_s
        if trainer.is_global_zero:
            crops = fixed_set("validation", task.recipe.data.size)
            self.crops = to_tensors(as_right_hands(crops) if task.recipe.side == "right" else crops)

    def on_train_batch_end(self, trainer: lightning.Trainer, task: HandPoseTask, *_: Any) -> None:
        if task.elapsed_s - self.saved_s >= 60 * task.recipe.loop.checkpoint_minutes:
            self.saved_s = task.elapsed_s
            self.save(trainer, task, LAST)

    def on_train_end(self, trainer: lightning.Trainer, task: HandPoseTask) -> None:
        self.save(trainer, task, FINAL)

    def save(self, trainer: lightning.Trainer, task: HandPoseTask, name: str) -> None:
        """Writes OUT/name and logs the averaged network's error on the validation crops."""
        if trainer.is_global_zero:
            error_mm = 1000 * validation_error_m(task, self.crops)
            for logger in trainer.loggers:
                logger.log_metrics({"validation_mean_error_mm": error_mm}, trainer.global_step)
            tqdm.write(
                f"{task.elapsed_s / 60:.1f} min, {task.samples_seen:,} crops: validation {error_mm:.1f} mm", file=sys.stderr
            )
        half = self.out / f".{name}.half"
        trainer.save_checkpoint(half)
        if trainer.is_global_zero:
            os.replace(half, self.out / name)


@torch.no_grad()
def validation_error_m(task: HandPoseTask, crops: dict[str, torch.Tensor]) -> float:
    """Mean joint error of the averaged network in metres (as `joint_error_m`)."""
    crops = {key: value.to(task.device) for key, value in crops.items()}
    return float(joint_error_m(task.exported_net.predict(crops["depth_crop"]).joints, crops))
