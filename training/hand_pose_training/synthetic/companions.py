"""A second hand near the subject: beside it, touching it, over it, in front of it, or handing it something."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

from hand_pose_training.synthetic.arm_placing import MIDDLE_TO_ELBOW_M, Placement
from hand_pose_training.synthetic.limbs import Arm, bent_elbow, reach_of_contact, sample_arm
from hand_pose_training.synthetic.people import Body
from hand_pose_training.synthetic.views import across, random_rotation, turning, unit

OTHER_PERSON_SHARE = 0.2


class Meeting(IntEnum):
    """How two hands are near each other."""

    BESIDE = 0
    TOUCHING = 1
    OVER = 2
    BEFORE = 3  # nearer the camera, hiding a part
    HANDING = 4  # the second hand holds something out


_SHARES = np.cumsum([0.34, 0.24, 0.14, 0.16, 0.12])


def sample_second(rng: np.random.Generator, first: Arm, held_out: bool = False) -> tuple[Arm, Meeting, bool]:
    """A second arm, how it will be near the first one, and whether it is the same person's."""
    meeting = Meeting(min(int(np.searchsorted(_SHARES, rng.random())), 4))
    same = bool(rng.random() >= OTHER_PERSON_SHARE)
    right = not first.right if same else bool(rng.random() < 0.5)
    return sample_arm(rng, right, meeting is Meeting.HANDING, held_out, shape=first.shape if same else None), meeting, same


def place_second(
    rng: np.random.Generator, first: Arm, placement: Placement, second: Arm, meeting: Meeting, body: Body | None
) -> Placement:
    """Put the second arm near the first one.

    It comes along a direction until its balls meet the first arm's, and stays a gap before that.

    :param body: whose arm it is, where that is known
    """
    up, middle = placement.up, placement.points(first.joints).mean(axis=0)
    palm, fingers = placement.direction(np.array([-1.0, 0.0, 0.0])), placement.direction(np.array([0.0, -1.0, 0.0]))
    side = _side(first, placement, body)
    to_camera = -unit(middle)
    gap, noise = abs(0.004 * rng.normal()), rng.normal(size=3)
    if meeting is Meeting.BESIDE:
        direction, offset, gap = side + 0.5 * noise, 0.03 * rng.normal(size=3), min(rng.exponential(0.04), 0.12)
    elif meeting is Meeting.TOUCHING:
        direction, offset = (side if rng.random() < 0.4 else palm) + 0.4 * noise, 0.02 * rng.normal(size=3)
    elif meeting is Meeting.OVER:
        direction, offset = (-palm if rng.random() < 0.7 else palm) + 0.3 * noise, 0.03 * rng.normal(size=3)
    elif meeting is Meeting.BEFORE:
        direction, gap = to_camera + 0.3 * noise, 0.02 + min(rng.exponential(0.04), 0.15)
        offset = rng.uniform(0.05, 0.12) * across(rng.normal(size=3), to_camera)
    else:
        direction, offset = fingers + 0.6 * palm + 0.4 * noise, 0.02 * rng.normal(size=3)
    direction = unit(direction)
    rotation = _rotation(rng, second, middle + 0.1 * direction, body, up, meeting, direction)
    start = middle + offset - rotation @ second.joints.mean(axis=0)
    balls, radii = second.balls, second.radii
    if meeting is Meeting.HANDING:
        held = second.parts[-1].mesh[0]
        balls, radii = np.concatenate([balls, held]), np.concatenate([radii, np.zeros(len(held))])
    reach = reach_of_contact(balls @ rotation.T + start, radii, placement.points(first.balls), first.radii, direction)
    position = start + (max(reach, 0.0) + gap) * direction
    return Placement(rotation, position, up)


def _side(first: Arm, placement: Placement, body: Body | None) -> np.ndarray:
    """(3,) from the first hand to where the same person's other one is at home."""
    if body is not None:
        return -body.rightwards if first.right else body.rightwards
    return placement.direction(unit(first.joints[5] - first.joints[17]))  # on the thumb's side


def _rotation(
    rng: np.random.Generator,
    second: Arm,
    middle: np.ndarray,
    body: Body | None,
    up: np.ndarray,
    meeting: Meeting,
    direction: np.ndarray,
) -> np.ndarray:
    """(3, 3) hand to camera: the forearm from its own shoulder where that is known, the palm to the first hand if they touch."""
    if body is None:
        while True:
            rotation = random_rotation(rng)
            if (rotation @ second.forearm) @ unit(middle) > -0.5:  # the elbow is not at the camera
                return rotation
    pole = -up + 0.6 * (body.rightwards if second.right else -body.rightwards) + 0.4 * rng.normal(size=3)
    forearm = unit(bent_elbow(middle, body.shoulder(second.right), MIDDLE_TO_ELBOW_M, pole) - middle)
    towards = rng.normal(size=3)
    if meeting in (Meeting.TOUCHING, Meeting.OVER):
        towards = -direction + 0.3 * towards
    return turning(second.forearm, np.array([-1.0, 0.0, 0.0]), forearm, towards)
