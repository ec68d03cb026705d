"""The demo's figures and its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros import metrics
from hand_pose_ros.bags.results import DEMO
from hand_pose_ros.demo.session import MUST_SEE, SentFrame, Session, known_hand
from hand_pose_ros.perception.settings import DEFAULTS
from hand_pose_ros.perception.types import Side
from hand_pose_ros.scoring.appearances import Appearances
from hand_pose_ros.scoring.identity import IdentityTally
from hand_pose_ros.scoring.matching import SAME_HAND_M, hand_distance, match_hands
from hand_pose_ros.skeleton import HAND21


class Scores:
    """Counts over the frames of a session whose hands are known.

    :ivar with_hand: frames in which every known hand (at least one) was found
    :ivar missed, false: known hands that were not found, and hands found where there is none
    :ivar hardly_seen: known hands of which too little is in view for them to count as missed or found
    :ivar errors: errors (21,) in metres of the hands that were found, by the id and the side of the known one
    """

    def __init__(self) -> None:
        self.with_hand = self.missed = self.false = self.hardly_seen = 0
        self.identities, self.appearances = IdentityTally(), Appearances(DEFAULTS.lost_frames)
        self.errors: dict[tuple[int, int], list[np.ndarray]] = {}

    def add(self, frame: SentFrame) -> None:
        """The next frame that was answered."""
        self.hardly_seen += len(frame.hardly_seen)
        ids = self.appearances.add(hand.id for hand in frame.true)
        matches = match_hands([known_hand(hand) for hand in frame.answer.hands], frame.true)
        self.with_hand += bool(frame.true) and all(m.found is not None for m in matches if m.true is not None)
        for true, found, errors in matches:
            if true is None:
                self.false += not any(hand_distance(found.joints, h.joints) < SAME_HAND_M for h in frame.hardly_seen)
            elif found is None:
                self.missed += 1
            else:
                self.errors.setdefault((true.id, true.side), []).append(errors)
        stretches = [m if m.true is None else m._replace(true=m.true._replace(id=ids[m.true.id])) for m in matches]
        self.identities.add(stretches)

    def by_hand(self) -> list[dict[str, Any]]:
        """Figures of each known hand."""
        return [
            {
                "id": number,
                "side": Side(side).name.lower(),
                "found": len(errors),
                "mean_error_mm": metrics.rounded(1e3 * metrics.mean_joint_error(np.array(errors))),
            }
            for (number, side), errors in sorted(self.errors.items())
        ]

    def all_errors(self) -> np.ndarray:
        """(N, 21) metres."""
        return np.array([e for errors in self.errors.values() for e in errors]).reshape(-1, len(HAND21))


def session_figures(session: Session, rate_hz: float) -> dict[str, Any]:
    """What demo_out/figures.json holds.

    frames_with_hand counts the frames answered with a hand within 50 mm of every true one (with any hand, where no joints are
    known). The errors are of the joints of hands within 50 mm; a true hand without one is missed, a found one that belongs to no
    true one is false. A true hand of which less than MUST_SEE is in view counts nowhere but in hardly_seen_hands. An id switch is
    a true hand found under another id than before, unless it was away for longer than hands are remembered: `returns` counts
    that. (None where no joints are known.) Latency is from the image's stamp to the arrival of the hands.
    """
    answered = [frame for frame in session.frames if frame.answer is not None]
    scores = Scores()
    for frame in answered:
        if frame.true is not None:
            scores.add(frame)
    known = session.truth_known
    figures: dict[str, Any] = {
        "kind": DEMO,
        "complete": True,
        "recording_rate_hz": metrics.rounded(rate_hz),
        "frames_sent": len(session.frames),
        "frames_answered": len(answered),
        "frames_with_hand": scores.with_hand if known else sum(bool(frame.answer.hands) for frame in answered),
        "frames_dropped": len(session.frames) - len(answered),
        "joints_known": known,
        "missed_hands": scores.missed if known else None,
        "false_hands": scores.false if known else None,
        "hardly_seen_hands": scores.hardly_seen if known else None,
        "id_switches": scores.identities.switches if known else None,
        "returns": scores.appearances.returns if known else None,
        "by_hand": scores.by_hand() if known else None,
        **metrics.error_figures(scores.all_errors(), HAND21),
        **metrics.latency_figures("latency", [frame.latency_ms for frame in answered]),
    }
    for stage, medians in session.stage_ms.items():
        figures[f"{stage}_p50_ms"] = metrics.rounded(float(np.median(medians)))
    return figures


def table(figures: dict[str, Any], files: dict[str, Path]) -> str:
    """The figures and files as text."""
    known, error = figures["joints_known"], figures["mean_error_mm"]
    millimetres = "unknown" if error is None else f"{error:.1f} mm"
    rows = [
        (f"frames sent, {figures['recording_rate_hz']:.0f} a second", figures["frames_sent"]),
        ("answered", figures["frames_answered"]),
        (f"answered with {'every hand within 50 mm of the true one' if known else 'a hand'}", figures["frames_with_hand"]),
        ("dropped", figures["frames_dropped"]),
        *([("hands missed in those answers", figures["missed_hands"])] if known else []),
        *([("hands found where there is none", figures["false_hands"])] if known else []),
        *([(f"hands less than {100 * MUST_SEE:.0f} % in view, not counted", figures["hardly_seen_hands"])] if known else []),
        *([("ids that changed", figures["id_switches"])] if known else []),
        *([("hands that came back after a while, under a new id", figures["returns"])] if known and figures["returns"] else []),
        ("mean error of the joints of hands within 50 mm", millimetres),
        *_hand_rows(figures["by_hand"] or []),
        ("latency from image stamp to hands, p50", _ms(figures["latency_p50_ms"])),
        ("latency from image stamp to hands, p99", _ms(figures["latency_p99_ms"])),
    ]
    stages = [key.removesuffix("_p50_ms") for key in figures if key.endswith("_p50_ms") and key != "latency_p50_ms"]
    rows += [(f"  {stage}, p50", _ms(figures[f"{stage}_p50_ms"])) for stage in stages]
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{name:<{width}}{value!s:>12}" for name, value in rows]
    return "\n".join([*lines, "", *(f"{what + ':':<{width}}{path}" for what, path in files.items())])


def _hand_rows(hands: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """One row for each of several hands."""
    if len(hands) < 2:
        return []
    named = [f"hand {h['id']}" if h["side"] == "unknown" else f"{h['side']} hand" for h in hands]
    return [(f"  {name}, found {h['found']} times", f"{h['mean_error_mm']:.1f} mm") for name, h in zip(named, hands)]


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} ms"
