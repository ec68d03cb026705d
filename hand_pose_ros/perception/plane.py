"""Find the table or wall that a scene stands on, so that a hand near it can be told from it."""

from __future__ import annotations

import numpy as np

TRIALS = 40
SAMPLES = 400
MIN_AREA_M2 = 0.06  # a flat hand with its forearm has about 0.04
MIN_PART = 0.2  # of the valid pixels


def tolerance(z: np.ndarray | float) -> np.ndarray | float:
    """How far from a plane its own pixels may lie, metres: a stereo or structured-light camera's noise grows with z^2."""
    return np.float32(0.010) + np.float32(0.006) * np.square(z)


def dominant_plane(points: np.ndarray, valid: np.ndarray, pixels_per_tan2: float) -> np.ndarray | None:
    """The largest plane in view, by RANSAC (Fischler & Bolles, 1981).

    :param points: (h, w, 3) metres, camera optical frame
    :param valid: (h, w) bool, the points that count
    :param pixels_per_tan2: fx times fy of the image: a pixel at depth z stands for z^2 / (fx fy) square metres
    :return: (4,) a, b, c, d with unit normal (a, b, c) and a x + b y + c z = d, or None where nothing large is flat
    The trials are the same for every image, so that one image always gives one answer.
    """
    index = np.flatnonzero(valid)
    if len(index) < 100:
        return None
    share = max(1, len(index) // SAMPLES)
    sample = points.reshape(-1, 3)[index[::share]]
    corner = sample[np.random.RandomState(1).randint(0, len(sample), (TRIALS, 3))]
    normal = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    length = np.linalg.norm(normal, axis=1)
    good = length > 1e-4  # three corners in a line span no plane
    if not good.any():
        return None
    normal = normal[good] / length[good, None]
    near = tolerance(sample[:, 2])
    inside = np.abs(normal @ sample.T - (normal * corner[good, 0]).sum(1)[:, None]) < near
    flat = inside[int(np.count_nonzero(inside, axis=1).argmax())]
    if flat.mean() < MIN_PART:
        return None
    plane = _fit(sample[flat])
    flat = np.abs(sample @ plane[:3] - plane[3]) < near
    seen_m2 = float(np.square(sample[flat, 2]).sum()) * share / pixels_per_tan2
    return plane if seen_m2 / max(abs(plane[2]), 0.2) > MIN_AREA_M2 else None


def _fit(points: np.ndarray) -> np.ndarray:
    """Least squares plane through points (N, 3)."""
    center = points.mean(0, dtype=float)
    _, vectors = np.linalg.eigh(np.cov((points - center).T))
    return np.append(vectors[:, 0], vectors[:, 0] @ center)
