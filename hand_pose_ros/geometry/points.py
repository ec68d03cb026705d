"""Depth crop -> a set of points and the neighbourhoods in which a hierarchical point network works (PointNet++, Qi et al. 2017).

The network learns on three levels: all P points, P / 2 of them, and P / 8. Sampling and grouping depend on where the points lie
and not on what is learned, so they are done here, and the graph has them as inputs by name:

    point_set   (N, P, 3) float32      (u, v, d) in cube units, that is, normalised crop coordinates
    samples     (N, P / 2) int64       the points of level 1 among all, in farthest-point order: the first P / 8 are level 2
    groups_1    (N, P / 2, K) int64    for each point of level 1 its neighbours among all points
    groups_2    (N, P / 8, K) int64    for each point of level 2 its neighbours in level 1
    nearest_1   (N, P, 3) int64        for each point the nearest three of level 1, and their weights
    weights_1   (N, P, 3) float32
    nearest_2   (N, P / 2, 3) int64    for each point of level 1 the nearest three of level 2, and their weights
    weights_2   (N, P / 2, 3) float32

Levels of 1024, 512 and 128 points and K = 64 neighbours are those of Hand PointNet and P2P (Ge et al. 2018).
"""

from __future__ import annotations

import numpy as np

from hand_pose_ros.geometry.voxels import SEEN_BELOW

POINTS = 1024
# Neighbours lie within these distances, in cube units: 25 mm and 40 mm in a cube of 250 mm. Hand PointNet takes 0.12 and 0.2 of
# the hand's length.
RADIUS_1, RADIUS_2 = 0.2, 0.32
NEAREST = 3


def size_problem(points: int) -> str:
    """Why a set cannot have so many points, "" if it can."""
    return "" if points >= 32 and points % 16 == 0 else f"{points} is no number of points: a multiple of 16 from 32 on"


def input_rows(points: int) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Each input's type and shape without the batch, by name in the graph's order.

    :param points: P, a multiple of 16
    """
    level_1, level_2, neighbours = points // 2, points // 8, points // 16
    return {
        "point_set": ("float32", (points, 3)),
        "samples": ("int64", (level_1,)),
        "groups_1": ("int64", (level_1, neighbours)),
        "groups_2": ("int64", (level_2, neighbours)),
        "nearest_1": ("int64", (points, NEAREST)),
        "weights_1": ("float32", (points, NEAREST)),
        "nearest_2": ("int64", (level_1, NEAREST)),
        "weights_2": ("float32", (level_1, NEAREST)),
    }


def point_set(depth_crop: np.ndarray, points: int = POINTS) -> dict[str, np.ndarray]:
    """The inputs of `input_rows` for a batch of crops; a crop in which nothing is gives points (0, 0, 0).

    :param depth_crop: (N, 1, S, S) in [-1, 1], background +1
    :param points: P, a multiple of 16
    """
    inputs = {name: np.zeros((len(depth_crop), *row), dtype) for name, (dtype, row) in input_rows(points).items()}
    for n, crop in enumerate(depth_crop[:, 0]):
        found = crop_points(crop, points)
        for name, values in {"point_set": found, **neighbourhoods(found)}.items():
            inputs[name][n] = values
    return inputs


def crop_points(crop: np.ndarray, points: int) -> np.ndarray:
    """(P, 3) float32: foreground pixels of a crop (S, S) at regular steps of its rows; fewer pixels repeat, none gives zeros."""
    rows, columns = np.nonzero(crop < SEEN_BELOW)
    if not len(rows):
        return np.zeros((points, 3), np.float32)
    taken = np.arange(points) * len(rows) // points
    rows, columns = rows[taken], columns[taken]
    u, v = ((2 * axis + 1) / crop.shape[0] - 1 for axis in (columns, rows))
    return np.stack([u, v, crop[rows, columns]], axis=1).astype(np.float32)


def neighbourhoods(points: np.ndarray) -> dict[str, np.ndarray]:
    """All inputs but `point_set`, of one set of points (P, 3)."""
    count, neighbours = len(points), len(points) // 16
    squared = sum((axis[:, None] - axis) ** 2 for axis in points.T)
    samples = farthest_points(squared, count // 2)
    to_1 = squared[:, samples]
    among_1 = to_1[samples]
    second = np.arange(count // 8)
    nearest_1, weights_1 = nearest_weights(to_1)
    nearest_2, weights_2 = nearest_weights(among_1[:, second])
    return {
        "samples": samples,
        "groups_1": groups(squared[samples], samples, neighbours, RADIUS_1),
        "groups_2": groups(among_1[second], second, neighbours, RADIUS_2),
        "nearest_1": nearest_1,
        "weights_1": weights_1,
        "nearest_2": nearest_2,
        "weights_2": weights_2,
    }


def farthest_points(squared: np.ndarray, count: int) -> np.ndarray:
    """Farthest-point sampling: from point 0 on, always the point that is farthest from those taken; (count,) int64.

    :param squared: (P, P) squared distances
    """
    taken = np.zeros(count, np.int64)
    remaining = squared[0].copy()
    for i in range(1, count):
        taken[i] = remaining.argmax()
        np.minimum(remaining, squared[taken[i]], out=remaining)
    return taken


def groups(squared: np.ndarray, centers: np.ndarray, neighbours: int, radius: float) -> np.ndarray:
    """The nearest neighbours of each centre, (M, K) int64, in no order; those beyond the radius are the centre itself instead.

    :param squared: (M, P) squared distances of centres to points
    :param centers: (M,) which of the points each centre is
    """
    rows = np.arange(len(squared))[:, None]
    nearest = np.argpartition(squared, neighbours - 1, axis=1)[:, :neighbours]
    return np.where(squared[rows, nearest] <= radius**2, nearest, centers[:, None])


def nearest_weights(squared: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest three of M points for each of P points, (P, 3) int64, and weights (P, 3) by inverse squared distance that sum
    to 1.

    :param squared: (P, M) squared distances
    """
    rows, left = np.arange(len(squared)), squared.copy()
    nearest = np.empty((len(squared), NEAREST), np.int64)
    for k in range(NEAREST):
        nearest[:, k] = left.argmin(axis=1)
        left[rows, nearest[:, k]] = np.inf
    inverse = 1 / np.maximum(squared[rows[:, None], nearest], 1e-10)
    return nearest, (inverse / inverse.sum(axis=1, keepdims=True)).astype(np.float32)
