"""`hand-pose-train centers`: where a trained network finds the hand in every frame of a split, as a file that the dataset's
reader takes (`center`)."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml
from torch.utils.data import Subset
from tqdm import tqdm

from hand_pose_training.data import joints_m, stacked
from hand_pose_training.datasets.catalog import entry, open_dataset
from hand_pose_training.datasets.centers import CENTER_OF_MASS, write_centers
from hand_pose_training.datasets.depth_crops import CropSettings, DepthCrops
from hand_pose_training.datasets.depth_dataset import DepthDataset
from hand_pose_training.datasets.sample import DatasetError
from hand_pose_training.evaluate import raw_outputs
from hand_pose_training.methods.densereg_detector import crop_center
from hand_pose_training.methods.method import Method
from hand_pose_training.recipe import Recipe, RecipeError
from hand_pose_training.task import load_task

BATCH = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train centers`."""
    parser.add_argument("checkpoint", type=Path, help="of a network that finds the hand, for example runs/center_nyu/final.ckpt")
    parser.add_argument("--dataset", required=True, metavar="NAME", help="one of depth images, of `hand-pose-train datasets`")
    parser.add_argument("--root", type=Path, help="its folder (default: that of training)")
    parser.add_argument("--split", required=True, help="as `hand-pose-train datasets` lists them")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="of the dataset's reader (default: as in training; for another dataset the centre of mass)",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="read with center=FILE")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train centers`."""
    task = load_task(args.checkpoint)
    check(task.net, task.recipe.side, args.dataset)
    if not args.out.parent.is_dir():
        raise RecipeError(f"--out {args.out}: the folder {args.out.parent} does not exist; make it first")
    root = args.root or task.recipe.data.root
    frames = open_dataset(args.dataset, root, args.split, **reader_options(task.recipe, args.dataset, args.option))
    centers = split_centers(frames, find_centers(task.exported_net, frames, task.recipe.data.size))
    write_centers(args.out, centers, frames.y_up)
    found = int(np.isfinite(centers).all(axis=1).sum())
    print(f"{args.out}: centres of {found} of {len(centers)} frames, looked for about: {frames.center_source}")
    return 0


def check(net: Method, side: str, dataset: str) -> None:
    """:raises RecipeError, DatasetError: a network or dataset of colour images, or a network that knows right hands alone"""
    if net.crop_kind != "depth_crop" or side != "unknown":
        raise RecipeError("a network of depth crops that takes hands of both sides is needed (side: unknown)")
    if entry(dataset).image != "depth":
        raise DatasetError(f"{dataset} has no depth images; centres are for datasets that have")


def reader_options(recipe: Recipe, dataset: str, texts: list[str]) -> dict[str, Any]:
    """Options of the dataset's reader: those of training, or the centre of mass, then "KEY=VALUE" with YAML values.

    :raises RecipeError: a text of another form
    """
    options = dict(recipe.data.options) if recipe.data.source == dataset else {"center": CENTER_OF_MASS}
    for text in texts:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise RecipeError(f"--option {text}: write KEY=VALUE, such as --option subject=3")
        options[key] = yaml.safe_load(value)
    return options


def find_centers(net: Method, frames: DepthDataset, size: int) -> np.ndarray:
    """Centres (N, 3) in metres, camera optical frame: the one joint of a centre network, or the median of the joints that a
    detector finds; NaN for frames in which there was nothing to look at.

    :param size: S, pixels an edge of the network's crop
    """
    crops, parts = DepthCrops(frames, settings=CropSettings(size)), []
    for start in tqdm(range(0, len(crops), BATCH), desc="frames", unit_scale=BATCH, disable=None):
        batch = stacked(Subset(crops, range(start, min(start + BATCH, len(crops)))))
        joints = torch.as_tensor(raw_outputs(net, batch["depth_crop"])["joints"])
        centers = joints_m(batch, crop_center(joints)[:, None].numpy())[:, 0]
        parts.append(np.where(batch["present"][:, None] > 0, centers, np.nan))
    return np.concatenate(parts)


def split_centers(frames: DepthDataset, centers: np.ndarray) -> np.ndarray:
    """Centres of all frames of the split, NaN for those that were left out, from those (N, 3) of the others."""
    if frames.rows is None:
        return centers
    out = np.full((frames.frames, 3), np.nan)
    out[frames.rows] = centers
    return out
