"""Hands with their arms as one rigid thing: what they consist of, what they touch with, and the upper arm to a shoulder."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit

from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.arm import elbow, sleeve_mesh
from hand_pose_training.synthetic.hand_mesh import BONES, FOREARM, HandShape, PosedHand, hand_faces, posed_hand
from hand_pose_training.synthetic.pools import draw_grasp, draw_reach, draw_shape
from hand_pose_training.synthetic.poses import ANCHORS, bone_angles, sample_pose
from hand_pose_training.synthetic.views import across, cross, unit

SLEEVE_SHARE = 0.4
UPPER_ARM_M = 0.29
_RESTING = ("flat", "open", "relaxed", "spread", "fist", "fist_thumb_side", "point", "cup", "bent", "all_tips", "hook", "power")
_RESTING_SHARE = 0.6  # of poses on a surface; the others are any
_METACARPALS = (5, 10, 15, 20)
_LIMB_SIDES = 12
_CAPS = (-0.95, -0.7, 0.0)  # rings of a limb's round end, in radii
_FOREARM_SHARES = np.linspace(0.1, 1.0, 6)
_SWELLING_M = 0.016 * np.sin(np.pi * _FOREARM_SHARES**0.7)  # of the forearm over its radius behind the wrist


@dataclass(frozen=True)
class Part:
    """A mesh of an arm in the hand's frame, as `Scene.add` takes it."""

    mesh: primitives.Mesh
    material: str
    cull: int = 1


@dataclass(frozen=True)
class Arm:
    """A posed hand with its forearm, its sleeve and what it holds, in the hand's frame.

    :param parts: the hand first
    :param balls, radii: (N, 3), (N,) balls that fill hand and forearm, to touch and to keep clear of other things
    :param elbow: (3,)
    :param forearm: (3,) unit vector from the wrist to the elbow
    """

    shape: HandShape
    joints: np.ndarray
    right: bool
    holds_object: bool
    parts: list[Part]
    balls: np.ndarray
    radii: np.ndarray
    elbow: np.ndarray
    forearm: np.ndarray

    @property
    def sleeved(self) -> bool:
        """Whether there is cloth around the forearm."""
        return any(part.material == "cloth" for part in self.parts)

    @property
    def forearm_balls(self) -> tuple[np.ndarray, np.ndarray]:
        """The forearm's `balls` and `radii`, which come after the hand's."""
        return self.balls[-len(_FOREARM_SHARES) :], self.radii[-len(_FOREARM_SHARES) :]

    @cached_property
    def points(self) -> np.ndarray:
        """(V, 3) vertices of all parts."""
        return np.concatenate([part.mesh[0] for part in self.parts])


def sample_arm(
    rng: np.random.Generator,
    right: bool,
    holding: bool,
    held_out: bool = False,
    resting: bool = False,
    reaching: bool = False,
    shape: HandShape | None = None,
) -> Arm:
    """A random person's arm in a random pose.

    :param holding: with an object in the hand
    :param resting: in a pose that hands on a table have
    :param reaching: about to take an object, which is there too
    :param shape: where the person is known, and the hand holds nothing and reaches for nothing
    """
    held = None
    if holding or reaching:
        shape, pose, held = (draw_grasp if holding else draw_reach)(rng, held_out)
    else:
        shape = draw_shape(rng, held_out) if shape is None else shape
        common = resting and rng.random() < _RESTING_SHARE
        pose = sample_pose(rng, shape, ANCHORS[_RESTING[rng.integers(len(_RESTING))]] if common else None)
    hand = posed_hand(bone_angles(pose), shape, right=right)
    parts = [Part((hand.vertices, hand_faces()), "skin", 1 if right else -1)]
    if rng.random() < SLEEVE_SHARE:
        parts.append(Part(sleeve_mesh(hand, shape, rng), "cloth"))
    if held is not None:
        vertices, faces = held.mesh()
        parts.append(Part((vertices if right else vertices * (1, 1, -1), faces), "thing", 1 if right else -1))
    end = elbow(hand, shape)
    balls, radii = _balls(hand, shape, end)
    return Arm(shape, hand.joints, right, holding, parts, balls, radii, end, hand.bone_rotations[FOREARM][:, 2])


def _ball_weights() -> tuple[np.ndarray, np.ndarray]:
    """(N, 26) where balls lie between bones, (N,) whose radius they have: 0..4 a finger's, 5 the palm's."""
    rows, kinds = [], []

    def add(bone: int, share: float, kind: int) -> None:
        row = np.zeros(BONES)
        row[bone], row[bone + 1] = 1 - share, share
        rows.append(row)
        kinds.append(kind)

    for bone in (1, 2, 3):
        add(bone, 0.0, 0)
        add(bone, 0.5, 0)
    add(3, 1.0, 0)
    for finger, m in enumerate(_METACARPALS, 1):
        for share in (0.0, 0.35, 0.7, 1.0):
            add(m, share, 5)
        for bone in (m + 1, m + 2, m + 3):
            add(bone, 0.5, finger)
            add(bone, 1.0, finger)
    return np.array(rows), np.array(kinds)


_WEIGHTS, _KINDS = _ball_weights()


def hand_balls(hand: PosedHand, shape: HandShape) -> tuple[np.ndarray, np.ndarray]:
    """Balls (N, 3), (N,) that fill a hand without its forearm."""
    radii = np.append(shape.finger_radius_m, shape.palm_half_thickness_m)[_KINDS]
    return _WEIGHTS @ hand.bone_positions, radii


def _balls(hand: PosedHand, shape: HandShape, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    wrist = hand.bone_positions[0]
    forearm = wrist + _FOREARM_SHARES[:, None] * (end - wrist)
    thin, wide = shape.forearm_radii_m
    balls, radii = hand_balls(hand, shape)
    return np.concatenate([balls, forearm]), np.concatenate([radii, (thin + wide) / 2 + _SWELLING_M])


@njit(cache=True, nogil=True, inline="always")
def _dot(a, b):
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


@njit(cache=True, nogil=True)
def reach_of_contact(
    moving: np.ndarray, moving_radii: np.ndarray, fixed: np.ndarray, fixed_radii: np.ndarray, direction: np.ndarray
) -> float:
    """How far along a unit vector balls must move to come free of other balls: there they touch; -inf where they never meet.

    Coming back along the direction from far away they touch there first: |q + t d| = r, the larger root, of every pair.
    """
    reach = -np.inf
    for i in range(len(moving)):
        for j in range(len(fixed)):
            q = moving[i] - fixed[j]
            along = _dot(q, direction)
            inside = along**2 - _dot(q, q) + (moving_radii[i] + fixed_radii[j]) ** 2
            if inside > 0:
                reach = max(reach, np.sqrt(inside) - along)
    return reach


@njit(cache=True, nogil=True)
def count_hidden(joints: np.ndarray, balls: np.ndarray, radii: np.ndarray, behind_m: float) -> int:
    """How many joints (21, 3) lie so far behind a ball (N, 3), (N,) as a camera at the origin sees them."""
    hidden = 0
    for j in range(len(joints)):
        sight = unit(joints[j])
        for k in range(len(balls)):
            ball = balls[k]
            along = _dot(ball, sight)
            inside = radii[k] ** 2 - _dot(ball, ball) + along**2
            if inside > 0 and (along - np.sqrt(inside)) * sight[2] < joints[j, 2] - behind_m:
                hidden += 1
                break
    return hidden


@njit(cache=True, nogil=True)
def support(points: np.ndarray, up: np.ndarray, most_tilt: float = 0.6) -> np.ndarray:
    """(3,) normal, near the unit vector `up`, of a plane on which a rigid body could rest: it touches three points.

    The body tips over its lowest point towards its middle until a second point touches, then over those two until a third one
    does. A body that would have to tip by more than `most_tilt` radians stays on the first point.
    """
    low, middle = points[0], np.zeros(3)
    for point in points:
        middle += point / len(points)
        if _dot(point - low, up) < 0:
            low = point
    middle -= low
    normal = toward = second = up
    for step in range(2):
        if step == 0:
            toward = across(middle, normal)
        else:
            toward = cross(normal, across(second, normal))  # over the line of the first two points
            if _dot(toward, middle) < 0:
                toward = -toward
        slope = np.inf
        for point in points:
            run, rise = _dot(point - low, toward), _dot(point - low, normal)
            if run > 0.004 and rise < slope * run:
                slope, second = rise / run, point - low
        tilted = (normal - slope * toward) / np.sqrt(1 + slope * slope)
        if slope == np.inf or _dot(tilted, up) < np.cos(most_tilt):
            return normal
        normal = tilted
    return normal


def limb(start: np.ndarray, end: np.ndarray, start_radius: float, end_radius: float, rings: int = 5) -> primitives.Mesh:
    """A round tapered tube with round ends between two points; `rings` at least 3."""
    return _limb_vertices(start, end, start_radius, end_radius, rings), primitives.tube_faces(rings + 4, _LIMB_SIDES)


@njit(cache=True, nogil=True)
def _limb_vertices(start, end, start_radius, end_radius, rings):
    way = end - start
    length = max(np.sqrt(np.sum(way * way)), 1e-6)
    y = way / length
    least = np.argmin(np.abs(y))
    x = -y * y[least]
    x[least] += 1
    x /= np.sqrt(np.sum(x * x))
    z = np.array([x[1] * y[2] - x[2] * y[1], x[2] * y[0] - x[0] * y[2], x[0] * y[1] - x[1] * y[0]])
    total = rings + 4  # three at either end are the cap's
    vertices = np.empty((total * _LIMB_SIDES + 2, 3))
    for ring in range(total):
        if ring < 3:
            along, radius = _CAPS[ring] * start_radius, np.sqrt(1 - _CAPS[ring] ** 2) * start_radius
        elif ring >= total - 3:
            cap = _CAPS[total - 1 - ring]
            along, radius = length - cap * end_radius, np.sqrt(1 - cap**2) * end_radius
        else:
            share = (ring - 2) / (rings - 1)
            along, radius = share * length, start_radius + share * (end_radius - start_radius)
        for side in range(_LIMB_SIDES):
            angle = side * 2 * np.pi / _LIMB_SIDES
            a, b = radius * np.cos(angle), radius * np.sin(angle)
            vertices[ring * _LIMB_SIDES + side] = start + along * y + a * x + b * z
        if ring == 0:
            vertices[-2] = start + along * y
    vertices[-1] = start + along * y
    return vertices


def bent_elbow(wrist: np.ndarray, shoulder: np.ndarray, forearm_m: float, pole: np.ndarray) -> np.ndarray:
    """(3,) the elbow between wrist and shoulder, bent towards `pole`: the two-link problem in closed form."""
    way = wrist - shoulder
    distance = np.sqrt(way @ way)
    way = way / max(distance, 1e-6)
    distance = min(max(distance, abs(UPPER_ARM_M - forearm_m) + 0.05), UPPER_ARM_M + forearm_m - 0.005)
    along = (UPPER_ARM_M**2 - forearm_m**2 + distance**2) / (2 * distance)
    return shoulder + along * way + np.sqrt(max(UPPER_ARM_M**2 - along**2, 0)) * across(pole, way)
