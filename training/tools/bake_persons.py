"""Upper bodies for `synthetic/assets/persons.npz`: head, neck, torso and hanging upper arms of the bodies of `bake_hands`."""

from __future__ import annotations

import numpy as np
from body_parts import Bodies, close, cut, packed
from decimate import decimate

PERSONS, COMPONENTS, VERTICES = 64, 32, 1400
_SHOULDER_M, _CHEST_BELOW_SHOULDERS_M, _HIPS_M = 0.178, 0.17, 0.42  # half the way between the shoulders, and below them
_UPPER_ARM_M = 0.29
_HANG = np.array([0.18, 0.05, 0.98])  # of the upper arm: to its side, forwards, down
_FACE_IMPORTANCE, _EYE_VERTICES = 6.0, 26
_TRUNK = ["root", "spine05", "spine04", "spine03", "spine02", "spine01", "neck01", "neck02", "neck03", "head", "eye.L", "eye.R"]


def persons(bodies: Bodies) -> dict[str, np.ndarray]:
    """Everything that the asset holds. Frame: metres, x to the person's left, y down, facing -z, chest at the origin."""
    arms = [f"{bone}.{side}" for side in "LR" for bone in ("clavicle", "shoulder01", "upperarm01", "upperarm02")]
    shoulders = {side: bodies.head(f"upperarm01.{side}")[:PERSONS] for side in "LR"}
    # All of one width between the shoulders, their arms of one length.
    size = 2 * _SHOULDER_M / np.linalg.norm(shoulders["L"] - shoulders["R"], axis=1)[:, None]
    vertices, shoulders = size[:, None] * bodies.vertices[:PERSONS], {side: size * at for side, at in shoulders.items()}
    shares = {}
    for side, sign in (("L", 1), ("R", -1)):
        elbow = size * bodies.head(f"lowerarm01.{side}")[:PERSONS]
        share = bodies.columns([f"upperarm0{k}.{side}" for k in (1, 2)]) + bodies.columns(_below_elbow(bodies, side))
        shares[side] = np.clip(share + 0.5 * bodies.columns([f"shoulder01.{side}"]), 0, 1)
        down = np.array([sign * _HANG[0], -_HANG[1], -_HANG[2]])
        down /= np.linalg.norm(down)
        vertices = _turned(vertices, shoulders[side], elbow - shoulders[side], down, shares[side])
        longer = _UPPER_ARM_M / np.linalg.norm(elbow - shoulders[side], axis=1) - 1
        along = np.maximum((vertices - shoulders[side][:, None]) @ down, 0) * shares[side]
        vertices = vertices + (longer[:, None] * along)[..., None] * down
    chest = 0.5 * (shoulders["L"] + shoulders["R"]) - (0, 0, _CHEST_BELOW_SHOULDERS_M)
    vertices = (vertices - chest[:, None]) @ np.array([[1.0, 0, 0], [0, 0, 1], [0, -1, 0]])

    legs = [f"{bone}.{side}" for side in "LR" for bone in ("pelvis", "upperleg01")]
    keep = (bodies.columns(_TRUNK + arms + legs) > 0.5) & (vertices[:, :, 1].mean(axis=0) < _HIPS_M)
    ids, faces, loops = cut(bodies.faces, keep)
    vertices_kept, faces = close(vertices[:, ids], faces, loops)
    mean = vertices_kept.mean(axis=0)
    face = np.concatenate([bodies.columns(["head"])[ids], np.zeros(len(mean) - len(ids))]) > 0.5
    face &= mean[:, 2] < np.median(mean[face, 2])
    chosen, faces = decimate(mean, faces, VERTICES, np.where(face, _FACE_IMPORTANCE, 1.0))
    shapes, faces, arm_shares = [vertices_kept[:, chosen]], [faces], np.zeros((2, len(chosen) + 2 * _EYE_VERTICES))
    for row, side in zip(arm_shares, "LR"):
        # What closes an opening turns with the vertex next to it.
        near = np.linalg.norm(mean[chosen, None] - mean[None, : len(ids)], axis=2).argmin(axis=1)
        row[: len(chosen)] = shares[side][ids][near]
    for label in ("eye.L", "eye.R"):
        eye = bodies.columns([label]) > 0.5
        ball = bodies.faces[eye[bodies.faces].all(axis=1)]
        ids, ball = np.unique(ball, return_inverse=True)
        ball = ball.reshape(-1, 3)
        chosen, ball = decimate(vertices[:, ids].mean(axis=0), ball, _EYE_VERTICES, np.ones(len(ids)))
        faces.append(ball + sum(part.shape[1] for part in shapes))
        shapes.append(vertices[:, ids[chosen]])
    shapes = np.concatenate(shapes, axis=1)
    packed_shapes = packed(shapes.reshape(PERSONS, -1), COMPONENTS)
    return {
        **packed_shapes,
        "faces": np.concatenate(faces).astype(np.uint16),
        "held_out": bodies.held_out[:PERSONS],
        "arm_shares": np.round(255 * arm_shares).astype(np.uint8),
    }


def _below_elbow(bodies: Bodies, side: str) -> list[str]:
    names = ("lowerarm", "wrist", "finger", "metacarpal")
    return [label for label in bodies.labels if label.endswith(f".{side}") and label.startswith(names)]


def _turned(vertices: np.ndarray, pivot: np.ndarray, start: np.ndarray, end: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Vertices (B, V, 3) turned about a pivot (B, 3) by the rotation from one direction to another, as far as `share` (V,)."""
    start = start / np.linalg.norm(start, axis=1, keepdims=True)
    end = np.broadcast_to(end / np.linalg.norm(end), start.shape)
    axis = np.cross(start, end)
    sine = np.linalg.norm(axis, axis=1, keepdims=True)
    axis /= sine
    angle = np.arctan2(sine, (start * end).sum(axis=1, keepdims=True)) * share
    c, s = np.cos(angle)[..., None], np.sin(angle)[..., None]
    offset = vertices - pivot[:, None]
    axis = np.broadcast_to(axis[:, None], offset.shape)
    along = (axis * offset).sum(axis=2, keepdims=True)
    return pivot[:, None] + c * offset + s * np.cross(axis, offset) + (1 - c) * along * axis
