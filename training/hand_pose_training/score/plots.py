"""Plots of a score: good frames both ways, errors by joint, PCK; all files that were compared in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Distinct to colour-blind readers, too (Okabe and Ito).
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
STYLES = ("-", "--", ":")
DPI = 120
# A curve that has reached 100 % stays visible.
PERCENT = (0, 101)


def draw(figures: dict[str, Any], folder: Path) -> list[Path]:
    """Write good_frames.png, joint_errors.png and pck.png, which the folder need not have yet; returns their paths.

    :param figures: of `score`
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = named_files(figures)
    drawn = {
        "good_frames.png": good_frames(figures, files),
        "joint_errors.png": joint_errors(figures, files),
        "pck.png": pck(figures, files),
    }
    for name, figure in drawn.items():
        figure.savefig(folder / name, dpi=DPI)
    return [folder / name for name in drawn]


def named_files(figures: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The figures of each file of predictions by the name in the legend: the first one's is its file's."""
    name = Path(figures["predictions"]).stem
    while name in figures["compared"]:
        name += "'"
    return {name: figures, **figures["compared"]}


def good_frames(figures: dict[str, Any], files: dict[str, dict[str, Any]]) -> Figure:
    """The share of good frames over the threshold, by the worst joint and by the average one."""
    figure = _figure(figures, 11.0)
    for axes, way in zip(figure.subplots(1, 2, sharey=True), ("worst_joint", "average_joint")):
        for style, (name, found) in zip(_styles(), files.items()):
            curve = found["curves"][f"good_frames_by_{way}"]
            axes.plot(found["curves"]["threshold_mm"], _percent(curve), label=name, **style)
        _label(axes, f"frames good by their {way.replace('_', ' ')}", "threshold [mm]", "frames [%]")
        axes.set_ylim(*PERCENT)
    return figure


def pck(figures: dict[str, Any], files: dict[str, dict[str, Any]]) -> Figure:
    """The share of joints within the threshold; the range of the AUC is shaded."""
    figure = _figure(figures, 6.5)
    axes = figure.subplots()
    low, high = figures["auc_pck_limits_mm"]
    axes.axvspan(low, high, color="#eeeeee", zorder=0)
    for style, (name, found) in zip(_styles(), files.items()):
        auc = found["auc_pck"]
        label = name if auc is None else f"{name}: AUC {auc:.3f}"
        axes.plot(found["curves"]["threshold_mm"], _percent(found["curves"]["pck"]), label=label, **style)
    _label(axes, f"correct keypoints, AUC from {low:g} to {high:g} mm", "threshold [mm]", "joints [%]")
    axes.set_ylim(*PERCENT)
    return figure


def joint_errors(figures: dict[str, Any], files: dict[str, dict[str, Any]]) -> Figure:
    """Mean error of each joint as bars, the mean over all of them last."""
    figure = _figure(figures, max(6.5, 0.55 * len(figures["joints"]) + 2))
    axes = figure.subplots()
    names = [*figures["joints"], "mean"]
    width = 0.8 / len(files)
    for i, (style, (name, found)) in enumerate(zip(_styles(), files.items())):
        heights = np.array([*found["joint_error_mm"].values(), found["mean_error_mm"]], dtype=float)
        places = np.arange(len(names)) + (i - (len(files) - 1) / 2) * width
        axes.bar(places, heights, width, label=name, color=style["color"], hatch="" if style["linestyle"] == "-" else "//")
    axes.set_xticks(range(len(names)), [name.replace("_", " ") for name in names], rotation=60, ha="right")
    _label(axes, "mean error by joint", "", "error [mm]")
    axes.grid(False, axis="x")
    return figure


def _figure(figures: dict[str, Any], width: float) -> Figure:
    figure = Figure(figsize=(width, 4.8), layout="constrained")
    lines = (
        f"{figures['dataset']}, {figures['frames']} frames, centre: {figures['center']}",
        f"alignment: {figures['alignment']}",
    )
    figure.suptitle("\n".join(lines), fontsize=9)
    return figure


def _label(axes: Axes, title: str, x: str, y: str) -> None:
    axes.set_title(title, fontsize=10)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.grid(True, color="#dddddd")
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    axes.legend(fontsize=8)


def _styles() -> list[dict[str, str]]:
    """A colour and a line style each, more than anybody compares."""
    return [{"color": color, "linestyle": style} for style in STYLES for color in COLORS]


def _percent(fractions: list[float | None]) -> np.ndarray:
    return 100 * np.array(fractions, dtype=float)
