"""What drivers and filters make of a depth image once the sensor has given it: coarser, smoothed, filled, full of holes.

A network that was trained with one family of sensor models takes their faults for granted; any camera's own are different. So a
share of the training images go through steps of random kinds and strengths, which belong to no camera in particular: decimation,
window filters, smoothing and hole filling are those that drivers offer, noise and holes have any size.

All images are (H, W) float32 metres, 0 where there is no depth.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

_NOTHING_M = 50.0  # stands for no depth where the nearest or the farthest is asked for
_SAME_SURFACE_M = 0.02
_NOISE_M = 0.008  # largest deviation at 1 m, growing with z^2
_STEP_M = 0.008


def processed(depth: np.ndarray, reach_px: float, rng: np.random.Generator) -> np.ndarray:
    """The image after one or more random steps, in the order in which a camera takes them.

    :param reach_px: about how far a pixel may look at or be moved in one step, in pixels of this image; 1 or more
    """
    chosen = rng.random(len(_STEPS)) < [share for share, _ in _STEPS]
    if not chosen.any():
        chosen[rng.integers(len(_STEPS))] = True
    for (_, step), wanted in zip(_STEPS, chosen):
        if wanted:
            depth = step(depth, reach_px, rng)
    return depth


def smooth_field(shape: tuple[int, int], pitch_px: float, rng: np.random.Generator) -> np.ndarray:
    """(H, W) float32 of about normal values that change over so many pixels."""
    height, width = (int(np.ceil(n / pitch_px)) + 2 for n in shape)
    coarse = rng.standard_normal((height, width), dtype=np.float32)
    return 1.3 * cv2.resize(coarse, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def _decimated(depth: np.ndarray, reach_px: float, rng: np.random.Generator) -> np.ndarray:
    """One pixel for several, the same ones along whole rows and columns or each displaced on its own."""
    step = rng.uniform(1.2, 1 + reach_px)
    places = []
    for n in depth.shape:
        start = rng.uniform(0, step)
        places.append((np.floor((np.arange(n) + start) / step) + 0.5) * step - start)
    rows, columns = np.meshgrid(*places, indexing="ij")
    if rng.random() < 0.5:
        own = rng.uniform(-0.4, 0.4, size=(2, 32, 32)) * step
        cell = tuple(np.floor(grid / step).astype(int) % 32 for grid in (rows, columns))
        rows, columns = rows + own[0][cell], columns + own[1][cell]
    rows, columns = (np.clip(np.round(x), 0, n - 1).astype(int) for x, n in zip((rows, columns), depth.shape))
    return depth[rows, columns]


def _filtered(depth: np.ndarray, reach_px: float, rng: np.random.Generator) -> np.ndarray:
    """The nearest, the farthest or the middle depth of a window, everywhere or here and there."""
    far = np.where(depth > 0, depth, _NOTHING_M)
    kind, size = rng.integers(3), int(rng.integers(2, 2 + round(reach_px)))
    if kind == 2:
        changed = cv2.medianBlur(far, 3 if size < 4 else 5)
    else:
        shape = cv2.MORPH_ELLIPSE if size > 2 and rng.random() < 0.5 else cv2.MORPH_RECT
        kernel = cv2.getStructuringElement(shape, (size, int(rng.integers(1, size + 1))) if rng.random() < 0.5 else (size, size))
        changed = cv2.erode(far, kernel) if kind == 0 else cv2.dilate(far, kernel)
    if rng.random() < 0.6:
        here = smooth_field(depth.shape, rng.uniform(2, 12), rng) > rng.uniform(-1, 1)
        changed = np.where(here, changed, far)
    return np.where(changed < _NOTHING_M, changed, np.float32(0))


def _smoothed(depth: np.ndarray, reach_px: float, rng: np.random.Generator) -> np.ndarray:
    """The mean of a window: of the same surface, or across edges, too."""
    size = int(rng.integers(2, 3 + round(reach_px)))
    seen = (depth > 0).astype(np.float32)
    weight = cv2.blur(seen, (size, size))
    mean = cv2.blur(depth, (size, size)) / np.maximum(weight, 1e-6)
    alike = np.abs(mean - depth) < (1.0 if rng.random() < 0.3 else _SAME_SURFACE_M)
    return np.where(alike & (depth > 0), mean, depth)


def _noisy(depth: np.ndarray, reach_px: float, rng: np.random.Generator) -> np.ndarray:
    """Depth errors that neighbours share, growing with the distance squared."""
    pitch = rng.uniform(0.8, 1 + 3 * reach_px)
    field = rng.standard_normal(depth.shape, dtype=np.float32) if pitch < 1 else smooth_field(depth.shape, pitch, rng)
    return np.maximum(depth + np.float32(_NOISE_M * rng.random() ** 2) * field * depth * depth, 0)


def _in_steps(depth: np.ndarray, reach_px: float, rng: np.random.Generator) -> np.ndarray:
    """Depth in steps, alike at every distance or growing with its square."""
    step = np.float32(rng.uniform(0.001, _STEP_M))
    if rng.random() < 0.5:
        return np.round(depth / step) * step
    inverse = np.where(depth > 0, np.round(1 / np.maximum(depth, 0.05) / step) * step, 0)
    return np.where(inverse > 0, 1 / np.maximum(inverse, step), 0).astype(np.float32)


def _torn(depth: np.ndarray, reach_px: float, rng: np.random.Generator) -> np.ndarray:
    """Without depth in blobs, at edges, or in single pixels."""
    kind = rng.integers(3)
    if kind == 0:
        lost = smooth_field(depth.shape, rng.uniform(1.5, 4 * reach_px + 2), rng) > rng.uniform(1.0, 2.5)
    elif kind == 1:
        far, window = np.where(depth > 0, depth, _NOTHING_M), np.ones((3, 3), np.uint8)
        at_edge = cv2.dilate(far, window) - cv2.erode(far, window) > _SAME_SURFACE_M
        lost = at_edge & (smooth_field(depth.shape, rng.uniform(1.5, 6), rng) > rng.uniform(-1, 1.5))
    else:
        lost = rng.random(depth.shape, dtype=np.float32) < rng.uniform(0, 0.25)
    return np.where(lost, np.float32(0), depth)


def _filled(depth: np.ndarray, reach_px: float, rng: np.random.Generator) -> np.ndarray:
    """Holes filled from beside them: with what is nearest, what is farthest, or what is on the left."""
    kind, filled = rng.integers(3), depth
    for _ in range(int(rng.integers(1, 2 + round(reach_px)))):
        if kind == 2:
            beside = np.roll(filled, 1, axis=1)
            beside[:, 0] = 0
        else:
            empty = np.where(filled > 0, filled, _NOTHING_M if kind == 0 else 0)
            beside = (cv2.erode if kind == 0 else cv2.dilate)(empty, np.ones((3, 3), np.uint8))
            beside[beside >= _NOTHING_M] = 0
        filled = np.where(filled > 0, filled, beside)
    return filled


_STEPS: tuple[tuple[float, Callable[[np.ndarray, float, np.random.Generator], np.ndarray]], ...] = (
    (0.3, _decimated),
    (0.45, _filtered),
    (0.3, _smoothed),
    (0.35, _noisy),
    (0.15, _in_steps),
    (0.35, _torn),
    (0.2, _filled),
)
