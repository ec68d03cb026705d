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
from hand_pose_training.datasets.catalog import entry, open_dataset
from hand_pose_training.datasets.depth_crops import CropSettings, DepthCrops
from hand_pose_training.datasets.depth_dataset import DepthDataset
from hand_pose_training.datasets.rgb_crops import RgbCrops, RgbCropSettings
from hand_pose_training.datasets.sample import Dataset, DatasetError
from hand_pose_training.score.protocols import protocol_of
from hand_pose_training.sides import answers

BATCH = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train predict`."""
    parser.add_argument("model", type=Path, help="model (.onnx)")
    parser.add_argument("--dataset", required=True, metavar="NAME", help="of `hand-pose-train datasets`")
    parser.add_argument("--root", type=Path, required=True, help="its folder")
    parser.add_argument("--split", required=True, help="as `hand-pose-train datasets` lists them")
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="of the dataset's reader; a wrong one lists them. cube_m is the model's unless given (null: the dataset's own)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        help=".npz: joints (N, J, 3) in metres, camera optical frame, and names (N,); .txt: a line a frame as the benchmark has "
        "it, u v (pixels) d (mm) or x y z (mm)",
    )
    parser.add_argument("--ground-truth", type=Path, help="write the split's labels in the same way")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train predict`."""
    options = {key: yaml.safe_load(value) for key, _, value in (text.partition("=") for text in args.option)}
    engine = load_engine(args.model, "onnxruntime")
    if entry(args.dataset).image == "depth":
        options.setdefault("cube_m", engine.card.cube_m)  # what the network was trained with
    frames = open_dataset(args.dataset, args.root, args.split, **options)
    joints, names, truth = predict(engine, frames)
    write(args.out, joints, names, frames)
    if args.ground_truth:
        write(args.ground_truth, truth, names, frames)
    print(f"{args.out}: {len(joints)} frames of {args.dataset} {args.split}; centre of the crops: {frames[0].center_source}")
    if "cube_m" in options:
        print(f"edge of their cube: {options['cube_m'] or 'the dataset has its own'} m")
    if left_out := len(frames) - len(joints):
        print(f"{left_out} frames are left out: there is nothing in them to crop about")
    return 0


def predict(engine: Engine, frames: Dataset) -> tuple[np.ndarray, list[str], np.ndarray]:
    """Joints (N, J, 3) in metres, camera optical frame, in the order of the dataset's skeleton; the frames' names; the labels.

    NaN for joints that the model or the labels do not have. Frames without a centre to crop about are left out (with the centre
    of mass those in which nothing was seen, of which MSRA has some).

    :raises DatasetError: a frame cannot be read, or none has a centre
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
        seen = np.flatnonzero(batch["present"])
        if not len(seen):
            continue
        batch = {key: values[seen] for key, values in batch.items()}
        joints = answers(lambda chunk: engine.infer(network_inputs(card, chunk)), batch[kind], card.side)["joints"]
        found.append(remap(joints_m(batch, joints), skeleton(card.skeleton), frames.skeleton))
        labels = np.where(batch["joint_weight"][..., None] > 0, joints_m(batch, batch["joints"]), np.nan)
        truth.append(labels)
        names += [frames[rows[k]].name for k in seen]
    if not found:
        raise DatasetError(f"{frames.name} {frames.split}: no frame has a centre; name a file of centres, --option center=FILE")
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
        rows = 1000 * joints
        if protocol_of(frames.name).text == "uvd":
            rows[..., :2] = frames.camera.project(joints)
        np.savetxt(path, rows.reshape(len(joints), -1), fmt="%.4f")
    else:
        raise DatasetError(f"{path}: predictions go to .npz or .txt")
