"""Where the hand is, when nobody says: the centre of mass of the nearest object.

The segmentation of Oberweger et al. (CVWW 2015; released as moberweger/deep-prior-pp) and of the residual attention
network: the hand is the object nearest to the camera, and what lies in a cube of fixed edge around its centre of mass.
"""

from __future__ import annotations

import cv2
import numpy as np

from hand_pose_ros.geometry.camera import Camera

# Less than this is no hand but noise, or a corner of something else: a hand seen edge on shows 30 cm^2.
MIN_AREA_M2 = 0.002
# Nearer than this much of an object are flying pixels.
_FRONT_AREA_M2 = 0.0002
_MOST_PIECES = 50
_ITERATIONS = 10
_SETTLED_M = 1e-4


def nearest_object(depth: np.ndarray, camera: Camera, reach_m: float) -> np.ndarray | None:
    """Mask (H, W) bool of the nearest connected object that shows at least MIN_AREA_M2; None where there is none.

    :param depth: (H, W) metres, 0 where nothing was seen
    :param reach_m: pixels farther than this behind the object's front do not belong to it
    """
    left = depth > 0
    area = np.where(left, depth, 0).astype(float) ** 2 / (camera.fx * camera.fy)  # of each pixel, as if it faced the camera
    for _ in range(_MOST_PIECES):
        front = front_depth(depth[left], area[left])
        if front is None:
            return None
        # A hand before a body or a table is one piece with it in the image: cut behind the front, then see what hangs together.
        near = left & (depth < front + reach_m)
        _, labels = cv2.connectedComponents(near.astype(np.uint8), connectivity=8)
        piece = labels == np.bincount(labels[near & (depth <= front)]).argmax()
        if area[piece].sum() >= MIN_AREA_M2:
            return piece
        left &= ~piece
    return None


def front_depth(z: np.ndarray, area: np.ndarray) -> float | None:
    """The depth, up to a millimetre, at which _FRONT_AREA_M2 of pixels with depths z (N,) metres and areas (N,) m^2 are nearer;
    None where there is less."""
    reached = np.cumsum(np.bincount((1000 * z).astype(np.intp), area)) >= _FRONT_AREA_M2
    return 1e-3 * (int(reached.argmax()) + 1) if reached.any() else None


def center_of_mass(
    depth: np.ndarray, camera: Camera, cube_m: float, box: tuple[float, float, float, float] | None = None
) -> np.ndarray | None:
    """(3,) metres, camera frame: mean pixel and mean depth of the nearest object inside the cube around that very point.

    :param depth: (H, W) metres, 0 where nothing was seen
    :param cube_m: edge of the cube
    :param box: (u_min, v_min, u_max, v_max) outer edges in pixels; nothing outside counts
    :return: None for an image without an object
    """
    if box is not None:
        v, u = np.mgrid[: depth.shape[0], : depth.shape[1]]
        depth = np.where((u >= box[0]) & (u <= box[2]) & (v >= box[1]) & (v <= box[3]), depth, 0)
    mask = nearest_object(depth, camera, cube_m)
    if mask is None:
        return None
    v, u = np.nonzero(mask)
    points = np.column_stack([u, v, depth[v, u]]).astype(float)
    inside = points[:, 2] <= front_depth(points[:, 2], points[:, 2] ** 2 / (camera.fx * camera.fy)) + cube_m / 2
    mean = points[inside].mean(axis=0)
    for _ in range(_ITERATIONS):
        # The window of the cube at the mean's depth, as `CubeCrop` cuts it.
        half = np.array([camera.fx / mean[2], camera.fy / mean[2], 1.0]) * cube_m / 2
        inside = (np.abs(points - mean) <= half).all(axis=1)
        if not inside.any():
            break
        moved = points[inside].mean(axis=0) - mean
        mean += moved
        if (np.abs(moved) / half * cube_m / 2 < _SETTLED_M).all():
            break
    return camera.back_project(mean[:2], mean[2])
