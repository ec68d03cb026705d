"""Frames of a test set by subset: SEEN and UNSEEN subjects of HANDS 2017, the nine subjects of MSRA, sequences.

The file is text, a line a frame: the subset, or the frame's name and the subset. Or it is JSON: a list of frames, by name or by
number from 0, to each subset.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from hand_pose_training.score.protocols import ScoreError


def read_subsets(path: Path, frames: int, names: tuple[str, ...] | None) -> dict[str, np.ndarray]:
    """Rows (N,) bool of each subset, in the order in which the file first names them. Every frame is in one subset.

    :param frames: N, how many frames are measured
    :param names: (N,) theirs, None where the ground truth has none
    :raises ScoreError: missing file, unknown frames, frames in no subset or in two
    """
    if not path.is_file():
        raise ScoreError(f"{path}: no such file")
    pairs = _json_pairs(path) if path.suffix == ".json" else _text_pairs(path)
    positions = {name: row for row, name in enumerate(names or ())}
    subset_of: dict[int, str] = {}
    for frame, subset in pairs:
        row = frame if isinstance(frame, int) else positions.get(frame.replace("\\", "/"))
        if row is None or not 0 <= row < frames:
            why = (
                "the ground truth has no frame names"
                if isinstance(frame, str) and names is None
                else f"{frames} frames are measured"
            )
            raise ScoreError(f"{path}: no frame {frame} ({why}); name the frames as the ground truth does, or number them from 0")
        if subset_of.setdefault(row, subset) != subset:
            raise ScoreError(f"{path}: frame {frame} is in {subset_of[row]} and in {subset}; leave it in one")
    if len(subset_of) != frames:
        first = next(row for row in range(frames) if row not in subset_of)
        missing = names[first] if names else first
        raise ScoreError(
            f"{path}: {frames - len(subset_of)} of {frames} frames are in no subset, the first is {missing}; add them"
        )
    of_row = np.array([subset_of[row] for row in range(frames)])
    return {subset: of_row == subset for subset in dict.fromkeys(subset_of.values())}


def _text_pairs(path: Path) -> list[tuple[int | str, str]]:
    pairs: list[tuple[int | str, str]] = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.replace(",", " ").split()
        if len(fields) > 2:
            raise ScoreError(f"{path}, line {number}: {len(fields)} words; needed is a subset, or a frame's name and its subset")
        if fields:
            pairs.append((fields[0] if len(fields) == 2 else len(pairs), fields[-1]))
    return pairs


def _json_pairs(path: Path) -> list[tuple[int | str, str]]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ScoreError(f"{path}: not JSON ({error}); write it again") from None
    lists = content.values() if isinstance(content, dict) else [None]
    if not all(isinstance(frames, list) and all(type(f) in (int, str) for f in frames) for frames in lists):
        raise ScoreError(f'{path}: needed is {{"SUBSET": [frames by name or number from 0], ...}}')
    return [(frame, subset) for subset, frames in content.items() for frame in frames]
