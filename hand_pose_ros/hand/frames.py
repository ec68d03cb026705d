"""Frames of the palm and of every bone, from joint positions.

Palm frame, the same construction for either hand, so it needs no side: x from the wrist to the middle finger's base, y towards
the index finger's side of the palm, z = x cross y: out of the back of a right hand, out of the palm of a left one.

Bone frame of a joint: x along the bone to the next joint of its finger (a tip has the frame of the bone before it); the rest is
the parent bone's frame (for the first bone the palm's), turned by the smallest rotation that brings its x onto this bone. The
frames of a straight finger so are parallel to the palm's, those of a flexed finger have turned about y, and nothing flips until
a joint bends by 180 degrees. The wrist has the palm's frame.

Quaternions are x, y, z, w, and turn vectors of the frame into the camera's frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from hand_pose_ros.geometry.crop import unpack_symmetric
from hand_pose_ros.skeleton import PALM_JOINTS, Skeleton

# Shorter than this (metres), a direction between two joints means nothing.
_SHORTEST_M = 1e-4
_NEXT, _AFTER = np.array([1, 2, 0]), np.array([2, 0, 1])


@dataclass(frozen=True)
class Palm:
    """The palm's pose.

    :param center: (3,) metres, mean of the palm's joints
    :param quaternion: (4,) x y z w; NaN where the palm's joints lie on one line
    """

    center: np.ndarray
    quaternion: np.ndarray


def palm_pose(joints: np.ndarray, skeleton: Skeleton) -> Palm | None:
    """The palm of a hand with joints (J, 3) in metres; None for a skeleton without the palm's joints."""
    at = _palm_indices(skeleton)
    if at is None:
        return None
    palm = np.asarray(joints, dtype=float)[list(at)]
    axes = palm_axes(palm)
    return Palm(palm.mean(axis=0), np.full(4, np.nan) if axes is None else quaternion_from_matrix(axes))


def palm_covariance(joints: np.ndarray, covariance: np.ndarray, skeleton: Skeleton) -> np.ndarray | None:
    """Covariance (6, 6) of the palm's pose: position in m^2, then rotation about the camera's axes in rad^2.

    :param covariance: (J, 6) of the joints, m^2
    :return: None where it is not known

    The errors of joints so close together move together, so the position has the mean of the joints' covariances (what is
    left of it by averaging is not known). The rotation is propagated from the joints that set the axes, with independent errors,
    which is an upper bound. Terms between position and rotation are left at zero.
    """
    at = _palm_indices(skeleton)
    if at is None:
        return None
    at = list(at)
    palm, spread = np.asarray(joints, dtype=float)[at], unpack_symmetric(np.asarray(covariance)[at])
    axes = palm_axes(palm)
    if axes is None or not np.isfinite(spread).all() or (spread[:, 0, 0] < 0).any():
        return None
    wrist, index, middle, _, little = range(5)
    x, y, z = axes.T
    length, width = np.linalg.norm(palm[middle] - palm[wrist]), (palm[index] - palm[little]) @ y
    turn = _cross_matrix(x) / length  # of x, by an error across it
    out = np.zeros((6, 6))
    out[:3, :3] = spread.mean(axis=0)
    out[3:, 3:] = (
        turn @ (spread[middle] + spread[wrist]) @ turn.T + np.outer(x, x) * (z @ (spread[index] + spread[little]) @ z) / width**2
    )
    return out


def bone_quaternions(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """Orientation (J, 4) of every joint's bone frame, from joints (J, 3) in metres.

    Where the palm's own frame is not defined, the fingers' frames start from the camera's axes.
    """
    palm = palm_pose(joints, skeleton)
    known = palm is not None and np.isfinite(palm.quaternion).all()
    start = tuple(palm.quaternion.tolist()) if known else (0.0, 0.0, 0.0, 1.0)
    points = np.asarray(joints, dtype=float).tolist()
    out = [start] * len(points)
    for parent, at, child in _bones(skeleton):  # plain floats: for 20 bones six times faster than small arrays
        out[at] = out[parent] if child is None else _aim(out[parent], points[at], points[child])
    return np.array(out)


def quaternion_from_matrix(rotation: np.ndarray) -> np.ndarray:
    """(3, 3) rotation matrix -> (4,) x y z w with w >= 0 (Shepperd's method: divides by the largest component)."""
    r = np.asarray(rotation, dtype=float)
    squares = np.array([r[0, 0] - r[1, 1] - r[2, 2], r[1, 1] - r[0, 0] - r[2, 2], r[2, 2] - r[0, 0] - r[1, 1], np.trace(r)]) + 1
    largest = int(np.argmax(squares))
    i, j, k = largest, (largest + 1) % 3, (largest + 2) % 3
    if largest == 3:
        q = np.array([r[2, 1] - r[1, 2], r[0, 2] - r[2, 0], r[1, 0] - r[0, 1], squares[3]])
    else:
        q = np.empty(4)
        q[[i, j, k, 3]] = squares[i], r[i, j] + r[j, i], r[i, k] + r[k, i], r[k, j] - r[j, k]
    q /= np.linalg.norm(q)
    return q if q[3] >= 0 else -q


def _aim(frame: tuple[float, ...], start: list[float], end: list[float]) -> tuple[float, float, float, float]:
    """The frame turned by the smallest rotation that brings its x onto start -> end; as it is where these are one point."""
    dx, dy, dz = end[0] - start[0], end[1] - start[1], end[2] - start[2]
    length = math.sqrt(dx * dx + dy * dy + dz * dz)
    if length < _SHORTEST_M:
        return frame
    dx, dy, dz = dx / length, dy / length, dz / length
    x, y, z, w = frame
    ax, ay, az = 1 - 2 * (y * y + z * z), 2 * (x * y + z * w), 2 * (x * z - y * w)  # the frame's x axis
    tx, ty, tz, tw = ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx, 1 + ax * dx + ay * dy + az * dz
    if tw < 1e-9:  # bent back by 180 degrees: half a turn about y, the axis of flexion
        tx, ty, tz, tw = 2 * (x * y - z * w), 1 - 2 * (x * x + z * z), 2 * (y * z + x * w), 0.0
    qx, qy, qz = tw * x + w * tx + ty * z - tz * y, tw * y + w * ty + tz * x - tx * z, tw * z + w * tz + tx * y - ty * x
    qw = tw * w - tx * x - ty * y - tz * z
    norm = math.sqrt(qx * qx + qy * qy + qz * qz + qw * qw)
    return qx / norm, qy / norm, qz / norm, qw / norm


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The cross product of two vectors (3,), in a fifth of np.cross's time."""
    return a[_NEXT] * b[_AFTER] - a[_AFTER] * b[_NEXT]


def _cross_matrix(v: np.ndarray) -> np.ndarray:
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def palm_axes(palm: np.ndarray) -> np.ndarray | None:
    """(3, 3) with columns x, y, z of the palm frame, from the PALM_JOINTS (5, 3); None where they lie on one line."""
    wrist, index, middle, _, little = palm
    x, across = middle - wrist, index - little
    length = math.sqrt(x @ x)
    if length < _SHORTEST_M:
        return None
    x = x / length
    across = across - x * (across @ x)
    width = math.sqrt(across @ across)
    if width < _SHORTEST_M:
        return None
    y = across / width
    return np.stack([x, y, cross(x, y)], axis=1)


@lru_cache(maxsize=16)
def _palm_indices(skeleton: Skeleton) -> tuple[int, ...] | None:
    if not set(PALM_JOINTS) <= set(skeleton.joint_names):
        return None
    return tuple(skeleton.indices(*PALM_JOINTS))


@lru_cache(maxsize=16)
def _bones(skeleton: Skeleton) -> tuple[tuple[int, int, int | None], ...]:
    """(parent, joint, next joint or None at a tip) for every joint with a parent, parents first."""
    next_of = dict(skeleton.bone_indices)
    return tuple((parent, joint, next_of.get(joint)) for parent, joint in skeleton.bone_indices)
