"""`hand-pose-train track`: whether hands keep their ids where two cross, touch, leave the image and come back."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.inference.engine import Engine, load_engine
from hand_pose_ros.live.finder import load_detector
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.metrics import rounded
from hand_pose_ros.perception.detector import HandDetector
from hand_pose_ros.perception.pipeline import Pipeline
from hand_pose_ros.perception.types import DepthFrame, FrameResult, Side
from hand_pose_ros.scoring.appearances import Appearances
from hand_pose_ros.scoring.identity import IdentityTally
from hand_pose_ros.scoring.matching import KnownHand, hand_distance, match_hands
from hand_pose_ros.skeleton import HAND21, remap, skeleton
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.sequence import SequenceFrame
from hand_pose_training.synthetic.two_hands import TwoHandSequence

SEQUENCES = 10
# A hand of which less can be seen need not be found; where it is found it is no false one.
MUST_SEE = 0.3
GATE_M = 0.06


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train track`."""
    parser.add_argument("--model", default="", help="model file (.onnx) or hand21_accurate; default: hand21_fast")
    parser.add_argument("--detector", default="", help="detector file; none: without; default: the one of the package")
    parser.add_argument("--sequences", type=int, default=SEQUENCES, help="how many (default %(default)s)")
    parser.add_argument(
        "--first",
        type=int,
        default=1,
        help="number of the first (default %(default)s); the tracker's settings were chosen on 1 to 10",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train track`.

    :raises ValueError: no sequences, or a model that cannot be used
    """
    for name in ("sequences", "first"):
        if (value := getattr(args, name)) < 1:
            raise ValueError(f"--{name} {value}: at least 1")
    parameters = Parameters(model=args.model, detector=args.detector, backend="onnxruntime")
    numbers = range(args.first, args.first + args.sequences)
    figures = two_hand_figures(parameters.model_path(), load_detector(parameters), numbers)
    print(table(figures))
    if args.json:
        args.json.write_text(json.dumps(figures, indent=1) + "\n")
    return 0


def table(figures: dict[str, Any]) -> str:
    """The figures as text."""
    rows = [(key.replace("_", " "), value) for key, value in figures.items() if key != "by_sequence"]
    return "\n".join(f"{name:30s} {'unknown' if value is None else value!s:>8}" for name, value in rows)


class SequenceScore:
    """Counts over the frames of one sequence.

    :param memory_frames: after so many frames out of sight a hand may come back under another id
    :ivar hands, missed, false: true hands that can be seen, of those not found, and hands found where there is none
    :ivar wrong_sides: found hands that were called of the other side
    """

    def __init__(self, memory_frames: int) -> None:
        self.identities, self.appearances = IdentityTally(), Appearances(memory_frames)
        self.hands = self.missed = self.false = self.wrong_sides = 0
        self.errors: list[float] = []

    def add(self, frame: SequenceFrame, result: FrameResult) -> None:
        """The next frame and what was found in it."""
        seen = [hand for hand in frame.hands if hand.visible >= MUST_SEE]
        ids = self.appearances.add(hand.id for hand in seen)
        true = [KnownHand(ids[hand.id], Side.RIGHT if hand.right else Side.LEFT, hand.joints) for hand in seen]
        found = [KnownHand(h.id, h.side, _hand21(h.joints, h.skeleton.name)) for h in result.hands]
        matches = match_hands(found, true, GATE_M)
        self.identities.add(matches)
        hardly_seen = [hand.joints for hand in frame.hands if hand.visible < MUST_SEE]
        for match in matches:
            self.hands += match.true is not None
            self.missed += match.found is None
            if match.true is None:
                self.false += not any(hand_distance(match.found.joints, joints) < GATE_M for joints in hardly_seen)
            elif match.found is not None:
                self.errors.append(float(np.nanmean(match.errors)))
                self.wrong_sides += match.found.side not in (Side.UNKNOWN, match.true.side)

    def figures(self) -> dict[str, Any]:
        """The keys of a JSON of figures."""
        return {
            "id_switches": self.identities.switches,
            "fragmentations": self.identities.fragmentations,
            "true_hands": self.hands,
            "missed_hands": self.missed,
            "false_hands": self.false,
            "wrong_sides": self.wrong_sides,
            "returns_after_long_absence": self.appearances.returns,
            "mean_error_mm": rounded(1e3 * float(np.mean(self.errors))) if self.errors else None,
        }


def two_hand_figures(model: Path | Engine, detector: HandDetector | None, numbers: Iterable[int]) -> dict[str, Any]:
    """Figures of a model on held-out sequences of 300 frames each, sensors of the three kinds by turns, whole frames through
    the runtime's pipeline.

    :param model: file, or an engine
    :param detector: None: the finder of limbs' ends
    :param numbers: of the sequences, which are their seeds
    :return: sums over all, and the same of each sequence as `by_sequence`
    """
    engine = load_engine(model, "onnxruntime") if isinstance(model, Path) else model
    scores = []
    for number in tqdm(numbers, unit="sequence", disable=None):
        sequence = TwoHandSequence(number, held_out=True, kind=SensorKind(number % len(SensorKind)))
        scores.append(score_sequence(Pipeline(engine, detector=detector), sequence, sequence.camera))
    return summed(scores)


def score_sequence(pipeline: Pipeline, frames: Iterable[SequenceFrame], camera: Camera) -> SequenceScore:
    """Run every frame of a sequence through a pipeline that has not seen any."""
    score = SequenceScore(pipeline.settings.lost_frames)
    for frame in frames:
        depth = frame.depth_mm.astype(np.float32) / np.float32(1000)
        score.add(frame, pipeline.process(DepthFrame(depth, camera, round(1e9 * frame.stamp_s), "camera")))
    return score


def summed(scores: list[SequenceScore]) -> dict[str, Any]:
    """The figures of several sequences together, and of each."""
    each = [score.figures() for score in scores]
    errors = [error for score in scores for error in score.errors]
    total = {key: sum(one[key] for one in each) for key in each[0] if key != "mean_error_mm"} if each else {}
    return {
        "sequences": len(scores),
        **total,
        "mean_error_mm": rounded(1e3 * float(np.mean(errors))) if errors else None,
        "by_sequence": each,
    }


def _hand21(joints: np.ndarray, name: str) -> np.ndarray:
    return joints if name == HAND21.name else remap(joints, skeleton(name), HAND21)
