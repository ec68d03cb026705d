"""The demo's figures and its table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros import metrics
from hand_pose_ros.bags.score import Score
from hand_pose_ros.demo.session import Session
from hand_pose_ros.messages.read_hands import joints_of
from hand_pose_ros.skeleton import HAND21


def session_figures(session: Session, rate_hz: float) -> dict[str, Any]:
    """What demo_out/figures.json holds.

    frames_with_hand counts the frames answered with a hand within 50 mm of the true one (with any hand, where no joints are
    known). The errors are of the joints of hands within 50 mm; a true hand without one is missed, a found one that belongs to no
    true one is false (None where no joints are known). Latency is from the image's stamp to the arrival of the hands.
    """
    answered = [frame for frame in session.frames if frame.answer is not None]
    score = Score(HAND21)
    for frame in answered:
        if frame.true is not None:
            score.add([joints_of(hand, HAND21) for hand in frame.answer.hands], frame.true)
    with_hand = score.frames_with_hand if session.truth_known else sum(bool(frame.answer.hands) for frame in answered)
    figures: dict[str, Any] = {
        "recording_rate_hz": metrics.rounded(rate_hz),
        "frames_sent": len(session.frames),
        "frames_answered": len(answered),
        "frames_with_hand": with_hand,
        "frames_dropped": len(session.frames) - len(answered),
        "joints_known": session.truth_known,
        "missed_hands": score.missed_hands if session.truth_known else None,
        "false_hands": score.false_hands if session.truth_known else None,
        **metrics.error_figures(score.errors, HAND21),
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
        (f"answered with a hand{' within 50 mm of the true one' if known else ''}", figures["frames_with_hand"]),
        ("dropped", figures["frames_dropped"]),
        *([("hands missed in those answers", figures["missed_hands"])] if known else []),
        *([("hands found where there is none", figures["false_hands"])] if known else []),
        ("mean error of the joints of hands within 50 mm", millimetres),
        ("latency from image stamp to hands, p50", _ms(figures["latency_p50_ms"])),
        ("latency from image stamp to hands, p99", _ms(figures["latency_p99_ms"])),
    ]
    stages = [key.removesuffix("_p50_ms") for key in figures if key.endswith("_p50_ms") and key != "latency_p50_ms"]
    rows += [(f"  {stage}, p50", _ms(figures[f"{stage}_p50_ms"])) for stage in stages]
    width = max(len(name) for name, _ in rows) + 2
    lines = [f"{name:<{width}}{value!s:>12}" for name, value in rows]
    return "\n".join([*lines, "", *(f"{what + ':':<{width}}{path}" for what, path in files.items())])


def _ms(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1f} ms"
