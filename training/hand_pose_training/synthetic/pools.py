"""Hands, grasps, people and things that take long to make, drawn from numbered pools: each is made once a process.

What a number stands for depends on nothing else, so a scene still depends on its own random numbers alone.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from hand_pose_training.synthetic.grasp import HeldObject, sample_grasp, sample_reach
from hand_pose_training.synthetic.hand_mesh import HandShape
from hand_pose_training.synthetic.objects import sample_object
from hand_pose_training.synthetic.person import sample_person
from hand_pose_training.synthetic.primitives import Mesh
from hand_pose_training.synthetic.shape import sample_shape

SHAPES, GRASPS, REACHES, OBJECTS, PERSONS = 512, 8192, 1024, 2048, 512
_TRIES = 8  # people, until one can hold something

Grasp = tuple[HandShape, np.ndarray, HeldObject]


def draw_shape(rng: np.random.Generator, held_out: bool = False) -> HandShape:
    """A person's hand."""
    return _shape(int(rng.integers(SHAPES)), held_out)


def draw_grasp(rng: np.random.Generator, held_out: bool = False) -> Grasp:
    """A person's hand, its pose and what it holds."""
    return _grasp(int(rng.integers(GRASPS)), held_out, False)


def draw_reach(rng: np.random.Generator, held_out: bool = False) -> Grasp:
    """A person's hand about to take something, its pose and the thing."""
    return _grasp(int(rng.integers(REACHES)), held_out, True)


def draw_object(rng: np.random.Generator, held_out: bool = False) -> Mesh:
    """A thing that lies about, centred, 2 to 20 cm."""
    return _object(int(rng.integers(OBJECTS)), held_out)


def draw_person(rng: np.random.Generator, held_out: bool = False) -> np.ndarray:
    """(V, 3) vertices of an upper body, arms down."""
    return _person(int(rng.integers(PERSONS)), held_out)


@lru_cache(maxsize=2 * SHAPES)
def _shape(number: int, held_out: bool) -> HandShape:
    return sample_shape(np.random.default_rng((1, number, held_out)), held_out)


@lru_cache(maxsize=2 * (GRASPS + REACHES))
def _grasp(number: int, held_out: bool, reaching: bool) -> Grasp:
    rng = np.random.default_rng((2, number, held_out, reaching))
    for person in range(number, number + _TRIES):
        shape = _shape(person % SHAPES, held_out)
        try:
            return shape, *(sample_reach if reaching else sample_grasp)(rng, shape, held_out)
        except RuntimeError as error:  # a rare hand that can hold nothing
            last = error
    raise last


@lru_cache(maxsize=2 * OBJECTS)
def _object(number: int, held_out: bool) -> Mesh:
    return sample_object(np.random.default_rng((3, number, held_out)), held_out)


@lru_cache(maxsize=2 * PERSONS)
def _person(number: int, held_out: bool) -> np.ndarray:
    return sample_person(np.random.default_rng((4, number, held_out)), held_out)[0]
