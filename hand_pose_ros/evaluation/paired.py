"""Two runs on the same hands: which one is nearer where both found the hand, and what only one of them found.

A run that finds fewer of the hard hands has the better mean; here both are judged on the same ones.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.rows import COLUMNS, MISSED, PAIRED
from hand_pose_ros.metrics import rounded

LARGEST_DIFFERENCES = 10
_Frame = tuple[tuple[str, int], dict[str, "float | None"]]


def run_frames(path: Path, run: str) -> Iterator[_Frame]:
    """The frames of one run in a per_frame.csv: (recording, stamp), and the mean error in mm of each true hand by its id.

    None for a hand that was missed. Frames without known hands are left out.

    :raises EvaluationError: the file cannot be read or has other columns
    """
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.DictReader(stream)
            if tuple(rows.fieldnames or ()) != COLUMNS:
                raise EvaluationError(f"{path} has other columns than this version writes: evaluate again")
            its = (row for row in rows if row["run"] == run and row["status"] in (PAIRED, MISSED))
            for key, group in groupby(its, lambda row: (row["recording"], int(row["stamp_ns"]))):
                yield key, {row["true_id"]: float(row["mean_error_mm"]) if row["mean_error_mm"] else None for row in group}
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error}") from error


def compare_frames(first: Iterator[_Frame], second: Iterator[_Frame]) -> dict[str, Any]:
    """The figures of two runs over the true hands that both were shown.

    :param first, second: with keys that ascend
    """
    both = only_first = only_second = neither = 0
    sums = [0.0, 0.0]
    nearer = [0, 0]
    largest: list[tuple[float, int, dict[str, Any]]] = []
    for (recording, stamp), one, other in _joined(first, second):
        for hand in one.keys() & other.keys():
            a, b = one[hand], other[hand]
            only_first += a is not None and b is None
            only_second += a is None and b is not None
            neither += a is None and b is None
            if a is None or b is None:
                continue
            both += 1
            sums = [sums[0] + a, sums[1] + b]
            nearer[0] += a < b
            nearer[1] += b < a
            where = {"recording": recording, "stamp_ns": stamp, "true_id": hand, "first_mm": a, "second_mm": b}
            heapq.heappush(largest, (abs(a - b), both, where))
            if len(largest) > LARGEST_DIFFERENCES:
                heapq.heappop(largest)
    return {
        "found_by_both": both,
        "found_by_first_alone": only_first,
        "found_by_second_alone": only_second,
        "found_by_neither": neither,
        "first_mean_error_mm": rounded(sums[0] / both, 3) if both else None,
        "second_mean_error_mm": rounded(sums[1] / both, 3) if both else None,
        "first_nearer": nearer[0],
        "second_nearer": nearer[1],
        "largest_differences": [where for _, _, where in sorted(largest, key=lambda entry: -entry[0])],
    }


def _joined(first: Iterator[_Frame], second: Iterator[_Frame]) -> Iterator[tuple[tuple[str, int], dict, dict]]:
    """Frames with the same key."""
    one, other = next(first, None), next(second, None)
    while one is not None and other is not None:
        if one[0] == other[0]:
            yield one[0], one[1], other[1]
            one, other = next(first, None), next(second, None)
        elif one[0] < other[0]:
            one = next(first, None)
        else:
            other = next(second, None)
