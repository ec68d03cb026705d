"""figures.json: the figures of every run, over all its recordings and of each."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hand_pose_ros.bags.results import FIGURES, write_figures
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.job import JobResult
from hand_pose_ros.evaluation.rows import ROWS
from hand_pose_ros.metrics import rounded
from hand_pose_ros.scoring.histogram import TIME_EDGES_MS, Histogram
from hand_pose_ros.scoring.tally import HandTally

REPORT, RUNS = "report.html", "runs"
KIND = "hand_pose evaluation"
COMPARISON = f"{KIND}: comparison"
RANKS = (50, 90, 99)


def prepare_folder(folder: Path, *, overwrite: bool, recordings: Sequence[Path]) -> None:
    """Make the folder for an evaluation or a comparison, or empty one of those made before.

    :param recordings: which are never removed
    :raises EvaluationError: it is a file, not empty, not of an evaluation, or holds a recording that is to be read
    """
    if folder.exists() and not folder.is_dir():
        raise EvaluationError(f"output {folder} is a file: name a folder")
    if folder.is_dir() and any(folder.iterdir()):
        if not overwrite:
            raise EvaluationError(f"output folder {folder} is not empty: name another one, or give --overwrite")
        read_figures(folder, (KIND, COMPARISON))
        runs = (folder / RUNS).resolve()
        inside = [path for path in recordings if runs in path.resolve().parents]
        if inside:
            raise EvaluationError(f"the evaluation in {folder} would replace the recording {inside[0]}: name another folder")
        shutil.rmtree(folder / RUNS, ignore_errors=True)
        for name in (ROWS, REPORT, FIGURES):
            (folder / name).unlink(missing_ok=True)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_figures(folder, {"kind": KIND, "complete": False, "runs": {}})
    except OSError as error:
        raise EvaluationError(f"output folder {folder} cannot be written: {error.strerror}: name another one") from error


def read_figures(folder: Path, kinds: Sequence[str] = (KIND,)) -> dict[str, Any]:
    """The figures of an evaluation's folder.

    :param kinds: what they may be of
    :raises EvaluationError: it holds none
    """
    try:
        figures = json.loads((folder / FIGURES).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise EvaluationError(f"{folder} is no folder of `hand-pose evaluate`: {error}") from error
    if not isinstance(figures, dict) or figures.get("kind") not in kinds:
        raise EvaluationError(f"{folder} is no folder of `hand-pose evaluate`: {FIGURES} in it is of something else")
    return figures


def gather(results: Sequence[JobResult], folder: Path, asked: int, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The figures of all jobs.

    :param asked: how many jobs there should have been
    :param settings: how they were made
    """
    runs: dict[str, Any] = {}
    for name in dict.fromkeys(result.run for result in results):
        its = [result for result in results if result.run == name]
        runs[name] = {"overall": _overall(its), "recordings": {result.label: _figures(result, folder) for result in its}}
    complete = len(results) == asked and all(result.facts["complete"] for result in results)
    return {"kind": KIND, "complete": complete, "settings": dict(settings), "runs": runs}


def _figures(result: JobResult, folder: Path) -> dict[str, Any]:
    figures = {**result.facts, "notes": result.notes}
    if result.tally is None:
        return {**figures, "error": result.error}
    inside = result.folder.absolute().relative_to(folder.absolute())  # the processes of others are given whole paths
    pictures = [{**p, "picture": str(inside / p["picture"])} for p in result.pictures]
    figures |= result.tally.figures() | {"latency_ms": _latency(result.latency_ms)} | _not_known(result)
    return {**figures, "over_time": result.tally.timeline.figures(), "pictures": pictures}


def _overall(results: Sequence[JobResult]) -> dict[str, Any]:
    """All recordings that could be evaluated, put together."""
    good = [result for result in results if result.tally is not None]
    total, latency = HandTally(()), {}
    for result in good:
        total.merge(result.tally)
        for stage, times in result.latency_ms.items():
            latency.setdefault(stage, Histogram(TIME_EDGES_MS)).merge(times)
    figures = {
        "recordings": len(good),
        "recordings_failed": len(results) - len(good),
        **total.figures(),
        "latency_ms": _latency(latency),
        "hands": _common(result.facts.get("hands") for result in good),
        "centre_source": _common(result.facts.get("centre_source") for result in good),
        "latency": _common(result.facts.get("latency") for result in good),
    }
    for result in good:
        figures |= {key: value for key, value in _not_known(result).items() if value is None}
    return figures


def _not_known(result: JobResult) -> dict[str, Any]:
    """Figures that mean nothing, in place of those that were counted."""
    unknown: dict[str, Any] = {}
    if result.facts["clock_offset_correlation"] is not None:
        unknown |= {"lag_ms": None, "lag": "not known: estimating the clock offset took it out"}
    if not result.facts.get("tracking", True):
        unknown |= {"id_switches": None, "ids": "not known: each frame was looked at alone"}
    return unknown


def _common(texts: Any) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _latency(times: Mapping[str, Histogram]) -> dict[str, dict[str, float | None]]:
    return {stage: {f"p{rank}": rounded(histogram.percentile(rank)) for rank in RANKS} for stage, histogram in times.items()}
