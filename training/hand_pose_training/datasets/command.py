"""`hand-pose-train datasets`: what can be read and where to get it; with a name and a folder, whether it can be read."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from hand_pose_training.datasets.catalog import CATALOG, Entry, entry, open_dataset
from hand_pose_training.datasets.sample import Dataset


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="look at this dataset alone")
    parser.add_argument("root", nargs="?", type=Path, help="its folder: open it and look at the first frame of every split")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    entries = [entry(args.name)] if args.name else list(CATALOG.values())
    found = [_described(e) | ({"found": _looked_at(e, args.root)} if args.root else {}) for e in entries]
    print(json.dumps(found, indent=2) if args.json else "\n".join(_lines(d) for d in found))
    return 0


def first_frame(dataset: Dataset) -> dict[str, object]:
    """What tells a right reading from a wrong one: where the first frame's joints lie in its image, and where its depth is."""
    sample = dataset[0]
    figures: dict[str, object] = {"frames": len(dataset), "first": sample.name, "center_source": sample.center_source}
    if sample.joints is not None:
        known = sample.joints[np.isfinite(sample.joints).all(axis=1)]
        u, v = sample.camera.project(known).T
        inside = (u >= 0) & (u < sample.camera.width) & (v >= 0) & (v < sample.camera.height)
        figures |= {"joints": len(known), "joints_in_image": int(inside.sum()), "joints_depth_m": _range(known[:, 2])}
    if sample.image.ndim == 2:
        figures |= {"image_depth_m": _range(sample.image[sample.image > 0])}
    return figures


def _range(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in (values.min(), values.max())] if values.size else []


def _described(e: Entry) -> dict[str, object]:
    return {"name": e.name, "image": e.image, "skeleton": e.skeleton, "frames": e.frames, "where": e.where, "terms": e.terms}


def _looked_at(e: Entry, root: Path) -> dict[str, object]:
    """Per split, figures of its first frame, or the error of a split that is not there; the last error if none is."""
    out: dict[str, object] = {}
    for split in e.frames:
        try:
            out[split] = first_frame(open_dataset(e.name, root, split))
        except ValueError as error:
            out[split] = {"error": str(error)}
    if all("error" in figures for figures in out.values()):
        raise ValueError("\n".join(f"{split}: {figures['error']}" for split, figures in out.items()))
    return out


def _lines(described: dict[str, object]) -> str:
    lines = [f"{described['name']:10} {described['image']:7} {described['skeleton']:13} {described['where']}"]
    lines += [f"{'':10} {split}: {frames} frames" for split, frames in described["frames"].items()]
    lines += [f"{'':10} terms: {described['terms']}"]
    for split, figures in described.get("found", {}).items():
        lines += [f"{'':10} found, {split}: " + ", ".join(f"{key} {value}" for key, value in figures.items())]
    return "\n".join(lines)
