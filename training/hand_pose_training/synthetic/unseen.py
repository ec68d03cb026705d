"""Builders, as `everyday`'s, of the things that only held-out sets have."""

from __future__ import annotations

import numpy as np

from hand_pose_training.synthetic.parts import ON_EDGE, box, revolved
from hand_pose_training.synthetic.solids import Body, Kind, Solid


def mug(rng: np.random.Generator, width: float) -> Body:
    r, half = width / 2, rng.uniform(0.042, 0.055)
    inside = (r - 0.005, half), (r - 0.005, -half + 0.007)
    ear = Solid(Kind.ARC, (rng.uniform(0.022, 0.03), rng.uniform(0.004, 0.007), 1.75), center=np.array([0.97 * r, 0, 0]))
    return Body((revolved((0.95 * r, -half), (r, -half + 0.005), (r, half), *inside), ear))


def mug_by_its_handle(rng: np.random.Generator, width: float) -> Body:
    ring, r, half = rng.uniform(0.024, 0.032), rng.uniform(0.037, 0.046), rng.uniform(0.042, 0.055)
    cup = revolved((r, -half), (r, half), (r - 0.005, half), (r - 0.005, -half + 0.007))
    mug = Body((cup, Solid(Kind.ARC, (ring, width / 2, 1.75), center=np.array([0.97 * r, 0, 0]))))
    return mug.moved(np.eye(3), np.array([-0.97 * r - ring, 0, 0]))


def bottle(rng: np.random.Generator, width: float) -> Body:
    r, half, neck = width / 2, rng.uniform(0.06, 0.09), rng.uniform(0.012, 0.016)
    top = half + rng.uniform(0.03, 0.06)
    return Body((revolved((r, -half), (r, half), (neck, top), (neck, top + rng.uniform(0.02, 0.07))),))


def bottle_by_its_neck(rng: np.random.Generator, width: float) -> Body:
    r, neck, low = rng.uniform(0.03, 0.042), width / 2, -rng.uniform(0.05, 0.07)
    return Body((revolved((r, low - 0.2), (r, low - 0.04), (neck, low), (neck, 0.05)),))


def scissors(rng: np.random.Generator, width: float) -> Body:
    """Closed, taken around both loops."""
    loop, blade = rng.uniform(0.016, 0.022), rng.uniform(0.06, 0.11)
    upright = np.array([[0.0, 0, 1.0], [0, 1.0, 0], [-1.0, 0, 0]])
    loops = [
        Solid(Kind.ARC, (loop, width / 2, np.pi), rotation=upright, center=np.array([0, 0, side * (loop + width / 2)]))
        for side in (-1, 1)
    ]
    return Body((*loops, box(0.6 * width, blade, 0.016, (0, loop + blade / 2, 0))))


def ring(rng: np.random.Generator, width: float) -> Body:
    """A ring, bangle or roll, taken at its tube."""
    radius = rng.uniform(1.2, 4) * width + 0.01
    return Body((Solid(Kind.ARC, (radius, width / 2, np.pi), rotation=ON_EDGE[:, [1, 0, 2]] * (1, -1, 1)),)).moved(
        np.array([[0.0, 0, 1.0], [0, 1.0, 0], [-1.0, 0, 0]]), np.array([0, radius, 0])
    )


def wedge(rng: np.random.Generator, width: float) -> Body:
    """A wedge (cheese, cake, door stop), `width` thick where it is taken."""
    length = width * rng.uniform(1.5, 3)
    outline = 0.75 * width * np.array([(1, 0), (0, 0), (-1, 0)]) + length * np.array([(0, -1), (0, 2), (0, -1)]) / 3
    lying = np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]])
    return Body((Solid(Kind.EXTRUDED, (width * rng.uniform(0.3, 0.7),), outline, lying),))


def cone(rng: np.random.Generator, width: float) -> Body:
    r, length = width / 2, rng.uniform(0.09, 0.13)
    return Body((revolved((0.15 * r, -0.6 * length), (1.35 * r, 0.4 * length)),))
