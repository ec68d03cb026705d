"""What is around a hand: what it rests on, tables with things on them, walls, floors, furniture, an occluder."""

from __future__ import annotations

import numpy as np
from numba import njit

from hand_pose_training.synthetic import furniture, primitives
from hand_pose_training.synthetic.limbs import limb
from hand_pose_training.synthetic.pools import draw_object
from hand_pose_training.synthetic.primitives import Mesh
from hand_pose_training.synthetic.stage import Scene
from hand_pose_training.synthetic.views import View, across, cross, random_rotation, turning, unit

_NEAREST_PLANE_M = 0.08
_Y = np.array([0.0, 1.0, 0.0])
_TABLE_SHARE = {View.FACING: 0.25, View.EGOCENTRIC: 0.55, View.OVERHEAD: 0.85, View.ANY: 0.4}
_FINITE_SHARE = 0.3  # of tables, whose edge is near
_THIGH_SHARE = 0.15  # of what hands rest on
BACKGROUND_SHARE = {View.FACING: 0.75, View.EGOCENTRIC: 0.8, View.OVERHEAD: 0.85, View.ANY: 0.7}


class Keep:
    """Balls (N, 3), (N,) of hands and arms that things must not go through."""

    def __init__(self) -> None:
        self.balls, self.radii = np.zeros((0, 3)), np.zeros(0)

    def add(self, balls: np.ndarray, radii: np.ndarray) -> None:
        """More of them."""
        self.balls, self.radii = np.concatenate([self.balls, balls]), np.concatenate([self.radii, radii])

    def clear(self, vertices: np.ndarray, rotation: np.ndarray, position: np.ndarray) -> bool:
        """Whether the box around a mesh, in the mesh's own axes, meets no ball."""
        if not len(self.balls):
            return True
        low, high = vertices.min(axis=0), vertices.max(axis=0)
        local = (self.balls - position) @ rotation
        out = np.maximum(np.maximum(low - local, local - high), 0)
        return bool((np.einsum("ij,ij->i", out, out) > self.radii**2).all())


def farthest(scene: Scene, normal: np.ndarray) -> float:
    """The largest normal . p of everything that was added so far; of the focus where there is nothing."""
    return max((_farthest(vertices, normal) for vertices, _, _ in scene.meshes), default=float(scene.focus @ normal))


@njit(cache=True, nogil=True)
def _farthest(vertices, normal):
    most = -np.inf
    for v in range(len(vertices)):
        most = max(most, vertices[v, 0] * normal[0] + vertices[v, 1] * normal[1] + vertices[v, 2] * normal[2])
    return most


def add_support(scene: Scene, rng: np.random.Generator, up: np.ndarray) -> tuple[float, bool]:
    """Put something under what was added so far, touching it: a table, or a thigh or an arm.

    :return: the distance along -up of the plane that both touch, and whether it is a table
    """
    distance = farthest(scene, -up)
    if rng.random() < _THIGH_SHARE:
        lowest = np.concatenate([vertices[(vertices @ -up) > distance - 0.006] for vertices, _, _ in scene.meshes])
        radius, along = rng.uniform(0.06, 0.10), across(rng.normal(size=3), up)
        middle = lowest.mean(axis=0)
        middle = middle + (distance + middle @ up + radius) * -up
        mesh = limb(middle - 0.25 * along, middle + rng.uniform(0.15, 0.3) * along, radius, radius)
        scene.add(mesh, np.eye(3), np.zeros(3), material="cloth" if rng.random() < 0.7 else "skin")
        return distance, False
    _add_table(scene, rng, up, distance)
    return distance, True


def add_table(scene: Scene, rng: np.random.Generator, up: np.ndarray) -> float | None:
    """In some scenes, a table somewhere below everything so far; returns its plane's distance along -up."""
    if rng.random() > _TABLE_SHARE[scene.view]:
        return None
    distance = farthest(scene, -up) + (rng.exponential(0.07) if rng.random() < 0.85 else 0.0)
    if distance < _NEAREST_PLANE_M:
        return None
    _add_table(scene, rng, up, distance)
    return distance


def _add_table(scene: Scene, rng: np.random.Generator, up: np.ndarray, distance: float) -> None:
    if rng.random() > _FINITE_SHARE:
        scene.planes.append((-up, distance))
        return
    edges = np.array([rng.uniform(0.5, 1.8), rng.uniform(0.015, 0.05), rng.uniform(0.4, 0.9)])
    rotation = turning(_Y, np.array([1.0, 0, 0]), up, rng.normal(size=3))
    shift = rotation[:, [0, 2]] @ (rng.uniform(-0.5, 0.5, 2) * edges[[0, 2]])
    position = on_plane(scene.focus, up, distance) + shift - 0.5 * edges[1] * up
    scene.add(primitives.box(edges), rotation, position)


def on_plane(point: np.ndarray, up: np.ndarray, distance: float) -> np.ndarray:
    """The point of the plane -up . p = distance below or above a point."""
    return point - (distance + point @ up) * up


def add_on_table(scene: Scene, rng: np.random.Generator, up: np.ndarray, distance: float, keep: Keep, held_out: bool) -> None:
    """Things that stand and lie on a table, none of them through a hand or an arm."""
    for _ in range(rng.integers(0, 5)):
        mesh, flat = _thing(rng, held_out)
        side = rng.normal(size=3)
        at = on_plane(scene.focus, up, distance) + rng.uniform(0.0, 0.42) * across(side, up)
        if flat or rng.random() < 0.6:
            rotation = turning(_Y, np.array([1.0, 0, 0]), up, side)
        else:
            rotation = turning(_Y, np.array([1.0, 0, 0]), across(side, up), up)
        add_standing(scene, mesh, rotation, at, up, keep)


def add_standing(scene: Scene, mesh: Mesh, rotation: np.ndarray, at: np.ndarray, up: np.ndarray, keep: Keep) -> bool:
    """Add a mesh whose lowest vertex is as high as `at`, unless it meets a ball to keep clear of."""
    position = at - float((mesh[0] @ (rotation.T @ up)).min()) * up
    if not keep.clear(mesh[0], rotation, position):
        return False
    scene.add(mesh, rotation, position)
    return True


def _thing(rng: np.random.Generator, held_out: bool) -> tuple[Mesh, bool]:
    """A mesh with y up, and whether it always lies flat."""
    kind = rng.random()
    if kind < 0.08:
        return furniture.keyboard(int(rng.integers(11, 18))), True
    if kind < 0.16:
        return primitives.box(rng.uniform((0.1, 0.004, 0.1), (0.35, 0.05, 0.3))), True
    if kind < 0.2:
        return furniture.screen(rng), True
    return draw_object(rng, held_out), False


def add_background(
    scene: Scene, rng: np.random.Generator, up: np.ndarray, table: float | None, share: float | None = None
) -> None:
    """Walls behind everything, a floor below, furniture before them; in some scenes none (`share` of them have some)."""
    if rng.random() > (BACKGROUND_SHARE[scene.view] if share is None else share):
        return
    forward = np.array([0.0, 0.0, 1.0])
    level = across(forward if abs(up[2]) < 0.95 else -_Y, up)
    floor = (farthest(scene, -up) + rng.uniform(0.05, 0.7)) if table is None else table + rng.uniform(0.6, 0.8)
    if rng.random() < 0.7 and floor > _NEAREST_PLANE_M:
        scene.planes.append((-up, floor))
    for _ in range(1 if rng.random() < 0.7 else 2):
        turn = 0.35 * rng.normal()
        normal = np.cos(turn) * level + np.sin(turn) * cross(level, up)
        if rng.random() < 0.15:
            normal = unit(forward + 0.25 * rng.normal(size=3))  # a slanted ceiling, a door, a hand at a wall
        distance = farthest(scene, normal) + rng.exponential(0.6)
        if distance > _NEAREST_PLANE_M:
            scene.planes.append((normal, distance))
    if rng.random() < 0.35:
        _add_furniture(scene, rng, up, level, floor)


def _add_furniture(scene: Scene, rng: np.random.Generator, up: np.ndarray, level: np.ndarray, floor: float) -> None:
    away = 0.25 + rng.exponential(0.4)
    at = scene.focus + away * level + rng.normal() * 0.4 * cross(level, up)
    turn = rng.normal()
    facing = np.cos(turn) * level + np.sin(turn) * cross(level, up)
    rotation = turning(_Y, np.array([0.0, 0.0, 1.0]), up, facing)
    kind = rng.random()
    if kind < 0.35:
        scene.add(furniture.chair(rng), rotation, on_plane(at, up, floor) + 0.45 * up)
    elif kind < 0.7:
        scene.add(furniture.shelf(rng), rotation, at)
    else:
        edges = rng.uniform((0.2, 0.4, 0.2), (0.8, 1.6, 0.5))
        scene.add(primitives.box(edges), rotation, on_plane(at, up, floor) + edges[1] / 2 * up)


def add_clutter(scene: Scene, rng: np.random.Generator, keep: Keep, held_out: bool) -> None:
    """Something close by, held by nobody one sees: behind or beside the hand."""
    side = rng.normal(size=3)
    side[2] = abs(side[2])
    mesh, rotation = draw_object(rng, held_out), random_rotation(rng)
    position = scene.focus + side * (rng.uniform(0.12, 0.4) / np.sqrt(side @ side))
    if keep.clear(mesh[0], rotation, position):
        scene.add(mesh, rotation, position)


def add_occluder(scene: Scene, rng: np.random.Generator) -> None:
    """A bar in front that hides a part of the hand."""
    angle = rng.uniform(0, np.pi)
    along = np.array([np.cos(angle), np.sin(angle), 0.0])
    across_it = np.array([along[1], -along[0], 0.0])
    rotation = np.stack([across_it, along, np.array([0.0, 0.0, 1.0])], axis=1)
    edges = np.array([rng.uniform(0.008, 0.032), 0.3, rng.uniform(0.008, 0.06)])
    position = scene.focus * (1 - rng.uniform(0.11, 0.25) / max(scene.focus[2], 0.3))
    position = position + across_it * 0.035 * rng.normal() + along * rng.normal() * 0.08
    scene.add(primitives.box(edges), rotation, position)
