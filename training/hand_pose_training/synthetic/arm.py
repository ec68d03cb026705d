"""The forearm behind a posed hand, with or without a sleeve."""

from __future__ import annotations

import numpy as np

from hand_pose_training.synthetic.hand_mesh import FOREARM, PosedHand
from hand_pose_training.synthetic.primitives import Mesh, tube

FOREARM_M = 0.25
# Distance behind the wrist and half axes (thickness, width) of the mean forearm, metres; the first rings lie inside the hand.
_RINGS = np.array([0.004, 0.014, 0.04, 0.08, 0.13, 0.18, 0.22, FOREARM_M])
_RADII = np.array(
    [
        [0.0155, 0.0225],
        [0.0185, 0.0258],
        [0.020, 0.027],
        [0.0245, 0.031],
        [0.032, 0.038],
        [0.038, 0.043],
        [0.041, 0.044],
        [0.036, 0.038],
    ]
)


def forearm_mesh(hand: PosedHand, scale: np.ndarray, rng: np.random.Generator) -> Mesh:
    """The forearm in the hand's frame.

    :param scale: (3,) the forearm bone's scale: across, thickness, along
    """
    fat = 1 + np.clip(0.12 * rng.normal(), -0.2, 0.35) * np.clip(_RINGS / 0.1, 0, 1)
    radii = _RADII * fat[:, None] * scale[[1, 0]]
    return _behind_wrist(hand, _RINGS * scale[2], radii)


def sleeve_mesh(hand: PosedHand, scale: np.ndarray, rng: np.random.Generator) -> Mesh:
    """A sleeve around the forearm from somewhere behind the wrist to the elbow."""
    start = rng.uniform(0.01, 0.14)
    along = np.linspace(start, FOREARM_M + 0.01, 6)
    arm = np.stack([np.interp(along, _RINGS, _RADII[:, i]) for i in range(2)], axis=1)
    width = rng.uniform(0.002, 0.02)
    radii = (arm + width + 0.003 * rng.normal(size=(6, 1))) * scale[[1, 0]]
    return _behind_wrist(hand, along * scale[2], np.maximum(radii, arm * scale[[1, 0]]))


def elbow(hand: PosedHand, scale: np.ndarray) -> np.ndarray:
    """(3,) the elbow in the hand's frame."""
    return hand.bone_positions[FOREARM] + hand.bone_rotations[FOREARM][:, 2] * FOREARM_M * scale[2]


def _behind_wrist(hand: PosedHand, along: np.ndarray, radii: np.ndarray) -> Mesh:
    vertices, faces = tube(along, radii)
    # The tube's y is the bone's z (to the elbow), its x the bone's y (thickness), its z the bone's x (width).
    axes = hand.bone_rotations[FOREARM][:, [1, 2, 0]]
    return vertices @ axes.T + hand.bone_positions[FOREARM], faces
