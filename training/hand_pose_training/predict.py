"""`hand-pose-train predict`: what a model finds in every frame of a dataset's split, as a file for `score` and `submit`."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import yaml
from torch.utils.data import Subset
from tqdm import tqdm

from hand_pose_ros.inference.engine import Engine, load_engine
from hand_pose_ros.perception.inputs import crop_kind, crop_size, network_inputs
from hand_pose_ros.skeleton import remap, skeleton
from hand_pose_training.data import joints_m, stacked
from hand_pose_training.datasets.catalog import open_dataset
from hand_pose_training.datasets.depth_crops import CropSettings, DepthCrops
from hand_pose_training.datasets.depth_dataset import DepthDataset
from hand_pose_training.datasets.rgb_crops import RgbCrops, RgbCropSettings
from hand_pose_training.datasets.sample import Dataset, DatasetError
from hand_pose_training.sides import answers

BATCH = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train predict`."""
    parser.add_argument("model", type=Path, help="model (.onnx)")
    parser.add_argument("--dataset", required=True, metavar="NAME", help="of `hand-pose-train datasets`")
    parser.add_argument("--root", type=Path, required=True, help="its folder")
    parser.add_argument("--split", required=True, help="as `hand-pose-train datasets` lists them")
    parser.add_argument(
        "--option", action="append", default=[], metavar="KEY=VALUE", help="of the dataset's reader; a wrong one lists them"
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help=".npz: joints (N, J, 3) in metres, camera optical frame, and names (N,); .txt: a line a frame, u v (pixels) d (mm)",
    )
    parser.add_argument("--ground-truth", type=Path, help="write the split's labels in the same way")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train predict`."""
    options = {key: yaml.safe_load(value) for key, _, value in (text.partition("=") for text in args.option)}
    frames = open_dataset(args.dataset, args.root, args.split, **options)
    joints, names, truth = predict(load_engine(args.model, "onnxruntime"), frames)
    write(args.out, joints, names, frames)
    if args.ground_truth:
        write(args.ground_truth, truth, names, frames)
    print(f"{args.out}: {len(joints)} frames of {args.dataset} {args.split}; centre of the crops: {frames[0].center_source}")
    return 0


def predict(engine: Engine, frames: Dataset) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Joints (N, J, 3) in metres, camera optical frame, in the order of the dataset's skeleton; the frames' names; the labels.

    NaN for joints that the model or the labels do not have.

    :raises DatasetError: a frame cannot be read, or has no centre to crop about
    """
    card, kind = engine.card, crop_kind(engine.card)
    if kind == "rgb_crop":
        crops = RgbCrops(frames, settings=RgbCropSettings(crop_size(card)))
    else:
        crops = DepthCrops(frames, settings=CropSettings(crop_size(card)))
    found, names, truth = [], [], []
    for start in tqdm(range(0, len(frames), BATCH), desc="frames", unit="batch"):
        rows = range(start, min(start + BATCH, len(frames)))
        batch = stacked(Subset(crops, rows))
        if not batch["present"].all():
            missing = frames[rows[int(np.argmin(batch["present"]))]].name
            raise DatasetError(f"frame {missing}: no centre to crop about; name a file of centres, --option center=FILE")
        joints = answers(lambda chunk: engine.infer(network_inputs(card, chunk)), batch[kind], card.side)["joints"]
        found.append(remap(joints_m(batch, joints), skeleton(card.skeleton), frames.skeleton))
        labels = np.where(batch["joint_weight"][..., None] > 0, joints_m(batch, batch["joints"]), np.nan)
        truth.append(labels)
        names += [frames[row].name for row in rows]
    return np.concatenate(found), names, np.concatenate(truth)


def write(path: Path, joints: np.ndarray, names: list[str], frames: Dataset) -> None:
    """The joints (N, J, 3) in metres as `score` reads them, by the file's ending.

    :raises DatasetError: another ending than .npz and .txt, or .txt for a dataset whose frames have cameras of their own
    """
    if path.suffix == ".npz":
        np.savez(path, joints=joints, names=np.array(names))
    elif path.suffix == ".txt":
        if not isinstance(frames, DepthDataset):
            raise DatasetError(f"{path}: colour images have cameras of their own, which such a file does not tell; write .npz")
        depth = 1000 * joints[..., 2:]
        rows = np.concatenate([frames.camera.project(joints), depth], axis=-1).reshape(len(joints), -1)
        np.savetxt(path, rows, fmt="%.4f")
    else:
        raise DatasetError(f"{path}: predictions go to .npz or .txt")
