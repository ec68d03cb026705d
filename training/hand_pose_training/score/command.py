"""`hand-pose-train score`: measure files of predictions as a benchmark does."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from hand_pose_training.score.alignment import ALIGNMENTS
from hand_pose_training.score.files import FORMATS
from hand_pose_training.score.measure import UNITS, score
from hand_pose_training.score.protocols import PROTOCOLS, ScoreError
from hand_pose_training.score.report import table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train score`."""
    parser.add_argument("predictions", type=Path, help="text (u v d or x y z of a frame a line), JSON or npz")
    parser.add_argument("ground_truth", type=Path, help="the same frames, in one of the same formats")
    parser.add_argument("--dataset", required=True, metavar="NAME", help=f"whose protocol: {', '.join(PROTOCOLS)}")
    parser.add_argument(
        "--compare", action="append", default=[], metavar="NAME=FILE", help="other predictions of the same frames"
    )
    parser.add_argument("--json", nargs="?", const="-", metavar="FILE", help="write the figures here (without FILE: print them)")
    parser.add_argument("--plots", type=Path, metavar="DIR", help="draw good frames, joints and PCK as PNG files into DIR")
    parser.add_argument(
        "--center-source", default="not stated", metavar="TEXT", help="where the predictions' hand centre came from"
    )
    parser.add_argument("--alignment", choices=ALIGNMENTS, help="before measuring (default: the benchmark's own)")
    parser.add_argument(
        "--auc-limits", type=float, nargs=2, metavar="MM", help="of the AUC of PCK (default: the benchmark's own)"
    )
    parser.add_argument(
        "--leave-out", action="append", default=[], metavar="JOINT", help="a joint that does not count, such as the centre"
    )
    parser.add_argument("--split-by", type=Path, metavar="FILE", help="a subset a frame: SEEN and UNSEEN, or subjects")
    parser.add_argument("--format", choices=FORMATS, help="of text files (default: the benchmark's own)")
    parser.add_argument(
        "--unit", choices=UNITS, default="m", help="of predictions in JSON or npz; bone: lengths of the protocol's scale bone"
    )


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train score`."""
    if args.json not in (None, "-") and not Path(args.json).parent.is_dir():
        raise ScoreError(f"--json {args.json}: the folder {Path(args.json).parent} does not exist; make it first")
    figures = score(
        args.predictions,
        args.ground_truth,
        args.dataset,
        compare=_named_files(args.compare),
        center_source=args.center_source,
        alignment=args.alignment,
        auc_limits_mm=tuple(args.auc_limits) if args.auc_limits else None,
        leave_out=tuple(args.leave_out),
        split_by=args.split_by,
        text_format=args.format,
        unit=args.unit,
    )
    print(json.dumps(figures, indent=1) if args.json == "-" else table(figures))
    if args.json not in (None, "-"):
        path = Path(args.json)
        half = path.with_name(f".{path.name}.half")
        half.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
        os.replace(half, path)
    if args.plots:
        # Drawing needs seconds to import, figures do not.
        from hand_pose_training.score.plots import draw

        for path in draw(figures, args.plots):
            print(path, file=sys.stderr)
    return 0


def _named_files(texts: list[str]) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for text in texts:
        name, equals, path = text.partition("=")
        if not (name and equals and path):
            raise ScoreError(f"--compare {text}: NAME=FILE is needed, such as --compare a2j=a2j.txt")
        if name in files:
            raise ScoreError(f"--compare {text}: {name} is {files[name]} already; take another name")
        files[name] = Path(path)
    return files
