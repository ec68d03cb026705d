"""Solids and outlines as the builders of things put them together, metres."""

from __future__ import annotations

import numpy as np

from hand_pose_training.synthetic.solids import Kind, Solid


def box(x: float, y: float, z: float, center: tuple[float, float, float] = (0, 0, 0)) -> Solid:
    return Solid(Kind.BOX, (x / 2, y / 2, z / 2), center=np.array(center, float))


def revolved(*profile: tuple[float, float], shift: float = 0.0) -> Solid:
    """A profile of (radius, y) from bottom to top without its ends on the axis, moved by `shift` along y."""
    outline = np.array([(0, profile[0][1]), *profile, (0, profile[-1][1])], float)
    return Solid(Kind.REVOLVED, outline=outline, center=np.array([0, shift, 0.0]))


def cylinder(radius: float, length: float, y: float = 0.0) -> Solid:
    return revolved((radius, -length / 2), (radius, length / 2), shift=y)


def rounded_rectangle(width: float, height: float, corner: float) -> np.ndarray:
    """(12, 2) outline with three points a corner."""
    turn = np.radians([0, 45, 90])
    arc = corner * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    x, y = width / 2 - corner, height / 2 - corner
    corners = [arc, arc[::-1] * (-1, 1), -arc, arc[::-1] * (1, -1)]
    middles = np.array([(x, y), (-x, y), (-x, -y), (x, -y)])
    return np.concatenate([corner + middle for corner, middle in zip(corners, middles)])


def oval(width: float, breadth: float, points: int = 12) -> np.ndarray:
    turn = np.arange(points) * (2 * np.pi / points)
    return np.stack([width / 2 * np.cos(turn), breadth / 2 * np.sin(turn)], axis=1)


# A plate-like solid extruded along its thin axis: y of the solid to x of the thing.
ON_EDGE = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
