"""The person whom a hand belongs to: where the body can be, given the arm, and what it looks like."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
from numba import njit

from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.limbs import UPPER_ARM_M, limb
from hand_pose_training.synthetic.person import SHOULDER_M, person_model, with_elbows
from hand_pose_training.synthetic.pools import draw_person
from hand_pose_training.synthetic.stage import Scene
from hand_pose_training.synthetic.views import across, cross

HEAD_ABOVE_M, FACE_BEFORE_M = 0.40, 0.12  # the middle of the face, from the chest
_CANDIDATES = 12
_MOST_UPPER_ARM_M = 0.42
# Of the torso and the head: half axes to the side, up and forward, how far above and before the chest the middle lies.
_HALF_AXES = np.array([[0.20, 0.36, 0.14], [0.09, 0.135, 0.115]])
_ABOVE_M, _BEFORE_M = np.array([-0.08, HEAD_ABOVE_M]), np.array([0.0, 0.037])
_HAIR_SHARE, _HAIR_SIZE, _HAIR_BEHIND_M = 0.75, np.array([1.0, 1.0, 0.92]), np.array([0.0, -0.005, 0.026])
_BALL = primitives.ellipsoid(np.ones(3), rings=7, sides=12)
_ELBOW = primitives.ellipsoid(np.full(3, 0.04), rings=5, sides=10)
_IDLE_TRIES = 4
_IDLE_RADIUS_M = 0.05


@dataclass(frozen=True)
class Body:
    """Where a person is: the chest, upwards and forwards (unit vectors across each other), camera frame."""

    chest: np.ndarray
    up: np.ndarray
    facing: np.ndarray

    @property
    def rightwards(self) -> np.ndarray:
        """(3,) unit vector to the person's right."""
        return cross(self.facing, self.up)

    def shoulder(self, right: bool) -> np.ndarray:
        """(3,) the shoulder of that side."""
        side, above = SHOULDER_M
        return self.chest + above * self.up + (side if right else -side) * self.rightwards

    def rotation(self) -> np.ndarray:
        """(3, 3) from the frame of `person` (y down, facing -z)."""
        return np.stack([-self.rightwards, -self.up, -self.facing], axis=1)

    def at(self, side: float, above: float, before: float) -> np.ndarray:
        """(3,) a point so many metres to the right of, above and before the chest."""
        return self.chest + side * self.rightwards + above * self.up + before * self.facing

    def gap(self, points: np.ndarray) -> np.ndarray:
        """(N,) about how far points (N, 3) are from torso and head; negative inside."""
        return _gaps(points, self.chest, self.rightwards, self.up, self.facing, _HALF_AXES, _ABOVE_M, _BEFORE_M)


@njit(cache=True, nogil=True)
def _gaps(points, chest, rightwards, up, facing, half_axes, above, ahead):
    """Distances along the line to the middle of the nearer ellipsoid."""
    gaps = np.full(len(points), np.inf)
    for n in range(len(points)):
        q = points[n] - chest
        side = q[0] * rightwards[0] + q[1] * rightwards[1] + q[2] * rightwards[2]
        high = q[0] * up[0] + q[1] * up[1] + q[2] * up[2]
        before = q[0] * facing[0] + q[1] * facing[1] + q[2] * facing[2]
        for k in range(len(above)):
            a, b, c = half_axes[k]
            rise, front = high - above[k], before - ahead[k]
            scaled = np.sqrt((side / a) ** 2 + (rise / b) ** 2 + (front / c) ** 2)
            gap = (1 - 1 / max(scaled, 1e-3)) * np.sqrt(side**2 + rise**2 + front**2)
            gaps[n] = min(gaps[n], gap)
    return gaps


def body_with_shoulder(chest_at_shoulder: np.ndarray, up: np.ndarray, facing: np.ndarray, right: bool) -> Body:
    """The body whose shoulder of that side is there."""
    body = Body(np.zeros(3), up, across(facing, up))
    return replace(body, chest=chest_at_shoulder - body.shoulder(right))


def find_body(
    rng: np.random.Generator,
    up: np.ndarray,
    elbow: np.ndarray,
    forearm: np.ndarray,
    clear: tuple[np.ndarray, np.ndarray],
    sight: int,
    right: bool,
    touching: float,
) -> Body | None:
    """A body with a shoulder in reach of the elbow that goes through nothing; None where no try has room.

    :param forearm: (3,) unit vector to the elbow
    :param clear: (N, 3), (N,) balls to keep out of; the last `sight` of them are what the camera looks through
    :param touching: share of bodies that are moved forward until they nearly touch the balls
    """
    noise = rng.normal(size=(_CANDIDATES, 5))
    away = forearm - (forearm @ up) * up
    direction = 0.45 * up + 0.5 * away + 0.5 * noise[:, :3]
    direction /= np.sqrt((direction**2).sum(axis=1, keepdims=True))
    points, radii = clear
    for s, turn, lean in zip(direction, noise[:, 3], noise[:, 4]):
        shoulder = elbow + UPPER_ARM_M * s
        ahead = across(points[0] - shoulder, up)
        facing = np.cos(0.6 * turn) * ahead + np.sin(0.6 * turn) * cross(ahead, up)
        leaning = across(up + 0.12 * lean * facing, cross(facing, up))
        body = body_with_shoulder(shoulder, leaning, facing, right)
        gap = float((body.gap(points) - radii).min())
        if gap > 0.01:
            break
    else:
        return None
    if rng.random() < touching:
        for _ in range(3):
            step = body.gap(points[:-sight]) - radii[:-sight]
            moved = replace(body, chest=body.chest + max(float(step.min()) - 0.004, 0) * body.facing)
            far = moved.shoulder(right) - elbow
            if far @ far > _MOST_UPPER_ARM_M**2:
                break
            body = moved
    return body


@dataclass(frozen=True)
class Person:
    """Somebody in a scene.

    :param head: whether one sees it, not looks from it
    :param elbows: (3,) of the arms that are in the scene as far as there; right and left are True and False
    """

    body: Body
    head: bool = True
    elbows: dict[bool, np.ndarray] = field(default_factory=dict)


def add_person(
    scene: Scene, rng: np.random.Generator, person: Person, held_out: bool, keep: tuple[np.ndarray, np.ndarray] | None = None
) -> None:
    """Head, torso, both arms and the legs: of most people sitting. The hand of an arm that nothing is known of is out of sight.

    :param held_out: one of the people whom training never sees
    :param keep: (N, 3), (N,) balls that such arms keep clear of
    """
    body, model = person.body, person_model()
    elbows = [
        person.elbows[right] if right in person.elbows else _add_idle_forearm(scene, rng, body, right, keep)
        for right in (False, True)
    ]
    rotation = body.rotation()
    vertices = with_elbows(draw_person(rng, held_out), (np.stack(elbows) - body.chest) @ rotation)
    scene.add((vertices[model.trunk], model.trunk_faces), rotation, body.chest, material="cloth")
    for elbow in elbows:
        scene.add(_ELBOW, rotation, elbow, material="cloth")
    if person.head:
        head = vertices[model.head]
        scene.add((head, model.head_faces), rotation, body.chest, material="skin")
        if rng.random() < _HAIR_SHARE:
            scene.add(_hair(rng, head), rotation, body.chest)
    add_legs(scene, rng, body)


def _hair(rng: np.random.Generator, head: np.ndarray) -> primitives.Mesh:
    """Hair around a skull and behind the face, down to the ears or to the neck; head (H, 3)."""
    skull = head[head[:, 1] < head[:, 1].min() + 0.15]
    low, high = skull.min(axis=0), skull.max(axis=0)
    longer = np.array([0.0, rng.uniform(0.0, 0.09) if rng.random() < 0.4 else 0.0, 0.0]) / 2
    half = (high - low) / 2 * _HAIR_SIZE + rng.uniform(0.002, 0.015) + longer
    return _BALL[0] * half + (low + high) / 2 + _HAIR_BEHIND_M + longer, _BALL[1]


def _add_idle_forearm(
    scene: Scene, rng: np.random.Generator, body: Body, right: bool, keep: tuple[np.ndarray, np.ndarray] | None
) -> np.ndarray:
    """The elbow (3,) of an arm that hangs, its hand in a pocket or behind the back; without a forearm where that has no room."""
    side = 1 if right else -1
    shoulder = body.shoulder(right)
    for _ in range(_IDLE_TRIES):
        out, ahead = rng.uniform(0.05, 0.35), 0.3 * rng.normal()
        way = side * out * body.rightwards + ahead * body.facing - body.up
        elbow = shoulder + UPPER_ARM_M * way / np.sqrt(way @ way)
        behind = ahead < -0.1
        wrist = body.at(0.02 * side, -0.2, -0.1) if behind else body.at(0.12 * side, -0.36, 0.06)
        if keep is None or (_clear(shoulder, elbow, *keep) and _clear(elbow, wrist, *keep)):
            scene.add(limb(elbow, wrist, 0.042, 0.03), np.eye(3), np.zeros(3), material="cloth")
            break
    return elbow


@njit(cache=True, nogil=True)
def _clear(start, end, balls, radii):
    """Whether an arm between two points meets no ball."""
    way = end - start
    for n in range(len(balls)):
        share = min(max(np.sum((balls[n] - start) * way) / np.sum(way * way), 0.0), 1.0)
        gap = balls[n] - start - share * way
        if np.sqrt(np.sum(gap * gap)) < radii[n] + _IDLE_RADIUS_M:
            return False
    return True


def add_legs(scene: Scene, rng: np.random.Generator, body: Body) -> None:
    """Thighs and shins, sitting or standing."""
    sitting = rng.random() < 0.65
    for side in (-1, 1):
        hip = body.at(0.1 * side, -0.40, 0.02)
        apart = side * rng.uniform(0.08, 0.24)
        knee = body.at(apart, -0.40 + 0.04 * rng.normal(), 0.45) if sitting else body.at(0.9 * apart, -0.85, 0.03)
        foot = knee - 0.42 * body.up + 0.06 * rng.normal() * body.facing
        scene.add(limb(hip, knee, 0.085, 0.06), np.eye(3), np.zeros(3), material="cloth")
        scene.add(limb(knee, foot, 0.058, 0.04), np.eye(3), np.zeros(3), material="cloth")


def add_upper_arm(scene: Scene, rng: np.random.Generator, elbow: np.ndarray, shoulder: np.ndarray, sleeved: bool) -> None:
    """From the elbow to the shoulder."""
    width = rng.uniform(0.9, 1.2)
    mesh = limb(elbow, shoulder, 0.042 * width, 0.055 * width)
    scene.add(mesh, np.eye(3), np.zeros(3), material="cloth" if sleeved or rng.random() < 0.5 else "skin")
