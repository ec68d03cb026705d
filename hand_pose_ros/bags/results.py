"""The folder that replay and demo write: what its files are called, and how it is made ready."""

from __future__ import annotations

import shutil
from pathlib import Path

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.viz.pictures import PICTURES, VIDEO

BAG, JOINTS, FIGURES, NODE_LOG = "bag", "joints.jsonl", "figures.json", "node.log"
# One of these lies in every folder that was written here, from the first moment on; no recorder makes them.
_SIGNS = (JOINTS, FIGURES, NODE_LOG)


def prepare_folder(folder: Path, *, overwrite: bool, source: Path) -> None:
    """Make the folder for the results; with `overwrite`, remove the results (and nothing else) that are in it.

    :param source: the recording that is going to be read, which is never removed
    :raises BagError: the folder is a file, or not empty and not to be overwritten; what would be removed is the recording, or
        does not look like results
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
    except OSError as error:
        raise BagError(f"output folder {folder} cannot be made: {error.strerror}: name another one") from error


def _remove_results(folder: Path, source: Path) -> None:
    recording, folders = source.resolve(), (folder / BAG, folder / PICTURES)
    if any(path == recording or path in recording.parents for path in (p.resolve() for p in folders)):
        raise BagError(f"the results in {folder} would replace the recording {source} itself: name another output folder")
    ours = any((folder / name).exists() for name in _SIGNS)
    for path in (*folders, folder / VIDEO):
        if path.exists() and not ours:
            raise BagError(f"{path} is in the way, and nothing beside it says that it is a result: name another output folder")
    for path in folders:
        shutil.rmtree(path, ignore_errors=True)
    for name in (VIDEO, *_SIGNS):
        (folder / name).unlink(missing_ok=True)
