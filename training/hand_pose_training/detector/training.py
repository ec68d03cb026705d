"""`hand-pose-train fit-detector`: trains a detector by a recipe, with checkpoints, resume and averaged weights."""

from __future__ import annotations

import argparse
import copy
import dataclasses
import os
import pickle
import sys
import time
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from hand_pose_training.callbacks import BAR, FINAL, LAST
from hand_pose_training.data import endless_loader
from hand_pose_training.detector.frames import HELD_OUT, SyntheticFrames
from hand_pose_training.detector.measure import measure, peaks_of
from hand_pose_training.detector.network import HandCenterNet
from hand_pose_training.detector.recipe import DetectorRecipe, load_detector_recipe
from hand_pose_training.detector.targets import losses, mirrored_elsewhere
from hand_pose_training.optim import Clock, learning_rate, optimizer
from hand_pose_training.recipe import RecipeError, build

VALIDATION_SEED, VALIDATION_FRAMES = 2_000_013, 300
_ENDLESS = 1 << 40


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train fit-detector`."""
    parser.add_argument(
        "--config",
        type=Path,
        required=True,
        metavar="YAML",
        help="recipe, for example training/detector/hand_detector.yaml",
    )
    parser.add_argument("--out", type=Path, help="run folder (default: runs/NAME)")
    parser.add_argument("--init", type=Path, metavar="CKPT", help="start from the weights of another run, with a fresh schedule")
    parser.add_argument("--resume", action="store_true", help="go on from the run folder's newest checkpoint")
    parser.epilog = "Every key of the recipe can be changed: --optim.learning_rate=0.002 --budget.minutes=5"


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train fit-detector`: trains, writing OUT/last.ckpt now and then and OUT/final.ckpt at the end."""
    recipe = load_detector_recipe(args.config, args.overrides)
    out = args.out or Path("runs") / recipe.name
    if args.resume and not (out / LAST).is_file():
        raise RecipeError(f"checkpoint {out / LAST}: no such file; leave out --resume to start afresh")
    if not args.resume and any(out.glob("*.ckpt")):
        raise RecipeError(f"{out} holds a run: go on with it by --resume, or choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    fit(recipe, out, resume=args.resume, init=args.init)
    return 0


class DetectorRun:
    """A network that learns, the running average of its weights, and how far it is.

    :ivar average: what is evaluated and exported
    :ivar first_sample: frames that the run it started from has seen
    """

    def __init__(self, recipe: DetectorRecipe) -> None:
        self.recipe = recipe
        torch.manual_seed(recipe.seed)
        self.net = HandCenterNet(recipe.network).to(memory_format=torch.channels_last)
        self.average = copy.deepcopy(self.net).requires_grad_(False).eval()
        self.optimizer = optimizer(recipe.optim, self.net.parameters())
        self.first_sample, self.samples_seen, self.steps, self.elapsed_s = 0, 0, 0, 0.0

    @property
    def progress(self) -> float:
        """The share of the budget that is spent."""
        budget = self.recipe.budget
        return self.elapsed_s / (60 * budget.minutes) if budget.minutes else self.samples_seen / budget.samples

    def step(self, batch: dict[str, torch.Tensor]) -> dict[str, float]:
        """Learns from one batch, `DetectorRecipe.reuse` times; the last losses."""
        for turn in range(self.recipe.reuse):
            if turn:
                low, high = self.recipe.elsewhere
                scale = torch.empty(len(batch["focal_px"])).uniform_(low, high)
                batch = mirrored_elsewhere(batch, scale)
            terms = self._learn(batch)
        self.samples_seen += len(batch["focal_px"])
        return terms

    def _learn(self, batch: dict[str, torch.Tensor]) -> dict[str, float]:
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate(self.recipe.optim, Clock(self.progress, 0))
        self.net.train()
        frames = batch["depth_frame"].to(memory_format=torch.channels_last)
        frames, valid = self.net.seen(frames)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.loop.bf16):
            answer = self.net.answer(frames, valid, batch["focal_px"])
        terms = losses(self.net.maps(answer, frames, valid), batch)
        loss = sum(terms.values())
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.steps += 1
        decay = min(self.recipe.optim.average_decay, (1 + self.steps) / (10 + self.steps))
        with torch.no_grad():
            mean, now = list(self.average.parameters()), list(self.net.parameters())
            torch._foreach_lerp_(mean, now, 1 - decay)
            for mean, now in zip(self.average.buffers(), self.net.buffers()):
                mean.lerp_(now, 1 - decay) if mean.is_floating_point() else mean.copy_(now)
        return {name: float(term.detach()) for name, term in {"loss": loss, **terms}.items()}

    def state(self) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "detector_recipe": dataclasses.asdict(self.recipe),
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "run": (self.first_sample, self.samples_seen, self.steps, self.elapsed_s),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Goes on from a checkpoint of the same network."""
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.first_sample, self.samples_seen, self.steps, self.elapsed_s = state["run"]


def fit(recipe: DetectorRecipe, out: Path, *, resume: bool = False, init: Path | None = None) -> DetectorRun:
    """Trains `recipe` in the run folder `out`; the run with its final weights.

    :param resume: go on from OUT/last.ckpt: weights, optimiser, samples and schedule
    :param init: a checkpoint whose averaged weights are taken, and whose frames are not seen again
    """
    torch.set_num_threads(1)
    run = DetectorRun(recipe)
    terms: dict[str, float] = {}
    if resume:
        run.load(read_checkpoint(out / LAST))
    elif init:
        other = read_checkpoint(init)
        for net in (run.net, run.average):
            net.load_state_dict(other["average"])
        run.first_sample = sum(other["run"][:2])
    torch.manual_seed(recipe.seed + run.samples_seen)  # a resumed run draws other distances
    frames = SyntheticFrames(recipe.seed, _ENDLESS, recipe.frames)
    loader = endless_loader(frames, recipe.loop.batch_size, run.first_sample + run.samples_seen, workers=recipe.loop.workers)
    validation = [SyntheticFrames(VALIDATION_SEED, VALIDATION_FRAMES, HELD_OUT).frame(i) for i in range(VALIDATION_FRAMES)]
    bar = tqdm(total=100.0, desc="training", mininterval=0.5 if sys.stderr.isatty() else 30, bar_format=BAR)
    started, saved_s = time.monotonic() - run.elapsed_s, run.elapsed_s
    for batch in loader:
        if run.progress >= 1:
            break
        terms = run.step(batch)
        run.elapsed_s = time.monotonic() - started
        if run.steps % recipe.loop.log_steps == 0:
            bar.set_postfix_str(f"{run.samples_seen:,} frames, loss {terms['loss']:.3f}", refresh=False)
            bar.update(100 * min(run.progress, 1.0) - bar.n)
        if run.elapsed_s - saved_s > 60 * recipe.loop.checkpoint_minutes:
            saved_s = run.elapsed_s
            save(run, out / LAST)
            report(run, terms, validation)
    bar.close()
    save(run, out / FINAL)
    report(run, terms, validation)
    return run


def report(run: DetectorRun, terms: dict[str, float], validation: list[Any]) -> None:
    """Says how good the averaged network is on the validation frames."""
    figures = measure(validation, peaks_of(run.average, validation))
    said = ", ".join(f"{name} {value:.3f}" for name, value in terms.items())
    tqdm.write(f"{run.elapsed_s / 60:.1f} min, {run.samples_seen:,} frames: {said}; {figures.text}", file=sys.stderr)


def save(run: DetectorRun, path: Path) -> None:
    """Writes a checkpoint; a half-written file never replaces a good one."""
    half = path.with_name(f".{path.name}.half")
    torch.save(run.state(), half)
    os.replace(half, path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What `DetectorRun.state` gave.

    :raises RecipeError: no such file, or no checkpoint of a detector
    """
    if not path.is_file():
        raise RecipeError(f"checkpoint {path}: no such file; `hand-pose-train fit-detector` writes one")
    try:
        state = torch.load(path, map_location="cpu", weights_only=False)
        state["detector_recipe"]
    except (KeyError, TypeError, RuntimeError, EOFError, pickle.UnpicklingError) as error:
        raise RecipeError(f"checkpoint {path} is not one of a detector of this version: {error}") from error
    return state


def load_run(path: Path) -> DetectorRun:
    """The run of a checkpoint, ready to evaluate.

    :raises RecipeError: as `read_checkpoint`, or settings that this version does not know
    """
    state = read_checkpoint(path)
    run = DetectorRun(build(DetectorRecipe, state["detector_recipe"], str(path)))
    run.load(state)
    return run
