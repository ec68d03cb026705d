"""Hand shapes: overall size, palm width and thickness, finger lengths and thickness."""

from __future__ import annotations

import numpy as np

from hand_pose_training.synthetic.hand_mesh import BONES, FOREARM

ACROSS, THICKNESS, ALONG = range(3)
FINGER_BONES = (slice(1, 5), slice(6, 10), slice(11, 15), slice(16, 20), slice(21, 25))
_PALM_BONES = [0, 5, 10, 15, 20]


def sample_shape(rng: np.random.Generator) -> np.ndarray:
    """(26, 3) scale of every bone across, in thickness and along.

    The rest hand is 190 mm from wrist to the middle finger's skin; hands come out between about 155 and 210 mm.
    """
    size = np.clip(rng.normal(0.97, 0.065), 0.80, 1.13)
    draw = rng.normal(size=(5, 2))
    scales = np.ones((BONES, 3))
    palm = np.clip(1 + 0.05 * rng.normal(size=3), 0.88, 1.12)
    scales[_PALM_BONES] = palm
    length, thickness = 1 + 0.035 * rng.normal(), np.clip(1 + 0.08 * rng.normal(), 0.82, 1.2)
    for bones, (own_length, own_thickness) in zip(FINGER_BONES, draw):
        scales[bones, ALONG] = length + 0.025 * own_length
        scales[bones, :ALONG] = thickness + 0.03 * own_thickness
    scales[FOREARM] = palm
    return np.clip(scales, 0.8, 1.25) * size
