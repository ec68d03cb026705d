"""Things that hands hold and that lie about: families of everyday shapes with realistic sizes.

A thing is built in its grip's frame: the place where a hand takes it is the origin, and `width_m` is what lies between thumb and
fingers there. Bars are taken around the y axis; flat things at an edge, thin along x, with the thing towards +y; compact things
around their middle.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from hand_pose_training.synthetic import everyday, unseen
from hand_pose_training.synthetic.primitives import Mesh
from hand_pose_training.synthetic.solids import Body


class Form(IntEnum):
    """How a thing is taken."""

    BAR = 0
    FLAT = 1
    COMPACT = 2


@dataclass(frozen=True)
class Family:
    """Things of one kind.

    :param width_m: smallest and largest width at the grip
    :param build: (rng, width) -> the thing in its grip's frame
    :param held_out: never drawn for training
    :param depth_m: how far from its edge a flat thing is taken
    :param grips: names of the only grips that suit it; empty: all of its form and width
    """

    name: str
    form: Form
    width_m: tuple[float, float]
    build: Callable[[np.random.Generator, float], Body]
    held_out: bool = False
    depth_m: tuple[float, float] = (0.005, 0.025)
    grips: tuple[str, ...] = ()


FAMILIES = (
    Family("stick", Form.BAR, (0.006, 0.032), everyday.stick),
    Family("pen", Form.BAR, (0.007, 0.014), everyday.pen),
    Family("can", Form.BAR, (0.048, 0.075), everyday.can),
    Family("jar", Form.BAR, (0.05, 0.092), everyday.jar),
    Family("glass", Form.BAR, (0.05, 0.085), everyday.glass),
    Family("box", Form.BAR, (0.025, 0.075), everyday.box_bar),
    Family("remote", Form.BAR, (0.015, 0.028), everyday.remote),
    Family("torch", Form.BAR, (0.02, 0.045), everyday.torch),
    Family("screwdriver", Form.BAR, (0.018, 0.036), everyday.screwdriver),
    Family("hammer", Form.BAR, (0.022, 0.034), everyday.hammer),
    Family("knife", Form.BAR, (0.014, 0.026), everyday.knife),
    Family("spoon", Form.BAR, (0.006, 0.012), everyday.spoon),
    Family("banana", Form.BAR, (0.028, 0.04), everyday.banana),
    Family("bag", Form.BAR, (0.011, 0.024), everyday.bag_handle, grips=("hook",)),
    Family("phone", Form.FLAT, (0.007, 0.011), everyday.phone),
    Family("tablet", Form.FLAT, (0.006, 0.01), everyday.tablet),
    Family("card", Form.FLAT, (0.001, 0.003), everyday.card),
    Family("paper", Form.FLAT, (0.001, 0.004), everyday.paper),
    Family("book", Form.FLAT, (0.01, 0.045), everyday.book),
    Family("carton", Form.FLAT, (0.03, 0.07), everyday.carton),
    Family("plate", Form.FLAT, (0.004, 0.015), everyday.plate),
    Family("bowl", Form.FLAT, (0.003, 0.006), everyday.bowl, depth_m=(0.004, 0.015)),
    Family("ball", Form.COMPACT, (0.02, 0.09), everyday.ball),
    Family("egg", Form.COMPACT, (0.038, 0.05), everyday.egg),
    Family("fruit", Form.COMPACT, (0.02, 0.085), everyday.fruit),
    Family("cube", Form.COMPACT, (0.01, 0.065), everyday.cube),
    Family("soft box", Form.COMPACT, (0.025, 0.07), everyday.soft_box),
    Family("puck", Form.COMPACT, (0.012, 0.09), everyday.puck),
    Family("mug", Form.BAR, (0.07, 0.09), unseen.mug, held_out=True),
    Family("mug by its handle", Form.BAR, (0.011, 0.015), unseen.mug_by_its_handle, held_out=True, grips=("hook",)),
    Family("bottle", Form.BAR, (0.055, 0.085), unseen.bottle, held_out=True),
    Family("bottle by its neck", Form.BAR, (0.024, 0.034), unseen.bottle_by_its_neck, held_out=True),
    Family(
        "scissors",
        Form.BAR,
        (0.008, 0.012),
        unseen.scissors,
        held_out=True,
        grips=("small diameter", "palmar pinch", "tripod", "lateral"),
    ),
    Family("cone", Form.BAR, (0.03, 0.055), unseen.cone, held_out=True),
    Family("ring", Form.FLAT, (0.004, 0.02), unseen.ring, held_out=True, depth_m=(-0.002, 0.002)),
    Family("wedge", Form.COMPACT, (0.02, 0.06), unseen.wedge, held_out=True),
)


def families(held_out: bool) -> list[Family]:
    """Those that training draws, or those that it never does."""
    return [family for family in FAMILIES if family.held_out == held_out]


def sample_object(rng: np.random.Generator, held_out: bool = False, low: float = 0.01, high: float = 0.1) -> Mesh:
    """A thing that lies about, centred.

    :param low, high: half of its largest extent in metres; a thing outside is made larger or smaller
    """
    choice = families(held_out)
    family = choice[rng.integers(len(choice))]
    vertices, faces = family.build(rng, rng.uniform(*family.width_m)).mesh()
    lowest, highest = vertices.min(axis=0), vertices.max(axis=0)
    half = (highest - lowest).max() / 2
    return (vertices - (lowest + highest) / 2) * (np.clip(half, low, high) / half), faces
