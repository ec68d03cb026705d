"""Runs side by side: those of one evaluation, or those of two that were made before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hand_pose_ros.bags.results import write_figures
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.paired import compare_frames, run_frames
from hand_pose_ros.evaluation.report import Column, report
from hand_pose_ros.evaluation.results import COMPARISON, REPORT, read_figures
from hand_pose_ros.evaluation.rows import ROWS


def pairs_of(runs: Sequence[tuple[str, Path, str]]) -> list[dict[str, Any]]:
    """The first run against each other one, over the hands that both were shown.

    :param runs: name in the report, the evaluation's folder, name in its per_frame.csv
    """
    if not runs:
        return []
    (first, folder, run), *others = runs
    pairs = []
    for name, its_folder, its_run in others:
        figures = compare_frames(run_frames(folder / ROWS, run), run_frames(its_folder / ROWS, its_run))
        pairs.append({"first": first, "second": name, **figures})
    return pairs


def compare(folders: Sequence[Path], out: Path) -> dict[str, Any]:
    """Compare the evaluations in two or more folders; writes figures.json and report.html into `out`, and returns the figures.

    :raises EvaluationError: one of them is no evaluation, or has no run with figures
    """
    columns: list[Column] = []
    runs: list[tuple[str, Path, str]] = []
    made: list[dict[str, Any]] = []
    remarks: list[str] = []
    for folder in folders:
        figures = read_figures(folder)
        if not any(run["overall"]["recordings"] for run in figures["runs"].values()):
            raise EvaluationError(f"the evaluation in {folder} has no figures: not one recording could be evaluated")
        if not figures["complete"]:
            remarks.append(f"The evaluation in {folder} is not complete.")
        for run, its in figures["runs"].items():
            name = folder.name if len(figures["runs"]) == 1 else f"{folder.name}: {run}"
            if any(name == column.name for column in columns):
                name = f"{folder}: {run}"
            columns.append(Column(name, its, folder))
            runs.append((name, folder, run))
        made.append(figures["settings"])
    keys = dict.fromkeys(key for settings in made for key in settings)
    settings = {key: list(dict.fromkeys(str(settings.get(key, "not set")) for settings in made)) for key in keys}
    differing = [key for key, values in settings.items() if len(values) > 1]
    if differing:
        remarks.append(f"They were not made alike: {', '.join(differing)} differ.")
    if len({tuple(sorted(column.figures["overall"]["joint_error_mm"])) for column in columns}) > 1:
        remarks.append("They score different joints.")
    pairs = pairs_of(runs)
    if not any(pair["found_by_both"] for pair in pairs):
        remarks.append("They have no recording of the same name in common.")
    shown = {key: " | ".join(values) for key, values in settings.items()}
    text = report(f"Comparison of {' and '.join(folder.name for folder in folders)}", columns, shown, pairs, remarks)
    (out / REPORT).write_text(text, encoding="utf-8")
    figures = {
        "kind": COMPARISON,
        "complete": True,
        "remarks": remarks,
        "settings": shown,
        "runs": {column.name: dict(column.figures) for column in columns},
        "pairs": pairs,
    }
    write_figures(out, figures)
    return figures
