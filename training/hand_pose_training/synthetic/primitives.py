"""Meshes of simple solids: (vertices (V, 3), faces (F, 3) counter-clockwise from outside), metres, centred at the origin."""

from __future__ import annotations

from functools import cache

import numpy as np

Mesh = tuple[np.ndarray, np.ndarray]


@cache
def tube_faces(rings: int, sides: int) -> np.ndarray:
    """Faces of a closed tube: `rings` rings of `sides` vertices, then the middle of the first and of the last ring."""
    faces = []
    for r in range(rings - 1):
        for s in range(sides):
            a, b = r * sides + s, r * sides + (s + 1) % sides
            faces += [(a, a + sides, b), (b, a + sides, b + sides)]
    first, last = rings * sides, rings * sides + 1
    for s in range(sides):
        t = (s + 1) % sides
        faces += [(first, s, t), (last, (rings - 1) * sides + t, (rings - 1) * sides + s)]
    return np.array(faces, np.int32)


@cache
def _circle(sides: int) -> np.ndarray:
    angle = np.arange(sides) * (2 * np.pi / sides)
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def tube(along: np.ndarray, radii: np.ndarray, sides: int = 16) -> Mesh:
    """A closed tube along +y.

    :param along: (R,) y of each ring
    :param radii: (R, 2) half axes of each ring's ellipse in x and z
    """
    rings = radii[:, None, :] * _circle(sides)
    vertices = np.empty((len(along) * sides + 2, 3))
    body = vertices[:-2].reshape(len(along), sides, 3)
    body[..., 0], body[..., 1], body[..., 2] = rings[..., 0], along[:, None], rings[..., 1]
    vertices[-2:] = 0
    vertices[-2:, 1] = along[[0, -1]]
    return vertices, tube_faces(len(along), sides)


def ellipsoid(half_axes: np.ndarray, rings: int = 9, sides: int = 16) -> Mesh:
    """An ellipsoid with these half axes (3,)."""
    latitude = np.linspace(-np.pi / 2, np.pi / 2, rings + 2)[1:-1]
    vertices, faces = tube(np.sin(latitude), np.repeat(np.cos(latitude)[:, None], 2, axis=1), sides)
    vertices[-2:, 1] = -1, 1
    return vertices * half_axes, faces


def cylinder(radius: float, length: float) -> Mesh:
    """A cylinder around the y axis."""
    return tube(np.array([-0.5, 0.5]) * length, np.full((2, 2), radius), sides=20)


_BOX_CORNERS = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
_BOX_FACES = np.array([[int(c) for c in face] for face in "013 032 467 475 045 051 237 276 026 064 157 173".split()], np.int32)


def box(edges: np.ndarray) -> Mesh:
    """A box with these edges (3,)."""
    return _BOX_CORNERS * edges, _BOX_FACES
