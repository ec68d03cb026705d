"""The plots of a report."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hand_pose_ros.viz.svg import bar_plot, line_plot

# Recordings that get a plot over time; the figures of all are in figures.json.
MOST_OVER_TIME = 12


def good_frames(columns: Sequence[Any]) -> str:
    """Share of the hands whose worst joint is within the threshold: of those found, with the AUC in the legend."""
    series = {}
    for column in columns:
        overall = column.figures["overall"]
        curve, auc = overall["good_frame_curve"], overall["good_frame_auc_0_80mm"]
        shares = [None if share is None else 100 * share for share in curve["share"]]
        series[column.name if auc is None else f"{column.name}: AUC {auc:.3f}"] = curve["threshold_mm"], shares
    title = "Hands whose worst joint is within the threshold, of those found"
    if len(series) == 1:
        title += f" ({next(iter(series)).rpartition(': ')[2]})"
    return line_plot(series, title=title, x="threshold [mm]", y="hands [%]", y_limits=(0.0, 100.0))


def joints(columns: Sequence[Any]) -> str:
    """Mean error of each joint as bars."""
    errors = {column.name: column.figures["overall"]["joint_error_mm"] for column in columns}
    names = list(dict.fromkeys(name for by_joint in errors.values() for name in by_joint))
    series = {name: [by_joint.get(joint) for joint in names] for name, by_joint in errors.items()}
    return bar_plot([name.replace("_", " ") for name in names], series, title="Mean error by joint", y="error [mm]")


def over_time(columns: Sequence[Any]) -> str:
    """Mean error over the time of each recording, all runs in one plot."""
    labels = list(dict.fromkeys(label for column in columns for label in column.figures["recordings"]))
    plots = []
    for label in labels[:MOST_OVER_TIME]:
        series = {}
        for column in columns:
            times = column.figures["recordings"].get(label, {}).get("over_time")
            if times:
                series[column.name] = times["seconds"], times["mean_error_mm"]
        if any(xs for xs, _ in series.values()):
            title = f"{label}: mean error over time (gaps: no hand found or known)"
            plots.append(line_plot(series, title=title, x="time [s]", y="error [mm]", width=900, height=240))
    return "".join(plots)
