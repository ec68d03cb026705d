"""The hand model: a skinned mesh with anatomical axes, posed and shaped by linear blend skinning.

Bones are the 25 WebXR joints of the mesh plus a forearm that bends at the wrist. In each bone's frame x points away from
the thumb, y to the back of the hand, -z along the bone to its tip (right hand). Turning a bone by -x flexes it, by +y
moves its tip to the thumb's side. The model is a right hand; `posed_hand` mirrors it for a left one.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numba import njit

from hand_pose_training.synthetic.glb import read_skinned_mesh

ASSET = Path(__file__).with_name("assets") / "right.glb"
FOREARM = 25  # the bone that the WebXR hand does not have
BONES = 26
SKIN_TO_TIP_M = 0.003
THUMB_CMC_SHIFT_M = 0.012

_METACARPALS = (5, 10, 15, 20)  # index to little; the finger's other bones follow
_PARENTS = np.array([-1, 0, 1, 2, 3, *(b for m in _METACARPALS for b in (0, m, m + 1, m + 2, m + 3)), 0])
# hand21's joints as bones: the fingers' metacarpals are no hand21 joints, the thumb's is its cmc.
_HAND21_BONES = np.array([0, 1, 2, 3, 4, *(b for m in _METACARPALS for b in range(m + 1, m + 5))])
TIP_BONES = np.array([4, 9, 14, 19, 24])


@dataclass(frozen=True)
class HandModel:
    """Constants of the skinned right hand, metres.

    :param vertices: (V, 3) rest vertices
    :param faces: (F, 3) counter-clockwise from outside
    :param bone_ids, bone_weights: (V, 4) the up to four bones that move each vertex
    :param parents: (B,) parent bone, -1 for the wrist
    :param local_rotation, local_offset: (B, 3, 3), (B, 3) each bone in its parent at rest
    :param inverse_bind: (B, 4, 4) mesh to bone at rest
    :param rest_flexion, rest_abduction: (B,) radians: what the finger bones' angles are at rest
    """

    vertices: np.ndarray
    faces: np.ndarray
    bone_ids: np.ndarray
    bone_weights: np.ndarray
    parents: np.ndarray
    local_rotation: np.ndarray
    local_offset: np.ndarray
    inverse_bind: np.ndarray
    rest_flexion: np.ndarray
    rest_abduction: np.ndarray


@dataclass(frozen=True)
class PosedHand:
    """A hand in its own frame: origin at the wrist, fingers along -y, back of the hand +x, metres.

    :param vertices: (V, 3)
    :param joints: (21, 3) in hand21's order
    :param bone_positions: (26, 3)
    :param bone_rotations: (26, 3, 3)
    """

    vertices: np.ndarray
    joints: np.ndarray
    bone_positions: np.ndarray
    bone_rotations: np.ndarray


@lru_cache(maxsize=1)
def hand_model() -> HandModel:
    """The model, read once from the vendored mesh."""
    mesh = read_skinned_mesh(ASSET)
    bind = np.concatenate([mesh.bind, mesh.bind[:1]])
    weights = np.concatenate([mesh.weights, np.zeros((len(mesh.vertices), 1))], axis=1)
    # The stub of the arm behind the wrist follows the forearm.
    wrist_y = bind[0, 1, 3]
    share = np.clip((mesh.vertices[:, 1] - (wrist_y - 0.008)) / 0.026, 0, 1)
    weights *= 1 - share[:, None]
    weights[:, FOREARM] += share
    bind = bind.copy()
    # The mesh turns the thumb 32 mm behind its knuckle; a metacarpal is about 44 mm long.
    metacarpal = bind[1, :3, 3] - bind[2, :3, 3]
    bind[1, :3, 3] += metacarpal / np.linalg.norm(metacarpal) * THUMB_CMC_SHIFT_M
    for tip in TIP_BONES:
        bind[tip, :3, 3] = _tip_label(mesh.vertices, weights[:, tip - 1], bind[tip - 1, :3, 3], bind[tip, :3, 3])

    ids = np.argsort(-weights, axis=1)[:, :4]
    kept = np.take_along_axis(weights, ids, axis=1)
    local = np.stack([m if p < 0 else np.linalg.inv(bind[p]) @ m for p, m in zip(_PARENTS, bind)])
    flexion, abduction = _rest_angles(bind)
    return HandModel(
        vertices=mesh.vertices,
        faces=mesh.faces,
        bone_ids=ids.astype(np.int32),
        bone_weights=kept / kept.sum(axis=1, keepdims=True),
        parents=_PARENTS,
        local_rotation=np.ascontiguousarray(local[:, :3, :3]),
        local_offset=np.ascontiguousarray(local[:, :3, 3]),
        inverse_bind=np.linalg.inv(bind),
        rest_flexion=flexion,
        rest_abduction=abduction,
    )


def _tip_label(vertices: np.ndarray, weight: np.ndarray, distal: np.ndarray, tip: np.ndarray) -> np.ndarray:
    """The point 3 mm inside the skin at the end of a finger, on the line from its last joint through the mesh's own tip joint."""
    along = (tip - distal) / np.linalg.norm(tip - distal)
    offset = vertices[weight > 0.5] - distal
    depth = offset @ along
    off_axis = np.linalg.norm(offset - depth[:, None] * along, axis=1)
    return distal + along * (depth[off_axis < 0.006].max() - SKIN_TO_TIP_M)


def _rest_angles(bind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flexion between successive bones, and the fingers' angle to the thumb's side within the palm, at rest."""
    flexion, abduction = np.zeros(BONES), np.zeros(BONES)
    for start in _METACARPALS:
        for bone in (start + 1, start + 2, start + 3):
            before = bind[bone, :3, 3] - bind[bone - 1, :3, 3]
            after = bind[bone + 1, :3, 3] - bind[bone, :3, 3]
            axis = bind[bone, :3, 0]
            flexion[bone] = -np.arctan2(axis @ np.cross(before, after), before @ after)
        along = bind[start + 2, :3, 3] - bind[start + 1, :3, 3]
        abduction[start + 1] = np.arctan2(-along[2], -along[1])
    return flexion, abduction


def posed_hand(angles: np.ndarray, scales: np.ndarray, *, right: bool = True) -> PosedHand:
    """Pose and shape the hand.

    :param angles: (26, 3) radians a bone: flexion, abduction (to the thumb's side), twist; away from the rest pose
    :param scales: (26, 3) a bone: across, thickness, along
    :param right: False mirrors the hand
    """
    m = hand_model()
    vertices, positions, rotations = _skin(
        m.vertices, m.bone_ids, m.bone_weights, m.parents, m.local_rotation, m.local_offset, m.inverse_bind, angles, scales, right
    )
    return PosedHand(vertices, positions[_HAND21_BONES], positions, rotations)


def bone_positions(angles: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """(26, 3) positions of a right hand's bones in the hand's frame, without its skin; arguments as `posed_hand`."""
    m = hand_model()
    positions, _ = _forward(m.parents, m.local_rotation, m.local_offset, angles, scales)
    return positions


@njit(cache=True, nogil=True)
def _turn(flexion, abduction, twist):
    """R_y(abduction) R_x(-flexion) R_z(twist)."""
    cf, sf = np.cos(flexion), np.sin(-flexion)
    ca, sa = np.cos(abduction), np.sin(abduction)
    ct, st = np.cos(twist), np.sin(twist)
    out = np.empty((3, 3))
    out[0, 0], out[0, 1], out[0, 2] = ca * ct + sa * sf * st, -ca * st + sa * sf * ct, sa * cf
    out[1, 0], out[1, 1], out[1, 2] = cf * st, cf * ct, -sf
    out[2, 0], out[2, 1], out[2, 2] = -sa * ct + ca * sf * st, sa * st + ca * sf * ct, ca * cf
    return out


@njit(cache=True, nogil=True)
def _forward(parents, local_rotation, local_offset, angles, scales):
    bones = len(parents)
    rotations, positions = np.empty((bones, 3, 3)), np.zeros((bones, 3))
    for b in range(bones):
        p = parents[b]
        turn = _turn(angles[b, 0], angles[b, 1], angles[b, 2])
        if p < 0:
            rotations[b] = local_rotation[b] @ turn
        else:
            rotations[b] = rotations[p] @ (local_rotation[b] @ turn)
            positions[b] = positions[p] + rotations[p] @ (scales[p] * local_offset[b])
    return positions, rotations


@njit(cache=True, nogil=True, fastmath=True)
def _skin(vertices, bone_ids, bone_weights, parents, local_rotation, local_offset, inverse_bind, angles, scales, right):
    positions, rotations = _forward(parents, local_rotation, local_offset, angles, scales)
    bones = len(parents)
    matrices = np.empty((bones, 3, 4))
    for b in range(bones):
        for i in range(3):
            for j in range(4):
                total = positions[b, i] if j == 3 else 0.0
                for k in range(3):
                    total += rotations[b, i, k] * scales[b, k] * inverse_bind[b, k, j]
                matrices[b, i, j] = total
    out = np.empty_like(vertices)
    for v in range(len(vertices)):
        x, y, z = vertices[v]
        for i in range(3):
            total = 0.0
            for k in range(bone_ids.shape[1]):
                w = bone_weights[v, k]
                if w > 0:
                    m = matrices[bone_ids[v, k], i]
                    total += w * (m[0] * x + m[1] * y + m[2] * z + m[3])
            out[v, i] = total
    if not right:
        out[:, 2] = -out[:, 2]
        positions[:, 2] = -positions[:, 2]
        for b in range(bones):
            rotations[b, 2] = -rotations[b, 2]
            rotations[b, :, 0] = -rotations[b, :, 0]
    return out, positions, rotations
