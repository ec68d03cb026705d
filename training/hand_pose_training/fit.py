"""A training run: processes, log, checkpoints, resume."""

from __future__ import annotations

import argparse
import ctypes
import logging
import os
import sys
import warnings
from pathlib import Path

import lightning
import torch
from lightning.pytorch.loggers import CSVLogger, TensorBoardLogger
from lightning.pytorch.strategies import DDPStrategy

from hand_pose_training.callbacks import LAST, Checkpoints, Progress
from hand_pose_training.recipe import LoopSettings, Recipe, RecipeError, load_recipe
from hand_pose_training.task import HandPoseTask, load_task

LEAST_SHARE = 4  # crops of a batch to a process where it is not said how many processes there are
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train fit`."""
    parser.add_argument(
        "--config", type=Path, required=True, metavar="YAML", help="recipe, for example training/configs/awr/resnet18.yaml"
    )
    parser.add_argument("--out", type=Path, help="run folder (default: runs/NAME)")
    parser.add_argument("--init", type=Path, metavar="CKPT", help="start from the weights of another run, with a fresh schedule")
    parser.add_argument("--resume", metavar="CKPT", help="go on from a checkpoint, or from the run folder's newest: last")
    parser.epilog = "Every key of the recipe can be changed: --optim.learning_rate=0.002 --data.size=128"


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train fit`: trains, writing OUT/last.ckpt now and then, OUT/warm.ckpt before a cool-down, and OUT/final.ckpt at
    the end."""
    recipe = load_recipe(args.config, args.overrides)
    out = args.out or Path("runs") / recipe.name
    resume = None
    if args.resume:
        resume = out / LAST if args.resume == "last" else Path(args.resume)
        if not resume.is_file():
            raise RecipeError(f"checkpoint {resume}: no such file; leave out --resume to start afresh")
    elif any(out.glob("*.ckpt")) and "LOCAL_RANK" not in os.environ:
        raise RecipeError(f"{out} holds a run: go on with it by --resume last, or choose another --out")
    fit(recipe, out, resume, args.init)
    return 0


def fit(recipe: Recipe, out: Path, resume: Path | None = None, init: Path | None = None) -> HandPoseTask:
    """Trains `recipe` in the run folder `out`; returns the task with its final weights.

    :param resume: a checkpoint to go on from: weights, optimiser, samples and schedule
    :param init: a checkpoint whose weights alone are taken
    """
    keep_memory()
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    # Said of every run: crops are made in the training process, and LeafSpec is Lightning's own affair.
    warnings.filterwarnings("ignore", message=".*does not have many workers.*|.*LeafSpec.*|.*ended before the epoch ended.*")
    out.mkdir(parents=True, exist_ok=True)
    gpu = torch.cuda.is_available()
    processes = process_count(recipe.loop, torch.cuda.device_count() if gpu else len(os.sched_getaffinity(0)))
    parallel = processes * recipe.loop.nodes > 1
    trainer = lightning.Trainer(
        accelerator="gpu" if gpu else "cpu",
        devices=processes,
        num_nodes=recipe.loop.nodes,
        strategy=DDPStrategy(forward_sync_buffers=False, gradient_as_bucket_view=True) if parallel else "auto",
        precision="bf16-mixed" if recipe.loop.bf16 else "32-true",
        max_epochs=-1,  # the task ends the run, by its budget
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        logger=[CSVLogger(out, name="csv"), TensorBoardLogger(out, name="tensorboard")],
        log_every_n_steps=recipe.loop.log_steps,
        callbacks=[Progress(), Checkpoints(out)],
    )
    task = HandPoseTask.from_recipe(recipe)
    if init:
        task.start_from(load_task(init))
    trainer.fit(task, ckpt_path=resume, weights_only=False)
    return task


def process_count(loop: LoopSettings, available: int) -> int:
    """Processes on this machine: as many as the recipe says, or as are available, divide the batch, and leave each LEAST_SHARE.

    :param available: GPUs, or CPU cores
    :raises RecipeError: the batch cannot be shared out evenly, at least two crops to each process
    """
    nodes, batch = loop.nodes, loop.batch_size
    fitting = (n for n in range(available, 1, -1) if batch % (n * nodes) == 0 and batch // (n * nodes) >= LEAST_SHARE)
    processes = loop.processes or next(fitting, 1)
    world = processes * nodes
    if batch % world or batch // world < 2 <= world:
        raise RecipeError(
            f"loop.batch_size {batch} cannot be shared by {world} processes, two crops or more to each (batch norm needs them): "
            "choose a multiple of them, or other loop.processes"
        )
    return processes


def keep_memory() -> None:
    """Tells glibc to keep freed memory: giving each large tensor back to the system costs a tenth of a CPU step."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt:
        mallopt(_M_MMAP_THRESHOLD, 2**25)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
