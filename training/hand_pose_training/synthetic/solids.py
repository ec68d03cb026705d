"""Bodies put together from simple solids, each of which knows its mesh and how far any point is from its surface.

Signed distances are negative inside and exact, but for the superellipsoid's, which is right to first order near its surface, and
far from a solid, where the distance to a ball around it stands in (a lower bound).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import IntEnum

import numpy as np
from numba import njit

from hand_pose_training.synthetic import primitives

_NO_OUTLINE = np.zeros((0, 2))


class Kind(IntEnum):
    """Kinds of solids, with what `Solid.size` and `Solid.outline` mean."""

    BOX = 0  # half edges
    REVOLVED = 1  # outline as `primitives.revolved`
    EXTRUDED = 2  # half length along y; outline as `primitives.extruded`
    SUPERELLIPSOID = 3  # half axes, exponent
    ARC = 4  # ring radius, tube radius, half angle, as `primitives.arc`


@dataclass(frozen=True)
class Solid:
    """One solid in its body's frame.

    :param size: up to four numbers, metres but for an exponent and an angle
    :param outline: (K, 2) metres
    :param rotation, center: (3, 3), (3,) solid to body
    """

    kind: Kind
    size: tuple[float, ...] = ()
    outline: np.ndarray = field(default_factory=lambda: _NO_OUTLINE)
    rotation: np.ndarray = field(default_factory=lambda: np.eye(3))
    center: np.ndarray = field(default_factory=lambda: np.zeros(3))

    def mesh(self) -> primitives.Mesh:
        """Its mesh in the body's frame."""
        if self.kind is Kind.BOX:
            vertices, faces = primitives.box(2 * np.array(self.size))
        elif self.kind is Kind.REVOLVED:
            vertices, faces = primitives.revolved(self.outline)
        elif self.kind is Kind.EXTRUDED:
            vertices, faces = primitives.extruded(self.outline, 2 * self.size[0])
        elif self.kind is Kind.SUPERELLIPSOID:
            vertices, faces = primitives.superellipsoid(np.array(self.size[:3]), self.size[3])
        else:
            vertices, faces = primitives.arc(*self.size)
        return vertices @ self.rotation.T + self.center, faces

    def reach(self) -> float:
        """Radius of a ball around its centre that holds it."""
        if self.kind is Kind.REVOLVED:
            return float(np.sqrt((self.outline**2).sum(axis=1).max()))
        if self.kind is Kind.EXTRUDED:
            return float(np.sqrt((self.outline**2).sum(axis=1).max() + self.size[0] ** 2))
        if self.kind is Kind.ARC:
            return self.size[0] + self.size[1]
        return float(np.sqrt(np.square(self.size[:3]).sum()))


# Arrays of a body's solids: kinds (P,), sizes (P, 5) with the reach last, outlines (P, K, 2), their lengths (P,),
# rotations (P, 3, 3) and centres (P, 3).
Packed = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Body:
    """Solids that belong together."""

    solids: tuple[Solid, ...]

    def mesh(self) -> primitives.Mesh:
        """One mesh of all; they may overlap."""
        return primitives.joined([solid.mesh() for solid in self.solids])

    def moved(self, rotation: np.ndarray, center: np.ndarray) -> Body:
        """This body turned by a (3, 3) rotation and then moved."""
        return Body(tuple(replace(s, rotation=rotation @ s.rotation, center=rotation @ s.center + center) for s in self.solids))

    def packed(self) -> Packed:
        """The solids as arrays, for the compiled functions."""
        count = len(self.solids)
        longest = max(len(s.outline) for s in self.solids)
        sizes, outlines = np.zeros((count, 5)), np.zeros((count, longest, 2))
        rotations, centers = np.empty((count, 3, 3)), np.empty((count, 3))
        kinds, lengths = np.empty(count, np.int64), np.empty(count, np.int64)
        for i, s in enumerate(self.solids):
            sizes[i, : len(s.size)], sizes[i, 4] = s.size, s.reach()
            outlines[i, : len(s.outline)] = s.outline
            kinds[i], lengths[i], rotations[i], centers[i] = s.kind, len(s.outline), s.rotation, s.center
        return kinds, sizes, outlines, lengths, rotations, centers

    def distances(self, points: np.ndarray) -> np.ndarray:
        """(N,) signed distances of points (N, 3) in the body's frame, metres."""
        return _distances(np.ascontiguousarray(points, float), self.packed())


_FAR_M = 0.03


@njit(cache=True, nogil=True)
def _distances(points, packed):
    return np.array([distance(p, packed) for p in points])


@njit(cache=True, nogil=True)
def distance(point, packed):
    """Signed distance of one point (3,) to the nearest of a body's solids."""
    kinds, sizes, outlines, lengths, rotations, centers = packed
    nearest = 1e9
    for i in range(len(kinds)):
        dx, dy, dz = point[0] - centers[i, 0], point[1] - centers[i, 1], point[2] - centers[i, 2]
        size = sizes[i]
        away = np.sqrt(dx * dx + dy * dy + dz * dz) - size[4]
        if away > _FAR_M:
            nearest = min(nearest, away)
            continue
        r = rotations[i]
        x = r[0, 0] * dx + r[1, 0] * dy + r[2, 0] * dz
        y = r[0, 1] * dx + r[1, 1] * dy + r[2, 1] * dz
        z = r[0, 2] * dx + r[1, 2] * dy + r[2, 2] * dz
        if kinds[i] == 0:
            a, b, c = abs(x) - size[0], abs(y) - size[1], abs(z) - size[2]
            d = np.sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2) + min(max(a, b, c), 0.0)
        elif kinds[i] == 1:
            d = _to_outline(np.sqrt(x * x + z * z), y, outlines[i], lengths[i], False)
        elif kinds[i] == 2:
            a, b = _to_outline(x, z, outlines[i], lengths[i], True), abs(y) - size[0]
            d = np.sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2) + min(max(a, b), 0.0)
        elif kinds[i] == 3:
            d = _to_superellipsoid(abs(x), abs(y), abs(z), size)
        else:
            turn = min(max(np.arctan2(y, x), -size[2]), size[2])
            a, b = x - size[0] * np.cos(turn), y - size[0] * np.sin(turn)
            d = np.sqrt(a * a + b * b + z * z) - size[1]
        nearest = min(nearest, d)
    return nearest


@njit(cache=True, nogil=True)
def _to_outline(x, y, outline, count, closed):
    """Signed distance in the plane; an outline that is not closed ends on the axis x = 0, which is no part of its edge."""
    nearest, inside = 1e18, False
    for i in range(count):
        j = i + 1 if i + 1 < count else 0
        ax, ay, bx, by = outline[i, 0], outline[i, 1], outline[j, 0], outline[j, 1]
        ex, ey = bx - ax, by - ay
        if (ay > y) != (by > y) and x < ax + (y - ay) / ey * ex:
            inside = not inside
        if j > 0 or closed:
            along = ((x - ax) * ex + (y - ay) * ey) / max(ex * ex + ey * ey, 1e-18)
            along = min(max(along, 0.0), 1.0)
            nearest = min(nearest, (x - ax - along * ex) ** 2 + (y - ay - along * ey) ** 2)
    return -np.sqrt(nearest) if inside else np.sqrt(nearest)


@njit(cache=True, nogil=True)
def _to_superellipsoid(x, y, z, size):
    """(k - 1) / |grad k| of k = (|x/a|^n + |y/b|^n + |z/c|^n)^(1/n), which is 1 on the surface."""
    n = size[3]
    u, v, w = x / size[0], y / size[1], z / size[2]
    k = (u**n + v**n + w**n) ** (1 / n)
    if k < 1e-6:
        return -min(size[0], size[1], size[2])
    scale = k ** (1 - n)
    gu, gv, gw = scale * u ** (n - 1) / size[0], scale * v ** (n - 1) / size[1], scale * w ** (n - 1) / size[2]
    return (k - 1) / np.sqrt(gu * gu + gv * gv + gw * gw)
