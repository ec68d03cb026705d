"""Which kinds of models there are, by what they see: the one table that card, checks and back ends go by."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """What the models of a kind answer.

    :param what: in words
    :param required, optional: names of the graph's outputs
    """

    what: str
    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


HAND_POSE = Answer("the joints of one hand", ("joints", "covariance", "confidence"), ("presence", "right_side"))
HAND_CENTERS = Answer("where hands are in a whole depth image", ("centers", "score"))

ANSWERS = {
    "depth_crop": HAND_POSE,
    "voxel_grid": HAND_POSE,
    "point_set": HAND_POSE,
    "rgb_crop": HAND_POSE,
    "depth_frame": HAND_CENTERS,
}
INPUT_KINDS = tuple(ANSWERS)
