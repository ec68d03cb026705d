"""Cameras, and how the hand is turned and placed before them."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from hand_pose_ros.geometry.camera import Camera


class View(IntEnum):
    """Where the camera is."""

    FACING = 0  # before the person, who shows palm or back
    EGOCENTRIC = 1  # behind the hand, on the forearm's side
    OVERHEAD = 2  # above a table
    ANY = 3


_VIEW_SHARES = np.cumsum([0.47, 0.15, 0.13, 0.25])
DISTANCE_M = (0.25, 1.2)


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


def sample_rotation(rng: np.random.Generator, view: View, forearm: np.ndarray, any_roll: float) -> np.ndarray:
    """(3, 3) rotation from the hand's frame to the camera's.

    :param forearm: (3,) direction of the forearm in the hand's frame; the camera does not look along it onto the elbow
    :param any_roll: share of hands with any roll; the others are upright within about 40 degrees
    """
    while True:
        if view is View.ANY:
            to_camera = rng.normal(size=3)
        else:
            to_camera = np.array([1.0, 0.0, 0.0]) if rng.random() < 0.5 else np.array([-1.0, 0.0, 0.0])
            spread = 0.45
            if view is View.EGOCENTRIC:
                lean = rng.uniform(0.4, 1.4)
                to_camera = np.array([to_camera[0] * 0.8, lean, 0.0])
                spread = 0.4
            elif view is View.OVERHEAD:
                to_camera[0] = abs(to_camera[0]) if rng.random() < 0.6 else to_camera[0]
            to_camera = to_camera + spread * rng.normal(size=3)
        length = np.linalg.norm(to_camera)
        to_camera /= max(length, 1e-9)
        if length > 0.1 and to_camera @ forearm < (0.85 if view is View.EGOCENTRIC else 0.75):
            break
    if view is View.OVERHEAD or rng.random() < any_roll:
        roll = rng.uniform(-np.pi, np.pi)
    else:
        roll = np.clip(rng.normal() * 0.4, -0.8, 0.8)
    z = -to_camera
    down = np.array([0.0, 1.0, 0.0]) - z[1] * z
    if abs(z[1]) > 0.9999:
        down = np.array([1.0, 0.0, 0.0]) - z[0] * z
    y = down / np.sqrt(down @ down)
    x = cross(y, z)
    c, s = np.cos(roll), np.sin(roll)
    return np.stack([c * x - s * y, s * x + c * y, z])


def sample_position(rng: np.random.Generator, camera: Camera) -> np.ndarray:
    """(3,) where the middle of the hand is, metres in the camera's frame; the middle lies well inside the image."""
    z = DISTANCE_M[0] + (DISTANCE_M[1] - DISTANCE_M[0]) * rng.beta(1.5, 2.1)
    half = 0.09 * camera.fx / z
    pixel = []
    for size in (camera.width, camera.height):
        margin = min(half, 0.42 * size)
        pixel.append(rng.uniform(margin, size - margin))
    return camera.back_project(np.array(pixel), z)


def cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """a x b of two (3,) vectors; a tenth of np.cross' time."""
    return np.array([a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])


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
