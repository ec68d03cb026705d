"""`hand-pose evaluate`: the hands of recordings against ground truth."""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from hand_pose_ros.bags.results import write_figures
from hand_pose_ros.evaluation.compare import compare, pairs_of
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.inference import check_models
from hand_pose_ros.evaluation.job import JobResult
from hand_pose_ros.evaluation.joint_map import read_joint_names
from hand_pose_ros.evaluation.names import short_names
from hand_pose_ros.evaluation.report import Column, report
from hand_pose_ros.evaluation.results import REPORT, RUNS, gather, prepare_folder
from hand_pose_ros.evaluation.rows import ROWS, join_rows
from hand_pose_ros.evaluation.scheduling import SCHEDULERS, anywhere, run_jobs
from hand_pose_ros.evaluation.settings import AUTO_OFFSET, Comparison, Job, Recordings, Run
from hand_pose_ros.evaluation.summary import summary
from hand_pose_ros.live.parameter_arguments import OFFLINE, add_parameter_arguments, read_parameters

NODE = "/hand_pose"
RECORDED = "recorded"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument(
        "recordings",
        nargs="*",
        type=Path,
        metavar="BAG",
        help="rosbag2 folder, .mcap or .db3 file, or folder of 16-bit PNG depth images",
    )
    parser.add_argument("--list", type=Path, metavar="FILE", help="file with one recording a line; # begins a comment")
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for figures.json, per_frame.csv, report.html and pictures"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the evaluation that is in the folder")
    parser.add_argument(
        "--compare",
        nargs=2,
        type=Path,
        metavar=("RUN_A", "RUN_B"),
        help="compare two folders of evaluations, instead of recordings",
    )
    _add_hands(parser)
    _add_truth(parser)
    group = parser.add_argument_group("many recordings")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    group.add_argument("--workers", type=int, default=cores, metavar="N", help="processes side by side (%(default)s)")
    group.add_argument("--scheduler", choices=SCHEDULERS, default=SCHEDULERS[0], help="what runs them (%(default)s)")


def _add_hands(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("hands", "answered anew by one model or several, and/or as recorded")
    group.add_argument(
        "--model",
        action="append",
        default=[],
        help="model file (.onnx) or hand21_accurate, may be repeated; default: hand21_fast",
    )
    group.add_argument(
        "--recorded",
        nargs="?",
        const="",
        metavar="TOPIC",
        help="the recorded hands of this topic, or of the only one; no model runs",
    )
    add_parameter_arguments(group)
    group.add_argument("--no-tracking", action="store_true", help="look at each frame alone")
    group.add_argument("--image-topic", default="", help="depth images; default: the only ones")
    group.add_argument("--camera-info-topic", default="", help="default: camera_info beside the image topic")
    group.add_argument("--color-topic", default="", help="for a model that sees colour; default: the only ones")
    group.add_argument("--camera-file", type=Path, help="calibration (camera_info_manager YAML) instead of the recorded one")
    group.add_argument("--pictures", type=int, default=8, metavar="N", help="worst frames drawn of each recording (%(default)s)")


def _add_truth(parser: argparse.ArgumentParser) -> None:
    default = Comparison("")
    group = parser.add_argument_group("ground truth")
    group.add_argument(
        "--ground-truth",
        metavar="TOPIC|CSV",
        help="HandPoseArray topic of the recordings, or .csv file; {bag} in it: the recording's name",
    )
    group.add_argument(
        "--truth-bag", default="", metavar="BAG", help="recording that has the topic, {bag} in it as above; default: each its own"
    )
    group.add_argument(
        "--truth-frame", default="", metavar="FRAME", help="TF frame of a file's numbers; default: that of the hands"
    )
    group.add_argument("--joint-map", type=Path, metavar="FILE", help="YAML lines `name in the ground truth: name here`")
    group.add_argument(
        "--offset",
        default="0",
        metavar="auto|SECONDS",
        help="what its stamps are ahead of the hands'; auto: estimated (%(default)s)",
    )
    for name, value, unit, what in (
        ("--max-offset", default.max_offset_s, "SECONDS", "greatest offset that auto looks at"),
        ("--tolerance", default.tolerance_s, "SECONDS", "a true moment this near counts where there is none on both sides"),
        ("--max-gap", default.max_gap_s, "SECONDS", "true moments further apart have nothing between them"),
        ("--gate", default.gate_m, "METRES", "a found hand further from a true one is another thing"),
        ("--rest-speed", default.rest_speed_m_s, "M_S", "a hand at rest moves no faster"),
    ):
        group.add_argument(name, type=_positive, default=value, metavar=unit, help=f"{what} (%(default)s)")


def run(arguments: argparse.Namespace) -> int:
    """Evaluate; 0 when every recording was, 1 when some could not be, 130 after Ctrl-C (what was done until then is written).

    :raises EvaluationError, ModelError, ParameterError: nothing can be begun
    """
    logging.basicConfig(level=logging.INFO, format="[%(levelname)s] %(message)s")
    if arguments.compare:
        if arguments.recordings or arguments.list or arguments.ground_truth:
            raise EvaluationError("--compare takes two folders of evaluations and no recordings: leave them out")
        if arguments.out.resolve() in [folder.resolve() for folder in arguments.compare]:
            raise EvaluationError(f"--out {arguments.out} is one of the evaluations to compare: name another folder")
        prepare_folder(arguments.out, overwrite=arguments.overwrite, recordings=arguments.compare)
        print(summary(compare(arguments.compare, arguments.out), arguments.out))
        return 0
    recordings = [*arguments.recordings, *(_listed(arguments.list) if arguments.list else [])]
    if not recordings:
        raise EvaluationError("no recordings: name some, or a file of them with --list")
    if not arguments.ground_truth:
        raise EvaluationError("--ground-truth is missing: the topic of the recordings that has the known hands, or a .csv file")
    if arguments.workers < 1:
        raise EvaluationError(f"--workers is {arguments.workers}: at least 1")
    jobs = _jobs(arguments, recordings)
    check_models(job.run for job in jobs)
    prepare_folder(arguments.out, overwrite=arguments.overwrite, recordings=recordings)
    results = run_jobs(jobs, arguments.workers, arguments.scheduler)
    figures = write(results, arguments.out, len(jobs), _settings(arguments, jobs))
    print(summary(figures, arguments.out))
    if len(results) < len(jobs) or any(not result.facts["complete"] and not result.error for result in results):
        return 130
    return 1 if any(result.error for result in results) else 0


def write(results: Sequence[JobResult], out: Path, asked: int, settings: dict[str, Any]) -> dict[str, Any]:
    """Write figures.json, per_frame.csv and report.html of the jobs' results; returns the figures."""
    figures = gather(results, out, asked, settings)
    good = [result for result in results if result.tally is not None]
    join_rows(out / ROWS, [result.folder / ROWS for result in good])
    runs = {name: run for name, run in figures["runs"].items() if run["overall"]["recordings"]}
    figures["pairs"] = pairs_of([(name, out, name) for name in runs])
    write_figures(out, figures)
    if runs:
        remarks = (
            [] if figures["complete"] else ["Not complete: it was interrupted, or recordings could not be evaluated (see below)."]
        )
        columns = [Column(name, run, out) for name, run in runs.items()]
        page = report(f"Hands of {_counted(good)} against ground truth", columns, settings, figures["pairs"], remarks)
        (out / REPORT).write_text(page, encoding="utf-8")
    return figures


def _counted(results: Sequence[JobResult]) -> str:
    labels = list(dict.fromkeys(result.label for result in results))
    return labels[0] if len(labels) == 1 else f"{len(labels)} recordings"


def _jobs(arguments: argparse.Namespace, recordings: Sequence[Path]) -> list[Job]:
    parameters = read_parameters(arguments, NODE, live=False)
    models = arguments.model or ([] if arguments.recorded is not None else [str(parameters.model_path())])
    tracking = not arguments.no_tracking
    runs = [
        Run(name, parameters.with_values({"model": model}), tracking=tracking, as_named=bool(arguments.model))
        for name, model in zip(short_names([Path(model) for model in models]), models)
    ]
    if arguments.recorded is not None:
        runs.append(Run(RECORDED, parameters, recorded=arguments.recorded))
    chosen = Recordings(arguments.image_topic, arguments.camera_info_topic, arguments.color_topic, arguments.camera_file)
    comparison = Comparison(
        arguments.ground_truth,
        truth_bag=arguments.truth_bag,
        truth_frame=arguments.truth_frame,
        joint_names=read_joint_names(arguments.joint_map) if arguments.joint_map else {},
        offset_s=None if arguments.offset == AUTO_OFFSET else _seconds(arguments.offset),
        max_offset_s=arguments.max_offset,
        tolerance_s=arguments.tolerance,
        max_gap_s=arguments.max_gap,
        gate_m=arguments.gate,
        rest_speed_m_s=arguments.rest_speed,
    )
    named = sorted(zip(short_names(recordings), recordings))  # the rows of two evaluations then have one order
    jobs = [
        Job(run, bag, label, arguments.out / RUNS / run.name / label, comparison, chosen, arguments.pictures)
        for run in runs
        for label, bag in named
    ]
    return jobs if arguments.scheduler == SCHEDULERS[0] else [anywhere(job) for job in jobs]


def _settings(arguments: argparse.Namespace, jobs: Sequence[Job]) -> dict[str, Any]:
    """How the evaluation was made, for the report: of what is seldom asked for, only what was."""
    values, chosen = asdict(jobs[0].comparison), asdict(jobs[0].recordings)
    offset, camera_file = values.pop("offset_s"), chosen.pop("camera_file")
    shown = {"ground_truth": values.pop("truth"), "clock_offset_s": "estimated" if offset is None else offset, **values}
    asked = {**chosen, "camera_file": camera_file and _with_digest(camera_file), "no_tracking": arguments.no_tracking}
    shown |= {key: value for key, value in asked.items() if value}
    default = asdict(replace(OFFLINE, model=jobs[0].run.parameters.model))  # which models ran is said of each run
    parameters = {key: value for key, value in asdict(jobs[0].run.parameters).items() if value != default[key]}
    shown |= {key: str(value) if isinstance(value, tuple) else value for key, value in parameters.items()}
    return {**shown, "side_by_side": f"{min(arguments.workers, len(jobs))} at a time ({arguments.scheduler})"}


def _with_digest(path: Path) -> str:
    """A file's name, and what tells its content from another of that name."""
    return f"{path.name}, SHA-256 {hashlib.sha256(path.read_bytes()).hexdigest()[:12]}" if path.is_file() else str(path)


def _listed(path: Path) -> list[Path]:
    try:
        lines = [line.partition("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError) as error:
        raise EvaluationError(f"list of recordings {path} cannot be read: {error}") from error
    return [path.parent / line for line in lines if line]


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not abs(value) < 1e12:
        raise EvaluationError(f"--offset is {text!r}: a number of seconds, or {AUTO_OFFSET}")
    return value
