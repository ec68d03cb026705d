"""Hands that hold something: an object in the palm with the fingers closed on it, or between thumb and fingertips.

Everything is in the right hand's own frame (wrist at the origin, fingers along -y, palm facing -x), metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numba import njit

from hand_pose_training.synthetic import primitives
from hand_pose_training.synthetic.hand_mesh import bone_positions
from hand_pose_training.synthetic.poses import ANCHORS, THUMB, bone_angles, jitter
from hand_pose_training.synthetic.views import cross, random_rotation


class Solid(IntEnum):
    """Shapes of held objects, with what their three dimensions mean."""

    BOX = 0  # half edges
    CYLINDER = 1  # radius, half length, unused; along y
    ELLIPSOID = 2  # half axes; touched as a sphere of the mean one


@dataclass(frozen=True)
class HeldObject:
    """An object: its shape, (3,) dimensions, (3, 3) rotation object to hand, (3,) centre."""

    solid: Solid
    size: np.ndarray
    rotation: np.ndarray
    center: np.ndarray

    def mesh(self) -> primitives.Mesh:
        """Its mesh in the hand's frame."""
        if self.solid is Solid.BOX:
            vertices, faces = primitives.box(2 * self.size)
        elif self.solid is Solid.CYLINDER:
            vertices, faces = primitives.cylinder(self.size[0], 2 * self.size[1])
        else:
            vertices, faces = primitives.ellipsoid(self.size)
        return vertices @ self.rotation.T + self.center, faces


_PALM_SKIN_X = -0.020
_FINGER_M = 0.0085
_STEPS = 20
# A finger's (mcp, pip, dip) and the thumb's parameters while they close, degrees.
_FINGER_OPEN, _FINGER_CLOSED = np.radians([0.0, 2.0, 0.0]), np.radians([88.0, 105.0, 65.0])
_THUMB_OPEN, _THUMB_CLOSED = np.radians([-8.0, 45.0, 25.0, -5.0, -5.0, 0.0]), np.radians([40.0, 32.0, 45.0, 45.0, 60.0, 0.0])
# Shapes that pinch, from wide to closed.
_PINCHES = (("pinch_wide", "pinch"), ("tripod_wide", "tripod"), ("cup", "all_tips"), ("large_grasp", "tripod"))
# Bones whose joints and middles are looked at, five fingers from the thumb: first bone and how many follow it.
_FIRST_BONES = np.array([2, 6, 11, 16, 21])


def sample_grasp(rng: np.random.Generator, scales: np.ndarray) -> tuple[np.ndarray, HeldObject]:
    """A pose and the object it holds; scales as `posed_hand` takes them."""
    return _power(rng, scales) if rng.random() < 0.62 else _pinch(rng, scales)


def _power(rng: np.random.Generator, scales: np.ndarray) -> tuple[np.ndarray, HeldObject]:
    solid = Solid(int(rng.integers(3)))
    radius = rng.uniform(0.010, 0.045)
    if solid is Solid.BOX:
        size = np.array([radius, radius * rng.uniform(0.6, 1.4), rng.uniform(0.04, 0.12)])
    elif solid is Solid.CYLINDER:
        size = np.array([radius, rng.uniform(0.03, 0.14), 0.0])
    else:
        size = radius * rng.uniform(0.8, 1.3, size=3)
    # Across the palm (hand z), tilted a little; a cylinder's own axis is y.
    across = np.array([[1.0, 0, 0], [0, 0, -1.0], [0, 1.0, 0]]) if solid is Solid.CYLINDER else np.eye(3)
    tilt_x, tilt_y = 0.3 * rng.normal(size=2)
    cx, sx, cy, sy = np.cos(tilt_x), np.sin(tilt_x), np.cos(tilt_y), np.sin(tilt_y)
    tilt = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]]) @ np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    center = np.array([_PALM_SKIN_X - size[0] - 0.004 * rng.random(), rng.uniform(-0.095, -0.06), rng.uniform(-0.01, 0.015)])
    center *= scales[0, [1, 2, 0]]
    held = HeldObject(solid, size, tilt @ across, center)
    pose = jitter(ANCHORS["large_grasp"], rng, 0.6)
    closing = np.zeros(5)
    stopped = np.zeros(5, bool)
    limit = rng.uniform(0.85, 1.0, size=5)
    for step in range(_STEPS):
        closing[~stopped] = step / (_STEPS - 1)
        _set_closing(pose, np.minimum(closing, limit))
        gaps = finger_gaps(bone_positions(bone_angles(pose), scales), held)
        stopped |= gaps < _FINGER_M * scales[0, 1]
        if stopped.all():
            break
    return pose, held


def _set_closing(pose: np.ndarray, closing: np.ndarray) -> None:
    pose[THUMB] = _THUMB_OPEN + closing[0] * (_THUMB_CLOSED - _THUMB_OPEN)
    pose[:16].reshape(4, 4)[:, 1:] = _FINGER_OPEN + closing[1:, None] * (_FINGER_CLOSED - _FINGER_OPEN)


def _pinch(rng: np.random.Generator, scales: np.ndarray) -> tuple[np.ndarray, HeldObject]:
    wide, closed = _PINCHES[rng.integers(len(_PINCHES))]
    share = rng.random()
    pose = jitter(share * ANCHORS[wide] + (1 - share) * ANCHORS[closed], rng, 0.4)
    bones = bone_positions(bone_angles(pose), scales)
    thumb, finger = bones[4], bones[9] if rng.random() < 0.6 else bones[14]
    gap = np.linalg.norm(finger - thumb)
    half = max(gap / 2 - 0.007, 0.0025)
    x = (finger - thumb) / max(gap, 1e-6)
    y = cross(x, random_rotation(rng)[0])
    y /= np.linalg.norm(y)
    solid = Solid(int(rng.integers(3)))
    if solid is Solid.BOX:
        size = np.array([half, *rng.uniform(0.006, 0.05, size=2)])
    elif solid is Solid.CYLINDER:
        size = np.array([half, rng.uniform(0.008, 0.09), 0.0])
    else:
        size = half * np.array([1, *rng.uniform(0.8, 1.4, size=2)])
    rotation = np.stack([x, y, cross(x, y)], axis=1)
    slide = y * size[1] * rng.uniform(-0.7, 0.7)
    return pose, HeldObject(solid, size, rotation, (thumb + finger) / 2 + slide)


def finger_gaps(bones: np.ndarray, held: HeldObject) -> np.ndarray:
    """(5,) distance of each finger's bone line from the object, negative inside; bones (26, 3)."""
    return _gaps(bones, int(held.solid), held.size, held.rotation, held.center, _FIRST_BONES)


@njit(cache=True, nogil=True)
def _gaps(bones, solid, size, rotation, center, first_bones):
    gaps = np.full(len(first_bones), 1.0)
    for f in range(len(first_bones)):
        start = first_bones[f]
        last = start + (2 if f == 0 else 3)
        for b in range(start, last):
            for part in range(1, 4):
                share = part / 3
                point = (bones[b] + share * (bones[b + 1] - bones[b]) - center) @ rotation
                gaps[f] = min(gaps[f], _distance(point, solid, size))
    return gaps


@njit(cache=True, nogil=True)
def _distance(p, solid, size):
    """Signed distance of a point to a solid in its own frame."""
    if solid == 2:
        return np.sqrt(np.dot(p, p)) - (size[0] + size[1] + size[2]) / 3
    if solid == 1:
        a, b, c = np.sqrt(p[0] ** 2 + p[2] ** 2) - size[0], abs(p[1]) - size[1], -1.0
    else:
        a, b, c = abs(p[0]) - size[0], abs(p[1]) - size[1], abs(p[2]) - size[2]
    outside = np.sqrt(max(a, 0.0) ** 2 + max(b, 0.0) ** 2 + max(c, 0.0) ** 2)
    return outside + min(max(a, b, c), 0.0)
