"""The folder that replay and demo write: what its files are called, and how it is made ready."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.viz.pictures import PICTURES, VIDEO

BAG, JOINTS, FIGURES, NODE_LOG = "bag", "joints.jsonl", "figures.json", "node.log"
# In the figures of every folder that was written here, from the first moment on; others' files of that name are without.
REPLAY, DEMO = "hand_pose replay", "hand_pose demo"


def prepare_folder(folder: Path, kind: str, *, overwrite: bool, source: Path) -> None:
    """Make the folder for the results; with `overwrite`, remove the results (and nothing else) that are in it.

    :param kind: REPLAY or DEMO
    :param source: the recording that is going to be read, which is never removed
    :raises BagError: the folder is a file, cannot be written, or is not empty and not to be overwritten; what would be removed
        is the recording, or is not known to be results
    """
    if folder.exists() and not folder.is_dir():
        raise BagError(f"output {folder} is a file: name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not overwrite:
            raise BagError(
                f"output folder {folder} is not empty: name another one, or give --overwrite to replace the results in it"
            )
        _remove_results(folder, source)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_figures(folder, {"kind": kind, "complete": False})
    except OSError as error:
        raise BagError(f"output folder {folder} cannot be written: {error.strerror}: name another one") from error


def write_figures(folder: Path, figures: Mapping[str, Any]) -> None:
    """Whole or not at all."""
    partial = folder / (FIGURES + ".part")
    partial.write_text(json.dumps(figures, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    partial.replace(folder / FIGURES)


def _remove_results(folder: Path, source: Path) -> None:
    """All but the figures, which are replaced later: they tell what the folder is, also if this is interrupted."""
    recording, folders = source.resolve(), (folder / BAG, folder / PICTURES)
    if any(path == recording or path in recording.parents for path in (p.resolve() for p in folders)):
        raise BagError(f"the results in {folder} would replace the recording {source} itself: name another output folder")
    files = [folder / name for name in (VIDEO, JOINTS, NODE_LOG)]
    in_the_way = [path for path in (*folders, *files, folder / FIGURES) if path.exists()]
    if in_the_way and not _is_ours(folder):
        raise BagError(
            f"{in_the_way[0]} is in the way, and {folder / FIGURES} does not say that a replay or a demo wrote it: name another "
            "output folder, or remove it yourself"
        )
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)
    for path in files:
        path.unlink(missing_ok=True)


def _is_ours(folder: Path) -> bool:
    try:
        figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(figures, dict) and figures.get("kind") in (REPLAY, DEMO)
