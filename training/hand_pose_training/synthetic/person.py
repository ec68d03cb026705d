"""Upper bodies of people: head, neck, torso and upper arms that go to any elbows, mixed from stored people."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numba import njit

from hand_pose_training.synthetic.primitives import Mesh

ASSET = Path(__file__).with_name("assets") / "persons.npz"
SHOULDER_M = np.array([0.178, 0.17])  # to the side of the chest, and above it, of everybody
BODY_UPPER_ARM_M = 0.29
_MIXED = 2  # people an upper body is mixed from
_HANG = np.array([0.18, 0.98, -0.05]) / np.sqrt(0.18**2 + 0.98**2 + 0.05**2)  # of the stored left upper arm
_HEAD_ABOVE_M = 0.24  # vertices of head and neck


@dataclass(frozen=True)
class PersonModel:
    """What all upper bodies share.

    :param mean, basis: (3 V,) and (K, 3 V) mean and principal components of the vertices, metres
    :param coefficients: (N, K) one row a person
    :param held_out: (N,) people whom training never sees
    :param faces: (F, 3) counter-clockwise from outside
    :param arm_shares: (2, V) how far a vertex turns with the left and with the right upper arm, 0 to 1
    :param head, trunk: (H,), (T,) vertices of either
    :param head_faces, trunk_faces: the faces, as numbers of those
    """

    mean: np.ndarray
    basis: np.ndarray
    coefficients: np.ndarray
    held_out: np.ndarray
    faces: np.ndarray
    arm_shares: np.ndarray
    head: np.ndarray
    trunk: np.ndarray
    head_faces: np.ndarray
    trunk_faces: np.ndarray


@lru_cache(maxsize=1)
def person_model() -> PersonModel:
    """The model, read once from the asset."""
    with np.load(ASSET) as asset:
        faces = asset["faces"].astype(np.int32)
        basis = asset["basis"] * asset["basis_step"][:, None]
        mean, shares = asset["mean"], asset["arm_shares"] / 255
        at_head = (mean.reshape(-1, 3)[:, 1] < -_HEAD_ABOVE_M) & (shares.max(axis=0) < 0.05)
        at_head = at_head[faces].all(axis=1)
        parts = [np.unique(faces[chosen], return_inverse=True) for chosen in (at_head, ~at_head)]
        (head, head_faces), (trunk, trunk_faces) = ((ids, f.reshape(-1, 3).astype(np.int32)) for ids, f in parts)
        return PersonModel(
            mean, basis, asset["coefficients"], asset["held_out"], faces, shares, head, trunk, head_faces, trunk_faces
        )


def sample_person(rng: np.random.Generator, held_out: bool = False) -> Mesh:
    """A random upper body, closed, arms down; x to the person's left, y down, facing -z, around the chest.

    :param held_out: one of people whom training never sees
    """
    model = person_model()
    people = np.flatnonzero(model.held_out == held_out)
    chosen = people[rng.integers(len(people), size=_MIXED)]
    share = rng.dirichlet(np.full(_MIXED, 0.6))
    row = model.mean + (share @ model.coefficients[chosen]).astype(np.float32) @ model.basis
    return row.astype(float).reshape(-1, 3), model.faces


def with_elbows(vertices: np.ndarray, elbows: np.ndarray) -> np.ndarray:
    """An upper body (V, 3) with its upper arms turned and stretched to elbows (2, 3): left, right."""
    return _with_elbows(vertices, elbows, person_model().arm_shares, SHOULDER_M, _HANG)


@njit(cache=True, nogil=True)
def _with_elbows(vertices, elbows, shares, shoulder_m, hang):
    """A vertex turns by its share of the angle: the armpit keeps its volume where blended matrices would lose it."""
    out = vertices.copy()
    for arm in range(2):
        sign = 1.0 - 2 * arm
        shoulder = np.array([sign * shoulder_m[0], -shoulder_m[1], 0.0])
        start = np.array([sign * hang[0], hang[1], hang[2]])
        way = elbows[arm] - shoulder
        length = np.sqrt(np.sum(way * way))
        end = way / length
        axis = np.array(
            [start[1] * end[2] - start[2] * end[1], start[2] * end[0] - start[0] * end[2], start[0] * end[1] - start[1] * end[0]]
        )
        sine, cosine = np.sqrt(np.sum(axis * axis)), np.sum(start * end)
        axis /= max(sine, 1e-9)
        angle, longer = np.arctan2(sine, cosine), length / BODY_UPPER_ARM_M - 1
        for v in range(len(vertices)):
            share = shares[arm, v]
            if share == 0:
                continue
            x, y, z = out[v] - shoulder
            more = max(x * start[0] + y * start[1] + z * start[2], 0.0) * longer * share
            x, y, z = x + more * start[0], y + more * start[1], z + more * start[2]
            c, s = np.cos(share * angle), np.sin(share * angle)
            along = (axis[0] * x + axis[1] * y + axis[2] * z) * (1 - c)
            out[v, 0] = shoulder[0] + c * x + s * (axis[1] * z - axis[2] * y) + along * axis[0]
            out[v, 1] = shoulder[1] + c * y + s * (axis[2] * x - axis[0] * z) + along * axis[1]
            out[v, 2] = shoulder[2] + c * z + s * (axis[0] * y - axis[1] * x) + along * axis[2]
    return out
