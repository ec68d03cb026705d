"""The figures of an evaluation for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hand_pose_ros.bags.results import FIGURES
from hand_pose_ros.evaluation.report_text import ROWS
from hand_pose_ros.evaluation.results import REPORT
from hand_pose_ros.evaluation.rows import ROWS as ROWS_FILE


def summary(figures: Mapping[str, Any], folder: Path) -> str:
    """A table with a column for each run, what is common to both of two, clock offsets, and the files."""
    runs = {name: run for name, run in figures["runs"].items() if run["overall"]["recordings"]}
    rows = [["", *runs]]
    rows += [[name, *(_number(run["overall"].get(key)) for run in runs.values())] for key, name, _ in ROWS]
    widths = [max(len(row[i]) for row in rows) + 2 for i in range(len(rows[0]))]
    lines = ["".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths))) for row in rows]
    for pair in figures.get("pairs", ()):
        lines.append(
            f"on the {pair['found_by_both']} hands that both found: {pair['first']} {_number(pair['first_mean_error_mm'])} mm, "
            f"{pair['second']} {_number(pair['second_mean_error_mm'])} mm"
        )
    lines += list(figures.get("remarks", ()))
    for name, run in runs.items():
        lines.append(f"centre source of {name}: {run['overall']['centre_source']}")
        for label, one in run["recordings"].items():
            if one.get("clock_offset_correlation") is not None:
                offset, correlation = one["clock_offset_s"], one["clock_offset_correlation"]
                lines.append(f"clock offset of {label} ({name}): {offset:.3f} s, correlation {correlation:.2f}")
    files = [FIGURES, ROWS_FILE, REPORT] if runs else [FIGURES]
    return "\n".join([*(lines if runs else []), *(str(folder / name) for name in files if (folder / name).exists())])


def _number(value: Any) -> str:
    return "-" if value is None else f"{value:g}" if isinstance(value, float) else str(value)
