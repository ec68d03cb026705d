"""The figures of a replay."""

from __future__ import annotations

import logging
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros import metrics
from hand_pose_ros.bags.answer import Answer
from hand_pose_ros.bags.results import BAG, FIGURES, JOINTS, REPLAY
from hand_pose_ros.bags.score import Score
from hand_pose_ros.bags.source import Source
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.messages.library import stamp_ns
from hand_pose_ros.messages.read_hands import joints_of
from hand_pose_ros.scoring.histogram import TIME_EDGES_MS, Histogram
from hand_pose_ros.skeleton import skeleton
from hand_pose_ros.viz.pictures import PICTURES, VIDEO

log = logging.getLogger(__name__)


class Tally:
    """Counts while frames go by; of those whose known joints have come, only their errors stay in memory.

    :ivar frames, failed: so far; failed ones could not be answered, `first_error` says why the first could not
    :ivar complete: to be set when the last frame was read
    """

    def __init__(self, source: Source, engine: Engine) -> None:
        self.frames = self.failed = 0
        self.first_error = ""
        self.complete = False
        self._source, self._engine = source, engine
        self._with_hand = 0
        self._stage_ms: dict[str, Histogram] = defaultdict(lambda: Histogram(TIME_EDGES_MS))
        self._total_ms = 0.0
        self._found: dict[int, list[np.ndarray]] = {}  # by stamp; until the known joints come
        self._skeleton = skeleton(engine.card.skeleton)
        self._score = Score(self._skeleton)
        self._truth_known = False
        self._answered_ns = 0

    def true_joints(self, answer: Answer) -> list[np.ndarray]:
        """Known joints of a frame's hands, (J, 3) metres each; none where they are not known."""
        known = self._source.truth.get(stamp_ns(answer.frame.image.header))
        return self._joints(known) if known else []

    def add(self, answer: Answer) -> None:
        """One frame."""
        self.frames += 1
        self._count(answer)
        self._compare()

    def _count(self, answer: Answer) -> None:
        if answer.result is None:
            self.failed += 1
            if not self.first_error:
                self.first_error = answer.error
                log.warning("frame %s: %s", answer.frame.name, answer.error)
            return
        self._with_hand += bool(answer.result.hands)
        self._answered_ns = answer.result.stamp_ns
        if self._source.truth_topic:
            self._found[answer.result.stamp_ns] = [hand.joints for hand in answer.result.hands]
        for stage, milliseconds in answer.result.stage_ms.items():
            self._stage_ms[stage].add(milliseconds)
        self._total_ms += answer.result.stage_ms["total"]

    def _compare(self) -> None:
        """Score what is both found and known, and forget it, and what is known of images that went by without an answer."""
        truth = self._source.truth
        self._truth_known |= bool(truth)
        for stamp in self._found.keys() & truth.keys():
            self._score.add(self._found.pop(stamp), self._joints(truth.pop(stamp)))
        while truth and (oldest := next(iter(truth))) < self._answered_ns:
            del truth[oldest]

    def _joints(self, known: Any) -> list[np.ndarray]:
        return [joints_of(hand, self._skeleton) for hand in known.hands]

    def figures(self) -> dict[str, Any]:
        """What figures.json holds; times are exact to 1 %, and the model is the file that ran, whichever was named."""
        self._compare()
        answered = self.frames - self.failed
        figures: dict[str, Any] = {
            "kind": REPLAY,
            "recording": str(self._source.path),
            "complete": self.complete,
            "model": self._engine.card.name,
            "model_file": self._engine.path.name,
            "precision": self._engine.card.precision,
            "backend": self._engine.backend,
            "frames": self.frames,
            "frames_with_hand": self._with_hand,
            "frames_failed": self.failed,
            "recording_rate_hz": metrics.rounded(self._source.rate_hz),
            "frames_per_second": metrics.rounded(1e3 * answered / self._total_ms) if answered else None,
        }
        for stage, milliseconds in self._stage_ms.items():
            figures.update({f"{stage}_p{rank}_ms": metrics.rounded(milliseconds.percentile(rank)) for rank in (50, 99)})
        if self._truth_known:
            figures["known_joints"] = self._score.figures()
        return figures


def summary(figures: dict[str, Any], folder: Path, *, video: bool) -> str:
    """The figures and files for the terminal."""
    stages = [key.removesuffix("_p50_ms") for key in figures if key.endswith("_p50_ms")]
    lines = [
        f"model: {figures['model']} ({figures['model_file']}, {figures['precision']}) on {figures['backend']}",
        f"{figures['frames_with_hand']} of {figures['frames']} frames with a hand, {figures['frames_failed']} not answered",
    ]
    if stages:
        times = ", ".join(f"{stage} {figures[f'{stage}_p50_ms']:.2f}" for stage in stages)
        lines.append(f"median milliseconds a frame: {times} ({figures['frames_per_second']:.0f} frames per second)")
    known = figures.get("known_joints")
    if known and known["mean_error_mm"] is not None:
        lines.append(
            f"against known joints: {known['frames_within_50mm']} of {known['frames_with_known_joints']} frames within 50 mm, "
            f"mean error {known['mean_error_mm']:.1f} mm, median {known['median_error_mm']:.1f} mm"
        )
    files = {"hands, markers, TF (MCAP)": BAG, "joints": JOINTS, "pictures": PICTURES, "figures": FIGURES}
    if video:
        files["video"] = VIDEO
    return "\n".join([*lines, *(f"{what}: {folder / name}" for what, name in files.items())])
