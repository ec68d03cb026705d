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


def revolved(profile: np.ndarray, sides: int = 20) -> Mesh:
    """A profile turned around the y axis.

    :param profile: (K, 2) distance from the axis and y, from the axis at the bottom around the outside to the axis at the top
    """
    rings = profile[1:-1]
    vertices, faces = tube(rings[:, 1], np.repeat(rings[:, :1], 2, axis=1), sides)
    vertices[-2:, 1] = profile[[0, -1], 1]
    return vertices, faces


def extruded(outline: np.ndarray, length: float) -> Mesh:
    """An outline pulled along the y axis, centred.

    :param outline: (K, 2) x and z, counter-clockwise from +x to +z, star-shaped around the origin
    """
    count = len(outline)
    vertices = np.zeros((2 * count + 2, 3))
    rings = vertices[:-2].reshape(2, count, 3)
    rings[:, :, [0, 2]] = outline
    rings[0, :, 1], rings[1, :, 1] = -length / 2, length / 2
    vertices[-2:, 1] = -length / 2, length / 2
    return vertices, tube_faces(2, count)


def superellipsoid(half_axes: np.ndarray, exponent: float) -> Mesh:
    """|x/a|^n + |y/b|^n + |z/c|^n = 1: 2 is an ellipsoid, 4 a box with soft edges."""
    unit, faces = ellipsoid(np.ones(3), rings=11, sides=20)
    size = (np.abs(unit) ** exponent).sum(axis=1) ** (1 / exponent)
    return unit / size[:, None] * half_axes, faces


def arc(ring_radius: float, tube_radius: float, half_angle: float, rings: int = 17, sides: int = 10) -> Mesh:
    """A bent tube: a part of a ring in the xy plane around the origin, `half_angle` to both sides of +x."""
    angle = np.linspace(-half_angle, half_angle, rings)
    outward = np.stack([np.cos(angle), np.sin(angle), np.zeros(rings)], axis=1)
    circle = _circle(sides)
    vertices = np.empty((rings * sides + 2, 3))
    vertices[:-2] = (
        outward[:, None] * (ring_radius + tube_radius * circle[:, :1]) + np.array([0, 0, tube_radius]) * circle[:, 1:]
    ).reshape(-1, 3)
    vertices[-2:] = ring_radius * outward[[0, -1]]
    return vertices, tube_faces(rings, sides)


def joined(meshes: list[Mesh]) -> Mesh:
    """Several meshes as one."""
    offsets = np.cumsum([0] + [len(vertices) for vertices, _ in meshes[:-1]])
    faces = np.concatenate([faces + np.int32(offset) for (_, faces), offset in zip(meshes, offsets)])
    return np.concatenate([vertices for vertices, _ in meshes]), faces
