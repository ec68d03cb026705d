"""Tiny depth images for tests of the datasets' readers: a few pixels at every joint, as a sensor would see small balls there."""

import numpy as np

from hand_pose_ros.geometry.camera import Camera

REACH = 2


def ball_image(camera: Camera, joints: np.ndarray, background_mm: int = 0) -> np.ndarray:
    """(H, W) uint16 millimetres with a square of 5x5 pixels at the depth of every joint (J, 3) metres, nearer ones in front.

    Projected by hand (x fx / z + cx), so that a test does not ask the code that it tests.
    """
    image = np.full((camera.height, camera.width), background_mm, np.uint16)
    for x, y, z in sorted(np.asarray(joints, float).tolist(), key=lambda joint: -joint[2]):
        u, v = round(x * camera.fx / z + camera.cx), round(y * camera.fy / z + camera.cy)
        rows, columns = slice(max(v - REACH, 0), v + REACH + 1), slice(max(u - REACH, 0), u + REACH + 1)
        image[rows, columns] = round(1000 * z)
    return image


def spread_joints(count: int, center: tuple[float, float, float], seed: int = 0) -> np.ndarray:
    """(count, 3) metres, within 8 cm of the centre, apart enough that their squares do not hide each other."""
    rng = np.random.default_rng(seed)
    side = int(np.ceil(np.sqrt(count)))
    grid = np.stack(np.meshgrid(np.linspace(-0.07, 0.07, side), np.linspace(-0.07, 0.07, side)), -1).reshape(-1, 2)[:count]
    depth = rng.uniform(-0.04, 0.04, count)
    return np.column_stack([grid, depth]) + center


def seen_at(depth: np.ndarray, camera: Camera, joints: np.ndarray) -> np.ndarray:
    """Depth (J,) metres of the image (H, W) at the pixels of joints (J, 3)."""
    u = np.round(joints[:, 0] * camera.fx / joints[:, 2] + camera.cx).astype(int)
    v = np.round(joints[:, 1] * camera.fy / joints[:, 2] + camera.cy).astype(int)
    return depth[v, u]
