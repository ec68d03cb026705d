"""Ground truth from a CSV file.

One line a hand and moment, times ascending, numbers in metres:

    stamp_ns,hand,side,wrist_x,wrist_y,wrist_z,thumb_cmc_x,...
    1700000000000000000,1,right,0.012,-0.034,0.512,...

`stamp_s` (seconds) may stand for `stamp_ns`. `hand` is a whole number that stays with the hand. `side` may be left out; it is
left, right or empty. A joint whose three cells are empty is not known. A line of nothing but a time says that there is no
hand then.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TextIO

import numpy as np

from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.hand_frames import HandFrame, NamedHand

SIDES = {"": 0, "unknown": 0, "left": 1, "right": 2}
STAMPS = {"stamp_ns": 1, "stamp_s": 1_000_000_000}
# No hand is this far from its camera; millimetres are.
FARTHEST_M = 50.0


def csv_frames(path: Path, frame_id: str) -> Iterator[HandFrame]:
    """The moments of the file, one after the other.

    :param frame_id: TF frame of the numbers; "" for that of the hands they are compared with
    :raises EvaluationError: the file cannot be read, or a line is not as above; the text names file and line
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _frames(stream, path, frame_id)
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"ground truth {path} cannot be read: {error}") from error


def _frames(stream: TextIO, path: Path, frame_id: str) -> Iterator[HandFrame]:
    lines = csv.reader(stream)
    header = next(lines, None)
    if header is None:
        raise EvaluationError(f"ground truth {path} is empty: its first line has the names of the columns")
    columns = _Columns([name.strip() for name in header], path)
    stamp: int | None = None
    hands: list[NamedHand] = []
    for cells in lines:
        if not any(cells):
            continue
        where = f"{path} line {lines.line_num}"
        if len(cells) != len(header):
            raise EvaluationError(f"{where}: {len(cells)} cells, but the first line names {len(header)} columns")
        at, hand = columns.read([cell.strip() for cell in cells], where)
        if stamp is not None and at < stamp:
            raise EvaluationError(
                f"{where}: its time is {(stamp - at) * 1e-6:g} ms before that of the line above: sort the lines"
            )
        if at != stamp:
            if stamp is not None:
                yield HandFrame(stamp, frame_id, tuple(hands))
            stamp, hands = at, []
        if hand is not None:
            if any(other.id == hand.id for other in hands):
                raise EvaluationError(f"{where}: hand {hand.id} is there twice at this time")
            hands.append(hand)
    if stamp is None:
        raise EvaluationError(f"ground truth {path} has no line below the names of its columns")
    yield HandFrame(stamp, frame_id, tuple(hands))


class _Columns:
    """Where each cell belongs, from the first line."""

    def __init__(self, header: Sequence[str], path: Path) -> None:
        where, places = f"{path} line 1", {name: i for i, name in enumerate(header)}
        if len(places) < len(header):
            twice = sorted({name for name in header if list(header).count(name) > 1})
            raise EvaluationError(f"{where}: column {', '.join(map(repr, twice))} is there twice")
        stamps = [name for name in STAMPS if name in places]
        if len(stamps) != 1 or "hand" not in places:
            raise EvaluationError(f"{where}: columns stamp_ns (or stamp_s) and hand are needed; it has {', '.join(header)}")
        self._stamp, self._unit = places[stamps[0]], STAMPS[stamps[0]]
        self._hand, self._side = places["hand"], places.get("side")
        rest = [name for name in header if name not in (stamps[0], "hand", "side")]
        self.names = tuple(dict.fromkeys(name[:-2] for name in rest if name[-2:] in ("_x", "_y", "_z")))
        wanted = {f"{name}_{axis}" for name in self.names for axis in "xyz"}
        odd = sorted(wanted.symmetric_difference(rest))
        if odd or not self.names:
            raise EvaluationError(
                f"{where}: every joint has columns NAME_x, NAME_y, NAME_z; unknown or missing: {', '.join(odd) or 'all of them'}"
            )
        self._joints = [[places[f"{name}_{axis}"] for axis in "xyz"] for name in self.names]

    def read(self, cells: Sequence[str], where: str) -> tuple[int, NamedHand | None]:
        """Time in ns and the hand of a line."""
        try:
            stamp_ns = int(Decimal(cells[self._stamp]) * self._unit)
        except (InvalidOperation, ValueError, OverflowError):
            raise EvaluationError(f"{where}: time {cells[self._stamp]!r} is no number") from None
        if not any(cell for i, cell in enumerate(cells) if i != self._stamp):
            return stamp_ns, None
        try:
            hand = int(cells[self._hand])
        except ValueError:
            raise EvaluationError(f"{where}: hand {cells[self._hand]!r} is no whole number") from None
        side = "" if self._side is None else cells[self._side].lower()
        if side not in SIDES:
            raise EvaluationError(f"{where}: side {side!r} is neither left nor right nor empty")
        joints = np.array(
            [self._joint(name, [cells[i] for i in places], where) for name, places in zip(self.names, self._joints)]
        )
        return stamp_ns, NamedHand(hand, SIDES[side], self.names, joints)

    def _joint(self, name: str, cells: Sequence[str], where: str) -> list[float]:
        if not any(cells):
            return [math.nan] * 3
        try:
            point = [float(cell) for cell in cells]
            if not all(map(math.isfinite, point)):
                raise ValueError
        except ValueError:
            raise EvaluationError(f"{where}: joint {name} is {', '.join(cells)}: three numbers in metres, or all empty") from None
        if max(map(abs, point)) > FARTHEST_M:
            raise EvaluationError(f"{where}: joint {name} is at {', '.join(cells)} m: write metres, not millimetres")
        return point
