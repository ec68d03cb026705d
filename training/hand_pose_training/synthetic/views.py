"""Cameras, where the hand is in their image, and which way is up."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numba import njit

from hand_pose_ros.geometry.camera import Camera


class View(IntEnum):
    """Where the camera is."""

    FACING = 0  # before the person, who shows palm or back
    EGOCENTRIC = 1  # at the person's head, chest or wrist
    OVERHEAD = 2  # above a table, looking down at 30 to 90 degrees
    ANY = 3  # anywhere on the sphere about the hand, evenly but for where the forearm hides the hand


_VIEW_SHARES = np.cumsum([0.37, 0.23, 0.17, 0.23])
HAND_REACH_M = 0.09  # of a hand from its middle, most often
NEAR_BORDER_SHARE = 0.15


def sample_view(rng: np.random.Generator) -> View:
    """A kind of view, by its share."""
    return View(min(int(np.searchsorted(_VIEW_SHARES, rng.random())), 3))


def sample_camera(rng: np.random.Generator) -> Camera:
    """A camera of a common kind: 640x480, 320x240, Azure Kinect's narrow view, D4xx, Kinect v2."""
    kind, f, cx, cy = rng.random(4)
    jitter_x, jitter_y = 16 * (cx - 0.5), 16 * (cy - 0.5)
    if kind < 0.55:
        return Camera(640, 480, *(2 * (380 + 240 * f,)), 319.5 + jitter_x, 239.5 + jitter_y)
    if kind < 0.72:
        return Camera(320, 240, *(2 * (190 + 120 * f,)), 159.5 + jitter_x, 119.5 + jitter_y)
    if kind < 0.84:
        return Camera(640, 576, *(2 * (500 + 10 * f,)), 319.5 + jitter_x, 330 + jitter_y)
    if kind < 0.93:
        return Camera(848, 480, *(2 * (415 + 20 * f,)), 423.5 + jitter_x, 239.5 + jitter_y)
    return Camera(512, 424, *(2 * (360 + 10 * f,)), 255.5 + jitter_x, 211.5 + jitter_y)


def sample_position(
    rng: np.random.Generator, camera: Camera, distance_m: tuple[float, float], uniform: bool = False, spread: bool = False
) -> np.ndarray:
    """(3,) where the middle of the hand is, metres in the camera's frame.

    It lies well inside the image, but in a few scenes so near the border that fingers may be cut off.

    :param uniform: distances even in their range; otherwise near ones come more often
    :param spread: anywhere in the image
    """
    near, far = distance_m
    z = near + (far - near) * (rng.random() if uniform else rng.beta(1.4, 2.3))
    margin = HAND_REACH_M * camera.fx / z
    if spread:
        margin *= 0.3
    elif rng.random() < NEAR_BORDER_SHARE:
        margin *= rng.uniform(0.25, 0.9)
    pixel = [rng.uniform(m, size - m) for size in (camera.width, camera.height) for m in [min(margin, 0.42 * size)]]
    return camera.back_project(np.array(pixel), z)


def sample_up(rng: np.random.Generator, view: View, any_roll: bool) -> np.ndarray:
    """(3,) the world's upward direction in the camera's frame.

    :param any_roll: the camera may be turned about its optical axis; otherwise it is level within some degrees
    """
    if view is View.ANY:
        up = rng.normal(size=3)
        return up / np.sqrt(up @ up)
    if view is View.OVERHEAD:
        pitch = np.radians(rng.uniform(30, 90))
    elif view is View.EGOCENTRIC:
        pitch = np.radians(rng.uniform(5, 65))
    else:
        pitch = np.radians(min(max(8 + 16 * rng.normal(), -30), 50))
    roll = rng.uniform(-np.pi, np.pi) if any_roll else min(max(0.08 * rng.normal(), -0.3), 0.3)
    return np.array([np.sin(roll) * np.cos(pitch), -np.cos(roll) * np.cos(pitch), -np.sin(pitch)])


def shown_rotation(rng: np.random.Generator, forearm: np.ndarray, any_roll: bool) -> np.ndarray:
    """(3, 3) from the hand's frame to the camera's for a hand that shows its palm or its back.

    :param forearm: (3,) direction of the forearm in the hand's frame; the camera does not look along it onto the elbow
    :param any_roll: any roll in the image; otherwise the fingers point upwards within about 40 degrees
    """
    while True:
        to_camera = np.array([1.0 if rng.random() < 0.5 else -1.0, 0.0, 0.0]) + 0.5 * rng.normal(size=3)
        length = np.sqrt(to_camera @ to_camera)
        if length > 0.1 and to_camera @ forearm < 0.75 * length:
            break
    roll = rng.uniform(-np.pi, np.pi) if any_roll else min(max(0.4 * rng.normal(), -0.8), 0.8)
    z = -to_camera / length
    down = np.array([0.0, 1.0, 0.0]) - z[1] * z
    if abs(z[1]) > 0.9999:
        down = np.array([1.0, 0.0, 0.0]) - z[0] * z
    y = down / np.sqrt(down @ down)
    x = cross(y, z)
    c, s = np.cos(roll), np.sin(roll)
    return np.stack([c * x - s * y, s * x + c * y, z])


@njit(cache=True, nogil=True)
def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a x b of two (3,) vectors."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


@njit(cache=True, nogil=True)
def unit(v: np.ndarray) -> np.ndarray:
    """v (3,) at length 1."""
    return v / np.sqrt(v[0] * v[0] + v[1] * v[1] + v[2] * v[2])


@njit(cache=True, nogil=True)
def across(v: np.ndarray, along: np.ndarray) -> np.ndarray:
    """(3,) the unit vector across `along` (a unit vector) that is nearest v; any one where v is parallel to it."""
    rest = v - (v[0] * along[0] + v[1] * along[1] + v[2] * along[2]) * along
    if rest[0] * rest[0] + rest[1] * rest[1] + rest[2] * rest[2] < 1e-12:
        least = np.argmin(np.abs(along))
        rest = -along[least] * along
        rest[least] += 1
    return unit(rest)


@njit(cache=True, nogil=True)
def turning(from_first: np.ndarray, from_second: np.ndarray, to_first: np.ndarray, to_second: np.ndarray) -> np.ndarray:
    """(3, 3) rotation that takes the first unit vector exactly and the second as nearly as possible to the two others."""
    before, after = across(from_second, from_first), across(to_second, to_first)
    third_before, third_after = cross(from_first, before), cross(to_first, after)
    out = np.empty((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = to_first[i] * from_first[j] + after[i] * before[j] + third_after[i] * third_before[j]
    return out


@njit(cache=True, nogil=True)
def about(axis: np.ndarray, angle: float) -> np.ndarray:
    """(3, 3) rotation about a unit vector (Rodrigues)."""
    x, y, z = axis
    c, s = np.cos(angle), np.sin(angle)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return c * np.eye(3) + s * k + (1 - c) * np.outer(axis, axis)


def random_rotation(rng: np.random.Generator) -> np.ndarray:
    """(3, 3) any rotation, evenly."""
    q = rng.normal(size=4)
    w, x, y, z = q / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
