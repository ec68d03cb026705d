"""Builders of everyday things, each (rng, width at the grip) -> a body in the frame that `objects` describes."""

from __future__ import annotations

import numpy as np

from hand_pose_training.synthetic.parts import ON_EDGE, box, cylinder, oval, revolved, rounded_rectangle
from hand_pose_training.synthetic.solids import Body, Kind, Solid


def sheet(rng: np.random.Generator, thickness: float, height: float, breadth: float, corner: float = 0.0) -> Body:
    """A rectangular plate taken somewhere at one of its edges."""
    if rng.random() < 0.4:
        height, breadth = breadth, height
    along = rng.uniform(-0.3, 0.3) * breadth
    if corner > 0:
        outline = rounded_rectangle(height, breadth, corner)
        return Body((Solid(Kind.EXTRUDED, (thickness / 2,), outline, ON_EDGE, np.array([0, height / 2, along])),))
    return Body((box(thickness, height, breadth, (0, height / 2, along)),))


def stick(rng: np.random.Generator, width: float) -> Body:
    length = rng.uniform(0.09, 0.4)
    at = rng.uniform(-0.35, 0.35) * length
    return Body((cylinder(width / 2, length, at) if rng.random() < 0.6 else box(width, length, width, (0, at, 0)),))


def pen(rng: np.random.Generator, width: float) -> Body:
    r, length = width / 2, rng.uniform(0.12, 0.17)
    return Body((revolved((0.001, -0.025), (r, -0.006), (r, length - 0.035), (0.8 * r, length - 0.025)),))


def can(rng: np.random.Generator, width: float) -> Body:
    r, half = width / 2, rng.uniform(0.045, 0.08)
    edge = 0.1 * r
    at = rng.uniform(-0.4, 0.4) * half
    return Body((revolved((r - edge, -half), (r, -half + edge), (r, half - edge), (r - edge, half), shift=at),))


def jar(rng: np.random.Generator, width: float) -> Body:
    r, half = width / 2, rng.uniform(0.035, 0.07)
    lid, height = r * rng.uniform(0.75, 0.98), rng.uniform(0.01, 0.02)
    top = (r, half - 0.008), (lid - 0.002, half), (lid, half), (lid, half + height)
    return Body((revolved((r, -half), *top, shift=rng.uniform(-0.3, 0.3) * half),))


def glass(rng: np.random.Generator, width: float) -> Body:
    r, half = width / 2, rng.uniform(0.04, 0.07)
    low = r * rng.uniform(0.7, 1.0)
    wall = 0.003
    inside = (r - wall, half), (low - wall, -half + 0.006)
    return Body((revolved((low, -half), (r, half), *inside),))


def box_bar(rng: np.random.Generator, width: float) -> Body:
    length = rng.uniform(0.08, 0.24)
    return Body((box(width, length, width * rng.uniform(0.8, 1.6), (0, rng.uniform(-0.3, 0.3) * length, 0)),))


def remote(rng: np.random.Generator, width: float) -> Body:
    outline = rounded_rectangle(width, width * rng.uniform(1.4, 2.2), 0.3 * width)
    half = rng.uniform(0.055, 0.1)
    return Body((Solid(Kind.EXTRUDED, (half,), outline, center=np.array([0, rng.uniform(-0.3, 0.5) * half, 0])),))


def torch(rng: np.random.Generator, width: float) -> Body:
    r, half, head = width / 2, rng.uniform(0.05, 0.09), width * rng.uniform(0.55, 0.85)
    return Body((revolved((r, -half), (r, half), (head, half + 0.02), (head, half + 0.045)),))


def screwdriver(rng: np.random.Generator, width: float) -> Body:
    r, half, shaft = width / 2, rng.uniform(0.045, 0.06), rng.uniform(0.0025, 0.005)
    tip = half + rng.uniform(0.06, 0.16)
    return Body((revolved((0.7 * r, -half), (r, -half + 0.012), (r, half - 0.015), (shaft, half), (shaft, tip)),))


def hammer(rng: np.random.Generator, width: float) -> Body:
    length = rng.uniform(0.2, 0.3)
    handle = Solid(Kind.EXTRUDED, (length / 2,), oval(width, 1.25 * width), center=np.array([0, length / 2 - 0.06, 0]))
    head = rng.uniform(0.022, 0.034)
    return Body((handle, box(head, head, rng.uniform(0.08, 0.13), (0, length - 0.07, 0))))


def knife(rng: np.random.Generator, width: float) -> Body:
    handle = Solid(Kind.EXTRUDED, (0.06,), oval(width, 1.3 * width))
    blade, height = rng.uniform(0.1, 0.2), rng.uniform(0.018, 0.045)
    return Body((handle, box(0.003, blade, height, (0, 0.06 + blade / 2, 0))))


def spoon(rng: np.random.Generator, width: float) -> Body:
    length = rng.uniform(0.12, 0.24)
    bowl = np.array([width * 0.6, 0.03, 0.02]) * rng.uniform(0.8, 1.3)
    return Body(
        (
            cylinder(width / 2, length, length * 0.3),
            Solid(Kind.SUPERELLIPSOID, (*bowl, 2.0), center=np.array([0, 0.8 * length + 0.02, 0])),
        )
    )


def banana(rng: np.random.Generator, width: float) -> Body:
    ring = rng.uniform(0.09, 0.14)
    solid = Solid(Kind.ARC, (ring, width / 2, rng.uniform(0.4, 0.65)), center=np.array([-ring, 0, 0]))
    turn = np.array([[0.0, 0, 1.0], [0, 1.0, 0], [-1.0, 0, 0]]) if rng.random() < 0.5 else np.eye(3)
    return Body((solid,)).moved(turn, np.zeros(3))


def bag_handle(rng: np.random.Generator, width: float) -> Body:
    half = rng.uniform(0.055, 0.075)
    handle = Solid(Kind.ARC, (half, width / 2, np.pi / 2), center=np.array([-half, 0, 0]))
    deep = rng.uniform(0.06, 0.16)
    return Body((handle, box(deep, rng.uniform(0.12, 0.25), rng.uniform(0.03, 0.1), (-half - deep / 2, 0, 0))))


def phone(rng: np.random.Generator, width: float) -> Body:
    return sheet(rng, width, rng.uniform(0.135, 0.165), rng.uniform(0.065, 0.078), 0.009)


def tablet(rng: np.random.Generator, width: float) -> Body:
    return sheet(rng, width, rng.uniform(0.19, 0.25), rng.uniform(0.13, 0.18), 0.01)


def card(rng: np.random.Generator, width: float) -> Body:
    return sheet(rng, width, 0.086, 0.054, 0.003)


def paper(rng: np.random.Generator, width: float) -> Body:
    return sheet(rng, width, rng.uniform(0.1, 0.3), rng.uniform(0.1, 0.21))


def book(rng: np.random.Generator, width: float) -> Body:
    return sheet(rng, width, rng.uniform(0.17, 0.25), rng.uniform(0.11, 0.18))


def carton(rng: np.random.Generator, width: float) -> Body:
    return sheet(rng, width, rng.uniform(0.08, 0.2), rng.uniform(0.06, 0.14))


def plate(rng: np.random.Generator, width: float) -> Body:
    r = rng.uniform(0.05, 0.12)
    return Body((Solid(Kind.EXTRUDED, (width / 2,), oval(2 * r, 2 * r, 24), ON_EDGE, np.array([0, 0.98 * r, 0])),))


def bowl(rng: np.random.Generator, width: float) -> Body:
    """Taken at its rim, whose wall is `width` thick; its axis is y, its opening towards the hand."""
    r, deep = rng.uniform(0.05, 0.085), rng.uniform(0.035, 0.07)
    turn = np.linspace(0.15, np.pi / 2, 5)
    outer = [(r * np.sin(t), deep * (1 - np.cos(t))) for t in turn]
    inner = [((r - width) * np.sin(t), width + (deep - width) * (1 - np.cos(t))) for t in turn[::-1]]
    solid = revolved(*outer, *inner)
    flipped = np.diag([1.0, -1.0, -1.0])
    return Body((solid,)).moved(flipped, np.array([(r - width / 2) * (1 if rng.random() < 0.5 else -1), deep, 0.0]))


def ball(rng: np.random.Generator, width: float) -> Body:
    return Body((Solid(Kind.SUPERELLIPSOID, (width / 2,) * 3 + (2.0,)),))


def egg(rng: np.random.Generator, width: float) -> Body:
    r = width / 2
    profile = [
        (r * s, r * y) for s, y in ((0.35, -1.15), (0.7, -0.85), (0.93, -0.45), (1, 0), (0.9, 0.5), (0.68, 0.95), (0.35, 1.3))
    ]
    return Body((revolved(*profile),))


def fruit(rng: np.random.Generator, width: float) -> Body:
    axes = width / 2 * np.array([1, rng.uniform(0.8, 1.35), rng.uniform(0.9, 1.1)])
    return Body((Solid(Kind.SUPERELLIPSOID, (*axes, rng.uniform(1.8, 2.8))),))


def cube(rng: np.random.Generator, width: float) -> Body:
    return Body((box(width, width * rng.uniform(0.8, 1.3), width * rng.uniform(0.8, 1.3)),))


def soft_box(rng: np.random.Generator, width: float) -> Body:
    axes = width / 2 * np.array([1, rng.uniform(0.9, 1.8), rng.uniform(0.8, 1.4)])
    return Body((Solid(Kind.SUPERELLIPSOID, (*axes, rng.uniform(3, 5))),))


def puck(rng: np.random.Generator, width: float) -> Body:
    """A lid, a puck, a roll of tape, a nut: flat along y."""
    return Body((cylinder(width / 2, width * rng.uniform(0.2, 0.7)),))
