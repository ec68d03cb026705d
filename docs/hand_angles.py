"""Draws docs/hand_angles.png: `.venv/bin/python docs/hand_angles.py`."""

from pathlib import Path

import matplotlib
import numpy as np

from hand_pose_ros.hand.bones import ADULT, finger_chains
from hand_pose_ros.hand.kinematics import ANGLE_NAMES, hand_joints
from hand_pose_ros.skeleton import FINGERS, HAND21

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLOURS = dict(zip(FINGERS, ("#d95f02", "#b8a000", "#1b9e77", "#3b8fc4", "#c45aa8")))
ARROW = {"arrowstyle": "-|>", "lw": 1.6, "color": "black"}


def posed(**degrees: float) -> np.ndarray:
    """Joints (21, 3) in palm coordinates."""
    return hand_joints(np.radians([degrees.get(name, 0.0) for name in ANGLE_NAMES]), ADULT)


def draw(axes: plt.Axes, local: np.ndarray, across: int, along: int, sign: int, fingers: tuple[str, ...], **style) -> None:
    """The bones of these fingers: one palm coordinate to the side (times sign), another up."""
    for finger, chain in zip(FINGERS, finger_chains(local)):
        if finger in fingers:
            points = np.vstack([local[0], chain])
            axes.plot(sign * points[:, across], points[:, along], "o-", color=COLOURS[finger], lw=3, ms=6, **style)


def from_the_back(axes: plt.Axes) -> None:
    """x up, y to the left: abductions and the thumb's flexion."""
    spread = {"index_mcp_abduction": 12, "ring_mcp_abduction": 10, "little_mcp_abduction": 22}
    thumb = {"thumb_cmc_flexion": -45, "thumb_cmc_abduction": 15}
    local, zero = posed(**spread, **thumb), posed()
    draw(axes, zero, 1, 0, -1, ("index", "ring", "little", "thumb"), alpha=0.25)
    draw(axes, local, 1, 0, -1, FINGERS)
    for name, shift, at in (("index", -0.012, "right"), ("ring", 0.010, "left"), ("little", 0.012, "left")):
        tip, rest = (j[HAND21.index(f"{name}_tip")] for j in (local, zero))
        axes.annotate("", (-tip[1], tip[0] + 0.012), (-rest[1], rest[0] + 0.012), arrowprops=ARROW)
        axes.text(-tip[1] + shift, tip[0] + 0.014, f"{name}_mcp\nabduction +", ha=at, va="bottom", fontsize=8)
    tip, rest = (j[HAND21.index("thumb_tip")] for j in (local, zero))
    axes.annotate("", (-rest[1], rest[0]), (-tip[1], tip[0]), arrowprops={**ARROW, "connectionstyle": "arc3,rad=-0.25"})
    axes.text(-tip[1] - 0.004, tip[0] + 0.012, "thumb_cmc\nflexion +", ha="right", fontsize=8)
    for direction, name in (((0, 0.045), "x"), ((-0.045, 0), "y")):
        axes.annotate("", direction, (0, 0), arrowprops={**ARROW, "color": "#b00000"})
        axes.text(*(1.15 * np.array(direction)), name, color="#b00000", fontsize=11, ha="center", va="center")
    axes.text(0.005, -0.012, "wrist; z: out of the back", color="#b00000", fontsize=8)
    axes.set_title("right hand from its back", fontsize=10)


def from_the_side(axes: plt.Axes) -> None:
    """x up, z to the right: flexions of a finger, and the thumb's abduction."""
    local = posed(index_mcp_flexion=35, index_pip_flexion=45, index_dip_flexion=30, thumb_cmc_abduction=40)
    draw(axes, posed(), 2, 0, 1, ("index", "thumb"), alpha=0.25)
    draw(axes, local, 2, 0, 1, ("index", "thumb"))
    names = [f"index_{joint}" for joint in ("mcp", "pip", "dip", "tip")]
    chain = local[HAND21.indices(*names)]
    for i, name in enumerate(names[:-1]):
        before = chain[i] - chain[i - 1] if i else np.array([1.0, 0, 0])
        start = chain[i] + before / np.linalg.norm(before) * 0.022
        after = chain[i + 1] - chain[i]
        end = chain[i] + after / np.linalg.norm(after) * 0.022
        axes.plot([chain[i][2], start[2]], [chain[i][0], start[0]], ":", color="gray", lw=1)
        axes.annotate("", end[[2, 0]], start[[2, 0]], arrowprops={**ARROW, "connectionstyle": "arc3,rad=0.25"})
        axes.text(start[2] + 0.004, start[0] + 0.002, f"{name}\nflexion +", fontsize=8)
    tip, rest = (j[HAND21.index("thumb_tip")] for j in (local, posed()))
    axes.annotate("", tip[[2, 0]], rest[[2, 0]], arrowprops={**ARROW, "connectionstyle": "arc3,rad=0.25"})
    axes.text(tip[2] - 0.004, tip[0] + 0.002, "thumb_cmc\nabduction +", ha="right", fontsize=8)
    axes.text(-0.045, -0.012, "palm side", fontsize=8, color="gray")
    axes.text(0.012, -0.012, "back side (z)", fontsize=8, color="gray")
    axes.set_title("from the thumb's side", fontsize=10)


figure, panels = plt.subplots(1, 2, figsize=(9.5, 5.2), width_ratios=(1.25, 1))
for panel, content in zip(panels, (from_the_back, from_the_side)):
    content(panel)
    panel.set_aspect("equal")
    panel.axis("off")
    panel.margins(0.12)
figure.tight_layout()
figure.savefig(Path(__file__).with_suffix(".png"), dpi=110)
