"""Meshes of things in rooms that are no hands, some of which look a little like one: metres, y up."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.limbs import limb
from hand_pose_training.synthetic.primitives import Mesh, joined


def block(edges: tuple[float, float, float], center: tuple[float, float, float]) -> Mesh:
    """A box around a point."""
    vertices, faces = primitives.box(np.array(edges))
    return vertices + center, faces


def chair(rng: np.random.Generator) -> Mesh:
    """Four legs, a seat and a back; the origin in the middle of the seat."""
    wide, deep, high = rng.uniform(0.38, 0.5), rng.uniform(0.38, 0.48), rng.uniform(0.35, 0.5)
    corners = [(x * wide / 2, z * deep / 2) for x in (-0.9, 0.9) for z in (-0.9, 0.9)]
    legs = [limb(np.array([x, 0.0, z]), np.array([1.1 * x, -0.45, 1.1 * z]), 0.018, 0.014, rings=3) for x, z in corners]
    posts = [limb(np.array([x, 0.0, z]), np.array([x, high, 1.1 * z]), 0.018, 0.016, rings=3) for x, z in corners[1::2]]
    back = block((wide, 0.5 * high, 0.03), (0, 0.75 * high, 0.5 * deep))
    return joined([block((wide, 0.04, deep), (0, 0, 0)), back, *legs, *posts])


def shelf(rng: np.random.Generator) -> Mesh:
    """Boards with things on them; the origin in the middle of the front."""
    wide, deep, gap = rng.uniform(0.6, 1.4), rng.uniform(0.2, 0.4), rng.uniform(0.25, 0.4)
    meshes = []
    for level in range(-2, 3):
        meshes.append(block((wide, 0.025, deep), (0, level * gap, deep / 2)))
        for _ in range(rng.integers(0, 4)):
            edges = rng.uniform(0.03, 0.2, 3)
            at = (rng.uniform(-0.4, 0.4) * wide, level * gap + edges[1] / 2, deep / 2)
            meshes.append(block(tuple(edges), at))
    meshes += [block((0.025, 4 * gap, deep), (x * wide / 2, 0, deep / 2)) for x in (-1, 1)]
    return joined(meshes)


@lru_cache(maxsize=16)
def keyboard(columns: int) -> Mesh:
    """A slab with so many keys a row; lies flat."""
    rows, pitch = 5, 0.019
    keys = [
        block((0.015, 0.008, 0.015), ((i - (columns - 1) / 2) * pitch, 0.010, (j - (rows - 1) / 2) * pitch))
        for i in range(columns)
        for j in range(rows)
    ]
    return joined([block((columns * pitch + 0.01, 0.012, rows * pitch + 0.01), (0, 0, 0)), *keys])


def screen(rng: np.random.Generator) -> Mesh:
    """A flat screen on a foot."""
    wide, high = rng.uniform(0.3, 0.6), rng.uniform(0.2, 0.36)
    foot = block((0.2, 0.015, 0.16), (0, -high / 2 - 0.09, 0))
    return joined([block((wide, high, 0.02), (0, 0, 0)), block((0.04, 0.12, 0.03), (0, -high / 2 - 0.03, 0.01)), foot])


def fingers_of_rods(rng: np.random.Generator) -> Mesh:
    """A bundle of cables, a branch or a fork: some thin rods, some bent, spread from one place; some with a stem or a body."""
    meshes = []
    spread, length, radius = rng.uniform(0.1, 0.9), rng.uniform(0.05, 0.13), rng.uniform(0.002, 0.011)
    count = int(rng.integers(2, 8))
    for k in range(count):
        angle = spread * ((k / max(count - 1, 1)) - 0.5) * 2 + 0.1 * rng.normal()
        lean = 0.25 * rng.normal()
        step = np.array([np.sin(angle), np.cos(angle), lean]) * length * rng.uniform(0.6, 1.1)
        start = np.array([0.035 * (2 * k / max(count - 1, 1) - 1) * (rng.random() < 0.7), 0.0, 0.0])
        middle = start + 0.55 * step
        end = middle + 0.45 * step + 0.35 * length * rng.normal(size=3) * rng.uniform(0, 1)
        meshes += [limb(start, middle, radius, 0.95 * radius, rings=3), limb(middle, end, 0.95 * radius, 0.85 * radius, rings=3)]
    if rng.random() < 0.5:
        meshes.append(
            limb(np.zeros(3), np.array([0.02 * rng.normal(), -rng.uniform(0.05, 0.3), 0.0]), 1.3 * radius, 1.6 * radius)
        )
    if rng.random() < 0.4:
        meshes.append(block(tuple(rng.uniform((0.04, 0.03, 0.01), (0.09, 0.1, 0.04))), (0, -0.03, 0)))
    return joined(meshes)


def gripper(rng: np.random.Generator) -> Mesh:
    """A robot's gripper: a body with two or three jointed fingers of boxes, and a wrist behind."""
    wide, opening = rng.uniform(0.06, 0.12), rng.uniform(0.2, 1.0)
    meshes = [block((wide, 0.06, rng.uniform(0.04, 0.08)), (0, -0.03, 0))]
    meshes.append(limb(np.array([0, -0.05, 0.0]), np.array([0, -rng.uniform(0.12, 0.35), 0.0]), 0.035, 0.045))
    thick, length = rng.uniform(0.012, 0.025), rng.uniform(0.05, 0.11)
    places = [(-1.0, 0.0), (1.0, 0.0)] if rng.random() < 0.6 else [(-1.0, -0.02), (-1.0, 0.02), (1.0, 0.0)]
    for side, z in places:
        x = side * opening * wide / 2
        meshes.append(block((thick, length, 0.02), (x, length / 2, z)))
        if rng.random() < 0.6:
            meshes.append(block((2 * thick, 0.3 * length, 0.025), (x - 0.5 * side * thick, 0.85 * length, z)))
    return joined(meshes)


def foot(rng: np.random.Generator) -> Mesh:
    """A foot or a shoe with the lower leg."""
    size = rng.uniform(0.85, 1.1)
    heel, toe, shin = np.array([0, 0.0, 0.05]), np.array([0.01, -0.015, -0.14]), np.array([0, 0.35, 0.07])
    meshes = [limb(heel, toe * size, 0.036, 0.028), limb(heel, shin, 0.036, 0.055)]
    if rng.random() < 0.5:  # toes
        starts = [np.array([0.012 * k, -0.02, -0.14]) * size for k in range(-2, 3)]
        meshes += [limb(s, s + np.array([0.002 * k, 0, -0.03]), 0.009, 0.007, rings=3) for k, s in zip(range(-2, 3), starts)]
    return joined(meshes)


def knee(rng: np.random.Generator) -> Mesh:
    """A bent leg; the knee at the origin."""
    bend = rng.uniform(0.3, 1.8)
    thigh, shin = np.array([0.0, 0.1, 0.4]), 0.4 * np.array([0.0, -np.sin(bend), np.cos(bend)])
    width = rng.uniform(0.85, 1.2)
    return joined([limb(np.zeros(3), thigh, 0.06 * width, 0.085 * width), limb(np.zeros(3), shin, 0.058 * width, 0.045 * width)])
