"""The figures of an evaluation as text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def table(figures: dict[str, Any]) -> str:
    """The figures as text: what was measured on, errors, slices, joints, what covariance and confidence are worth."""
    heading = f"{figures['model']} on {figures['crops']} {figures['set']} crops, centre: {figures['center']}."
    rows = [*_quotas(figures), *_overall(figures), *_detection(figures), *_slices(figures), *_joints(figures), *_worth(figures)]
    return "\n".join([heading, *(f"{name:34s} {value}" for name, value in rows)])


def _quotas(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, counts in figures.get("quotas", {}).items():
        yield f"quota, {name}", ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _overall(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "mean error", f"{figures['mean_error_mm']:.2f} mm"
    yield "median error", f"{figures['median_error_mm']:.2f} mm"
    yield "frames with all joints in 30 mm", _percent(figures["good_frames_30mm"])
    if "given_side" in figures:
        yield "mean error, side told", f"{figures['given_side']['mean_error_mm']:.2f} mm"
    if "side_right_share" in figures:
        yield "sides told rightly", _percent(figures["side_right_share"])
    if "presence_auc" in figures:
        crops = figures.get("presence_crops")
        over = f", {crops['hands']} hands and {crops['others']} hard negatives" if crops else ""
        yield "presence, area under ROC", f"{figures['presence_auc']:.4f}{over}"
    if "presence_right_share" in figures:
        yield "presence told rightly", _percent(figures["presence_right_share"])


def _detection(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if "recall" not in figures:
        return
    yield "found in the whole frame", f"{_percent(figures['recall'])}; the errors are of these"
    missed = figures["not_found"]
    near = missed["at_nearest_candidate"]
    if missed["crops"]:
        error = f"mean error there {near['mean_error_mm']:.2f} mm" if near["crops"] else ""
        yield "  not found", f"{missed['crops']} hands, {near['crops']} near a candidate {error}".rstrip()
        with_candidates = figures["found_or_candidate"]
        yield "  mean error with the latter", f"{with_candidates['mean_error_mm']:.2f} mm, {with_candidates['crops']} hands"
    yield "  false hands", f"{figures['false_hands_per_100_frames']:.2f} in 100 frames"
    frames = figures["whole_frames"]
    if frames["recall"] is not None:
        found = f"{_percent(frames['recall'])} of {frames['hands']} hands found, "
        found += f"{frames['false_hands_per_100_frames']:.2f} false ones in 100 frames"
        yield f"{frames['frames']} frames of 0 to 4 hands", found
    displaced = figures["displaced_center"]
    yield "mean error, true centres displaced", f"{displaced['mean_error_mm']:.2f} mm"


def _slices(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    recall = figures.get("recall_by_slice", {})
    for name, v in figures["slices"].items():
        if v["crops"]:
            text = f"{v['mean_error_mm']:.2f} mm mean, {v['median_error_mm']:.2f} mm median, {v['crops']} crops"
            if "side_right_share" in v:
                text += f", side {_percent(v['side_right_share'])}"
            if name in recall:
                text += f", found {_percent(recall[name])}"
            if "joints_within_sigma" in v:
                shares = " ".join(f"{100 * share:.1f}" for share in v["joints_within_sigma"].values())
                text += f", within 1 2 3 sigma {shares} %"
            yield f"  {name}", text


def _joints(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, error in figures["joint_error_mm"].items():
        if error is not None:
            yield f"  {name}", f"{error:.2f} mm"


def _worth(figures: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, v in figures.get("joints_within_sigma", {}).items():
        yield f"  joints within {name}", f"{_percent(v['share'])} (nominal {_percent(v['nominal_share'])})"
    for v in figures.get("confidence", {}).get("bins", []):
        yield (
            f"  confidence {v['from']:.1f} to {v['to']:.1f}",
            f"{_percent(v['share_within_20mm'])} within 20 mm, {v['joints']} joints",
        )
    for name, v in figures.get("risk_coverage", {}).items():
        if v is not None:
            curve = ", ".join(f"{error:.1f} mm at {float(share):.0%}" for share, error in v["mean_error_mm"].items())
            yield f"  mean error of the surest {name}", curve
            areas = f"{v['area_mm']:.2f} mm (best ranking {v['best_area_mm']:.2f}, none {v['unranked_area_mm']:.2f})"
            yield "    area under that curve", areas


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
