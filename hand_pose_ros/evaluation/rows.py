"""per_frame.csv: a line for every true hand and every false hand of every frame, in the order of the stamps."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from hand_pose_ros.scoring.matching import HandMatch, KnownHand
from hand_pose_ros.scoring.tally import mean_of_known

ROWS = "per_frame.csv"
PAIRED, MISSED, FALSE, UNKNOWN, EMPTY = "paired", "missed", "false", "unknown", "empty"
COLUMNS = (
    "run",
    "recording",
    "stamp_ns",
    "status",
    "true_id",
    "found_id",
    "true_side",
    "found_side",
    "mean_error_mm",
    "worst_joint",
    "worst_error_mm",
)
_SIDES = ("", "left", "right")


class RowWriter:
    """Writes the rows of one recording; a context manager.

    :param names: of the scored joints
    """

    def __init__(self, path: Path, run: str, recording: str, names: Sequence[str]) -> None:
        self._start, self._names = (run, recording), names
        self._stream = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._stream)

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, *exception: object) -> None:
        self._stream.close()

    def add(self, stamp_ns: int, matches: Sequence[HandMatch] | None) -> None:
        """A frame; None where its truth is not known."""
        if not matches:
            self._rows.writerow((*self._start, stamp_ns, UNKNOWN if matches is None else EMPTY, *[""] * 7))
            return
        for true, found, errors in matches:
            status = PAIRED if true and found else MISSED if true else FALSE
            self._rows.writerow((*self._start, stamp_ns, status, *_ids(true, found), *self._errors(errors)))

    def _errors(self, errors: np.ndarray | None) -> tuple[str, str, str]:
        if errors is None or not np.isfinite(errors).any():
            return "", "", ""
        worst = int(np.nanargmax(errors))
        return f"{1e3 * mean_of_known(errors):.3f}", self._names[worst], f"{1e3 * errors[worst]:.3f}"


def _ids(true: KnownHand | None, found: KnownHand | None) -> list[object]:
    ids = ["" if hand is None else hand.id for hand in (true, found)]
    return [*ids, *("" if hand is None else _SIDES[hand.side] for hand in (true, found))]


def join_rows(path: Path, parts: Sequence[Path]) -> None:
    """Put the rows of the recordings into one file below the names of the columns, and remove theirs."""
    with path.open("w", encoding="utf-8", newline="") as whole:
        csv.writer(whole).writerow(COLUMNS)
        for part in parts:
            with part.open(encoding="utf-8", newline="") as rows:
                for line in rows:
                    whole.write(line)
            part.unlink()
