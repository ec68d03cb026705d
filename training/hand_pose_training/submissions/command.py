"""`hand-pose-train submit`: predictions -> the file that a benchmark's server takes."""

from __future__ import annotations

import argparse
from pathlib import Path

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.score.files import read_poses
from hand_pose_training.score.protocols import PROTOCOLS
from hand_pose_training.submissions.checks import SubmissionError, by_name
from hand_pose_training.submissions.hands2017 import write_hands2017
from hand_pose_training.submissions.pred_json import write_freihand, write_ho3d

BENCHMARKS = ("freihand", "ho3d", "hands2017")
_LISTS = {"ho3d": "evaluation.txt", "hands2017": "frame/BoundingBox.txt"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train submit`."""
    parser.add_argument(
        "predictions",
        type=Path,
        help="npz: `joints` (frames, J, 3) metres, camera optical frame, and `names` (frames,) of the frames; or JSON of joints",
    )
    parser.add_argument("out", type=Path, help="pred.zip, pred.json, result.txt or an archive with it")
    parser.add_argument("--dataset", required=True, choices=BENCHMARKS, help="whose server")
    parser.add_argument("--skeleton", metavar="NAME", help="order of the predictions' joints (default: the benchmark's)")
    parser.add_argument(
        "--frames",
        type=Path,
        metavar="FILE",
        help="the test set's list of frames, whose order the file gets (evaluation.txt, ...)",
    )


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train submit`."""
    protocol = PROTOCOLS[args.dataset]
    try:
        order = skeleton(args.skeleton or protocol.skeleton)
    except KeyError as error:
        raise SubmissionError(str(error.args[0])) from None
    poses = read_poses(args.predictions, len(order), "xyz", None)
    joints, names = poses.joints, poses.names
    wanted = _frame_names(args.frames, args.dataset)
    if names is not None and wanted is None and args.dataset == "ho3d":
        raise SubmissionError(
            f"{args.predictions} names its frames: give --frames {_LISTS['ho3d']}, whose order the server expects"
        )
    if names is not None and wanted is not None:
        rows = by_name(names, wanted, args.dataset)
        joints, names = joints[rows], wanted
    if args.dataset == "freihand":
        write_freihand(args.out, joints, order)
    elif args.dataset == "ho3d":
        write_ho3d(args.out, joints, order)
    else:
        names = names or wanted
        if names is None:
            raise SubmissionError(f"{args.predictions} names no frames: give --frames {_LISTS['hands2017']}")
        write_hands2017(args.out, names, joints, order)
    print(f"{args.out}: {len(joints)} frames for {args.dataset}")
    return 0


def _frame_names(path: Path | None, dataset: str) -> list[str] | None:
    """The frames in the order of the benchmark: the first word of each line of its list; FreiHAND's are numbered."""
    if path is None:
        return [f"{i:08d}" for i in range(PROTOCOLS["freihand"].frames[0])] if dataset == "freihand" else None
    if not path.is_file():
        raise SubmissionError(f"{path}: no such file; needed is {_LISTS.get(dataset, 'a list of frames')} of the dataset")
    return [line.split()[0] for line in path.read_text().splitlines() if line.strip()]
