"""Hand shapes: mixtures of the stored people, of any size, with fingers of their own length and thickness."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit

from hand_pose_training.synthetic.hand_mesh import BONES, CAPSULES, FOREARM, HAND_LENGTH_M, HandShape, hand_model

LENGTH_M = (0.145, 0.215)  # the shortest and the longest hand
_MIXED = 3  # people a shape is mixed from
_FINGER_BONES = (slice(1, 5), slice(6, 10), slice(11, 15), slice(16, 20), slice(21, 25))


def sample_shape(rng: np.random.Generator, held_out: bool = False) -> HandShape:
    """A random person's hand; `held_out`: one of people whom training never sees."""
    model = hand_model()
    people = np.flatnonzero(model.held_out == held_out)
    chosen = people[rng.integers(len(people), size=_MIXED)]
    share = rng.dirichlet(np.full(_MIXED, 0.6))
    length = share @ model.length_m[chosen] * 0.97 * (1 + 0.04 * rng.normal())
    scales = np.ones((BONES, 3))
    for bones, (long, thick) in zip(_FINGER_BONES, rng.normal(size=(5, 2))):
        scales[bones, 2] = 1 + 0.015 * long
        scales[bones, :2] = 1 + 0.025 * thick
    return make_shape(share @ model.coefficients[chosen], float(np.clip(length, *LENGTH_M)), np.clip(scales, 0.93, 1.07))


@lru_cache(maxsize=1)
def mean_shape() -> HandShape:
    """The mean person's hand, 0.19 m long."""
    return make_shape(np.zeros(hand_model().coefficients.shape[1]), HAND_LENGTH_M, np.ones((BONES, 3)))


def make_shape(coefficients: np.ndarray, length_m: float, scales: np.ndarray) -> HandShape:
    """The hand with these principal coefficients (K,), length from wrist to the middle finger's skin, and bone scales (26, 3)."""
    model = hand_model()
    size = length_m / HAND_LENGTH_M
    row = (model.mean + coefficients.astype(np.float32) @ model.basis).astype(float) * size
    vertices, bones = row[: -1 - 3 * BONES].reshape(-1, 3), row[-1 - 3 * BONES : -1].reshape(-1, 3)
    palm, wrist = vertices[model.palm, 0], vertices[model.wrist]
    return HandShape(
        vertices=vertices,
        bones=bones,
        scales=scales,
        size=size,
        forearm_m=float(row[-1] * scales[FOREARM, 2]),
        radii_m=_radii(vertices, bones, model.owner, CAPSULES) * scales[CAPSULES[:, 0], :2].mean(axis=1),
        palm_half_thickness_m=float(np.ptp(palm) / 2),
        forearm_radii_m=np.ptp(wrist[:, [0, 2]], axis=0) / 2,
    )


@njit(cache=True, nogil=True)
def _radii(vertices, bones, owner, capsules):
    """(19,) mean distance of each capsule's own vertices from its bone."""
    total, count = np.zeros(len(capsules)), np.zeros(len(capsules))
    along = np.empty((len(capsules), 3))
    for c in range(len(capsules)):
        for i in range(3):
            along[c, i] = bones[capsules[c, 1], i] - bones[capsules[c, 0], i]
        along[c] /= np.sqrt((along[c] ** 2).sum())
    for v in range(len(vertices)):
        c = owner[v]
        if c >= 0:
            start = capsules[c, 0]
            x, y, z = vertices[v, 0] - bones[start, 0], vertices[v, 1] - bones[start, 1], vertices[v, 2] - bones[start, 2]
            share = x * along[c, 0] + y * along[c, 1] + z * along[c, 2]
            total[c] += np.sqrt(max(x * x + y * y + z * z - share * share, 0.0))
            count[c] += 1
    return total / np.maximum(count, 1)
