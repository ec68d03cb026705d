"""The figures of a score as text, and what they depend on above them."""

from __future__ import annotations

from typing import Any


def table(figures: dict[str, Any]) -> str:
    """Everything but the curves, for reading."""
    left_out = f" without {', '.join(figures['joints_left_out'])}" if figures["joints_left_out"] else ""
    lines = [
        f"{figures['predictions']} against {figures['ground_truth']}",
        f"{figures['dataset']}: {figures['frames']} frames, {len(figures['joints'])} joints{left_out}, millimetres",
        f"centre: {figures['center']}; alignment: {figures['alignment']}",
    ]
    if not figures["complete"]:
        full = " or ".join(str(n) for n in figures["test_set_frames"])
        lines.append(f"the benchmark's test set has {full} frames: these figures do not compare with published ones")
    lines += ["", *overall(figures)]
    lines += [f"  {name:30s} {_mm(error)}" for name, error in figures["joint_error_mm"].items()]
    for name, other in figures["other_alignments"].items():
        lines += ["", f"alignment {name}: {other['alignment']}", *overall(other)]
    if "subsets" in figures:
        lines += ["", f"{'subset':32s} frames  mean error"]
        lines += [f"{name:32s} {v['frames']:6d}  {_mm(v['mean_error_mm'])}" for name, v in figures["subsets"].items()]
        lines.append(f"{'AVG (all frames)':32s} {figures['frames']:6d}  {_mm(figures['mean_error_mm'])}")
        lines.append(f"{'mean of the subsets':32s}         {_mm(figures['mean_of_subsets_mm'])}")
    for name, other in figures["compared"].items():
        lines += ["", f"{name}: {other['predictions']}", *overall(other)]
    return "\n".join(lines)


def overall(figures: dict[str, Any]) -> list[str]:
    """Mean, median, good frames and AUC, a line each."""
    low, high = figures["auc_pck_limits_mm"]
    return [
        f"{'mean error':32s} {_mm(figures['mean_error_mm'])}",
        f"{'median error':32s} {_mm(figures['median_error_mm'])}",
        _good("good frames by the worst joint", figures["good_frames_by_worst_joint"]),
        _good("good frames by the average", figures["good_frames_by_average_joint"]),
        f"{f'AUC of PCK, {low:g} to {high:g} mm':32s} {_text(figures['auc_pck'], 4)}",
    ]


def _good(title: str, fractions: dict[str, float | None]) -> str:
    shares = " / ".join(_text(None if v is None else 100 * v, 1) for v in fractions.values())
    return f"{title:32s} {shares} % within {' / '.join(k.removesuffix('_mm') for k in fractions)} mm"


def _mm(error: float | None) -> str:
    return f"{_text(error, 3)} mm"


def _text(value: float | None, digits: int) -> str:
    return "none" if value is None else f"{value:.{digits}f}"
