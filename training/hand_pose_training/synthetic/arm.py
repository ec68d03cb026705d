"""What is around and behind a posed hand's forearm: a sleeve, the elbow."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numba import njit

from hand_pose_training.synthetic.hand_mesh import FOREARM, HandShape, PosedHand, hand_model
from hand_pose_training.synthetic.primitives import Mesh, tube
from hand_pose_training.synthetic.shape import mean_shape

_RINGS = np.array([0.1, 0.25, 0.4, 0.55, 0.7, 0.85, 1.0])  # of the forearm, from the wrist
_NEAR_M = 0.018


def sleeve_mesh(hand: PosedHand, shape: HandShape, rng: np.random.Generator) -> Mesh:
    """A sleeve around the forearm from somewhere behind the wrist to the elbow, in the hand's frame."""
    start = rng.uniform(0.05, 0.6)
    along = np.linspace(start, 1.04, 6)
    skin = forearm_profile(shape)
    arm = np.stack([np.interp(along, _RINGS, side) for side in skin.T], axis=1)
    width = rng.uniform(0.003, 0.02)
    radii = arm + np.maximum(width + 0.003 * rng.normal(size=(6, 1)), 0.002)
    vertices, faces = tube(along * shape.forearm_m, radii)
    # The tube's y is the bone's z (to the elbow), its x the bone's y (thickness), its z the bone's x (width).
    axes = hand.bone_rotations[FOREARM][:, [1, 2, 0]]
    return vertices @ axes.T + hand.bone_positions[FOREARM], faces


def elbow(hand: PosedHand, shape: HandShape) -> np.ndarray:
    """(3,) the elbow in the hand's frame."""
    return hand.bone_positions[FOREARM] + hand.bone_rotations[FOREARM][:, 2] * shape.forearm_m


def forearm_profile(shape: HandShape) -> np.ndarray:
    """(7, 2) how far the skin reaches from the forearm's bone in thickness and width, metres, from wrist to elbow."""
    return _widest(shape.vertices, *_ring_vertices())


@njit(cache=True, nogil=True)
def _widest(vertices, ids, rings):
    out = np.zeros((rings[-1] + 1, 2))
    for n in range(len(ids)):
        vertex = vertices[ids[n]]
        out[rings[n], 0] = max(out[rings[n], 0], abs(vertex[0]))
        out[rings[n], 1] = max(out[rings[n], 1], abs(vertex[2]))
    return out


@lru_cache(maxsize=1)
def _ring_vertices() -> tuple[np.ndarray, np.ndarray]:
    """(N,) vertices around the forearm, (N,) numbers of the `_RINGS` that they are around; some are around two."""
    mean = mean_shape()
    on_arm = (hand_model().bone_ids[:, 0] == FOREARM) & (mean.vertices[:, 1] > 0)
    gap = np.abs(mean.vertices[:, 1] - _RINGS[:, None] * mean.forearm_m)
    rings, ids = np.nonzero(on_arm & (gap < np.maximum(_NEAR_M, gap[:, on_arm].min(axis=1, keepdims=True) + 0.004)))
    return ids, rings
