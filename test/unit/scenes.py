"""Depth images of simple scenes, rendered analytically: spheres swept along segments over a background.

Everything in metres in the camera optical frame (x right, y down, z forward).
"""

from __future__ import annotations

import numpy as np

from hand_pose_ros.geometry.camera import Camera

CAMERA = Camera(640, 480, 476.0, 476.0, 320.0, 240.0)
HAND_LENGTH = 0.185
# Fingers in the hand's own frame (metres): base (side, along), length, radius; `along` runs from the wrist to the fingers.
_FINGERS = (
    ((-0.030, 0.030), (-0.060, 0.062), 0.075, 0.010),  # thumb
    ((-0.030, 0.088), (-0.010, 0.088), 0.075, 0.008),
    ((-0.010, 0.092), (0.000, 0.092), 0.085, 0.008),
    ((0.010, 0.088), (0.006, 0.088), 0.078, 0.008),
    ((0.030, 0.080), (0.014, 0.080), 0.062, 0.007),
)


def blank(camera: Camera = CAMERA) -> np.ndarray:
    """(H, W) float32 with no depth anywhere."""
    return np.zeros((camera.height, camera.width), np.float32)


def draw_sphere(depth: np.ndarray, center, radius: float, camera: Camera = CAMERA) -> None:
    """Z-buffer one sphere into the image."""
    center = np.asarray(center, float)
    if center[2] - radius < 0.02:
        return
    u, v = camera.project(center)
    reach = radius / (center[2] - radius) * camera.fx * 1.3 + 2
    c0, c1 = max(0, int(u - reach)), min(camera.width, int(u + reach) + 2)
    r0, r1 = max(0, int(v - reach)), min(camera.height, int(v + reach) + 2)
    if c0 >= c1 or r0 >= r1:
        return
    x = (np.arange(c0, c1) - camera.cx)[None, :] / camera.fx
    y = (np.arange(r0, r1) - camera.cy)[:, None] / camera.fy
    a, b = x * x + y * y + 1, x * center[0] + y * center[1] + center[2]
    disc = b * b - a * (center @ center - radius * radius)
    z = np.where(disc > 0, (b - np.sqrt(np.maximum(disc, 0))) / a, 0).astype(np.float32)
    part = depth[r0:r1, c0:c1]
    hit = (z > 0) & ((part == 0) | (z < part))
    part[hit] = z[hit]


def draw_capsule(depth: np.ndarray, start, end, radius0: float, radius1: float | None = None, camera: Camera = CAMERA) -> None:
    """A rounded rod from start to end."""
    start, end = np.asarray(start, float), np.asarray(end, float)
    radius1 = radius0 if radius1 is None else radius1
    steps = max(2, int(np.linalg.norm(end - start) / (0.3 * min(radius0, radius1))) + 1)
    for t in np.linspace(0, 1, steps):
        draw_sphere(depth, start + t * (end - start), radius0 + t * (radius1 - radius0), camera)


def draw_plane(depth: np.ndarray, normal, distance: float, camera: Camera = CAMERA, limit_m: float = 3.0) -> None:
    """The plane normal . p = distance, up to a depth."""
    rays = np.stack(
        np.broadcast_arrays(
            (np.arange(camera.width) - camera.cx)[None, :] / camera.fx,
            (np.arange(camera.height) - camera.cy)[:, None] / camera.fy,
            1.0,
        ),
        -1,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (distance / (rays @ np.asarray(normal, float))).astype(np.float32)
    hit = (z > 0) & (z < limit_m) & ((depth == 0) | (z < depth))
    depth[hit] = z[hit]


def draw_hand(
    depth: np.ndarray,
    wrist,
    fingers,
    side=(1.0, 0.0, 0.0),
    *,
    fist: bool = False,
    forearm_m: float = 0.28,
    camera: Camera = CAMERA,
) -> np.ndarray:
    """A hand with a forearm; returns the (3,) point that a hand's mean joint would be.

    :param wrist: (3,) its wrist
    :param fingers: direction from the wrist to the fingers
    :param side: direction from the thumb across the palm
    """
    wrist = np.asarray(wrist, float)
    along = np.asarray(fingers, float) / np.linalg.norm(fingers)
    across = np.asarray(side, float) - along * (along @ np.asarray(side, float))
    across /= np.linalg.norm(across)
    at = lambda p: wrist + across * p[0] + along * p[1]  # noqa: E731
    for s in np.linspace(-0.028, 0.028, 5):
        draw_capsule(depth, at((s * 0.8, 0.01)), at((s, 0.085)), 0.014, camera=camera)
    joints = [wrist]
    for base, lean, length, radius in _FINGERS:
        direction = np.array([lean[0], 0.08]) / np.hypot(lean[0], 0.08)
        length = 0.025 if fist else length
        tip = np.asarray(base) + direction * length
        draw_capsule(depth, at(base), at(tip), radius * (1.6 if fist else 1.0), camera=camera)
        joints += [at(np.asarray(base) + direction * length * t) for t in (0, 0.45, 0.75, 0.97)]
    if forearm_m:
        draw_capsule(depth, wrist + along * 0.01, wrist - along * forearm_m, 0.028, 0.042, camera=camera)
    return np.mean(joints, 0)


def draw_person(depth: np.ndarray, chest, camera: Camera = CAMERA) -> None:
    """Torso, neck and head around a chest point."""
    from_chest = lambda *offset: np.add(chest, offset)  # noqa: E731
    for s in np.linspace(-0.12, 0.12, 5):
        draw_capsule(depth, from_chest(s, -0.10, 0.0), from_chest(s, 0.5, 0.0), 0.11, camera=camera)
    draw_capsule(depth, from_chest(0, 0, 0), from_chest(0, -0.24, 0.02), 0.055, camera=camera)
    draw_capsule(depth, from_chest(0, -0.30, 0.0), from_chest(0, -0.36, 0.0), 0.085, camera=camera)


def add_noise(depth: np.ndarray, seed: int = 0) -> np.ndarray:
    """Axial noise growing with z^2, some drop-out, edges eaten: what a depth camera does, coarsely."""
    rng = np.random.default_rng(seed)
    noisy = depth + rng.normal(0, 1, depth.shape).astype(np.float32) * 0.0025 * depth**2
    shifted = np.roll(depth, (1, 1), (0, 1))
    edge = np.abs(shifted - depth) > 0.03
    noisy[(edge & (rng.random(depth.shape) < 0.6)) | (rng.random(depth.shape) < 0.01) | (depth == 0)] = 0
    return noisy.astype(np.float32)
