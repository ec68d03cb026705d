"""A body mesh's right hand as the hand model wants it: joints inside the flesh, bone frames, skin weights, one rest pose.

The hand frame has its origin at the wrist, fingers along -y, the back of the hand along +x, the thumb at -z. Bones are
those of `hand_pose_training.synthetic.hand_mesh`: wrist, thumb (1-4), four a finger with metacarpal (5-9, ..., 20-24),
forearm (25). All arrays are batches over bodies (B) with the same vertices.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

BONES, FOREARM = 26, 25
FINGERS = (5, 10, 15, 20)  # metacarpals
PARENTS = np.array([-1, 0, 1, 2, 3, *(b for m in FINGERS for b in (0, m, m + 1, m + 2, m + 3)), 0])
WRIST_FRAME = np.array([[0.0, 1, 0], [0, 0, 1], [1, 0, 0]])  # of the wrist and of the unbent forearm, bone to hand
HAND_LENGTH_M = 0.19  # lengths below are those of a hand of this length
TIP_IN_SKIN_M = 0.003

# The rig's knuckles lie at the webs, and the root of its thumb beyond the trapezium. With these shifts the bones have the
# proportions of Buryanov & Kotiuk (Proportions of hand segments, Int. J. Morphol. 28, 2010). Metres.
_KNUCKLE_SHIFT_M = (0.013, 0.012, 0.011, 0.008)  # to the wrist
_THUMB_ROOT_SHIFT_M = np.array([-0.002, 0.011, 0.0065])
_THUMB_SHIFT_M = (0.006, 0.003)  # mcp and ip, to the tip
_METACARPAL_BASE = 0.34  # of the way from the wrist to the knuckle
_AXIS_LEAN = np.radians([8.0, 1.0, -5.0, -12.0])
_ROLL = np.radians(-35.0)
_THUMB_ROLL = np.array([[np.cos(_ROLL), -np.sin(_ROLL), 0], [np.sin(_ROLL), np.cos(_ROLL), 0], [0, 0, 1.0]])
# How far from the palm's to the back's skin a joint lies: knuckle, pip, dip.
_DEPTH = (0.60, 0.56, 0.52)
_RAMP_M = (0.010, 0.0055, 0.0045)  # half the length over which a joint bends the skin: knuckle, pip, dip
_THUMB_RAMP_M = (0.009, 0.006)  # mcp, ip


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors of length 1 along the last axis."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def hand_frames(wrist: np.ndarray, index: np.ndarray, middle: np.ndarray, little: np.ndarray) -> np.ndarray:
    """(B, 3, 3) rotations body to hand frame from wrist and knuckles (B, 3)."""
    y = unit(wrist - middle)
    x = np.cross(little - wrist, index - wrist)
    x = unit(x - (x * y).sum(-1, keepdims=True) * y)
    return np.stack([x, y, np.cross(x, y)], axis=1)


def bone_heads(rig: np.ndarray, vertices: np.ndarray, finger_of: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(B, 26, 3) joints in the hand frame, in the middle of the flesh.

    :param rig: (B, 5, 3, 3) the rig's heads of thumb and fingers; the wrist is the origin
    :param vertices: (B, V, 3)
    :param finger_of: (V,) finger 0 (thumb) to 4 that a vertex surely belongs to, -1 for the palm
    :param size: (B,) hand length over `HAND_LENGTH_M`
    """
    heads = np.zeros((len(rig), BONES, 3))
    length = size[:, None]
    thumb = rig[:, 0]
    heads[:, 1] = thumb[:, 0] + _THUMB_ROOT_SHIFT_M * length
    for bone, shift in zip((2, 3), _THUMB_SHIFT_M):
        heads[:, bone] = thumb[:, bone - 1] + unit(thumb[:, bone - 1] - thumb[:, bone - 2]) * shift * length
    for finger, start in enumerate(FINGERS, 1):
        own = vertices[:, finger_of == finger]
        for joint in (1, 2):
            after = rig[:, finger, joint + 1] - rig[:, finger, joint] if joint == 1 else rig[:, finger, 2] - rig[:, finger, 1]
            heads[:, start + joint + 1] = _centred(rig[:, finger, joint], own, unit(after), _DEPTH[joint], 0.004 * size)
        first = unit(rig[:, finger, 0]) if finger < 3 else np.array([[0.0, -1.0, 0.0]]).repeat(len(rig), axis=0)
        knuckle = rig[:, finger, 0] - first * _KNUCKLE_SHIFT_M[finger - 1] * length
        heads[:, start + 1] = _centred(knuckle, vertices, first, _DEPTH[0], 0.006 * size, lateral=0.007 * size)
        heads[:, start] = _METACARPAL_BASE * heads[:, start + 1]
    for finger, start in enumerate((1, *(m + 1 for m in FINGERS))):
        distal = heads[:, start + 2]
        heads[:, start + 3] = _tips(distal, vertices[:, finger_of == finger], distal - heads[:, start + 1], size)
    return heads


def _centred(
    joint: np.ndarray, vertices: np.ndarray, along: np.ndarray, depth: float, reach: np.ndarray, lateral: np.ndarray | None = None
) -> np.ndarray:
    """Joints (B, 3) moved to `depth` between palm and back of their cross-section, sideways to its middle unless bounded."""
    back = np.array([1.0, 0, 0]) - along[:, :1] * along
    back = unit(back)
    side = np.cross(along, back)
    out = joint.copy()
    for b in range(len(joint)):
        offset = vertices[b] - joint[b]
        near = np.abs(offset @ along[b]) < reach[b] * (1 if lateral is None else 2)
        if lateral is not None:
            near &= np.abs(offset @ side[b]) < lateral[b]
        # The thumb's ball is no part of a knuckle.
        near &= np.abs(offset @ back[b]) < 0.03
        heights, sides = offset[near] @ back[b], offset[near] @ side[b]
        out[b] += back[b] * (heights.min() + depth * np.ptp(heights))
        if lateral is None:
            out[b] += side[b] * (sides.min() + 0.5 * np.ptp(sides))
    return out


def _tips(distal: np.ndarray, vertices: np.ndarray, rough: np.ndarray, size: np.ndarray) -> np.ndarray:
    """(B, 3) points 3 mm inside the skin at the end of a finger, in the middle of its last 8 mm."""
    out = np.empty_like(distal)
    for b in range(len(distal)):
        offset = vertices[b] - distal[b]
        ahead = offset @ unit(rough[b])
        pad = offset[ahead > ahead.max() - 0.008 * size[b]]
        along = unit(0.5 * (pad.min(axis=0) + pad.max(axis=0)))
        ahead = offset @ along
        out[b] = distal[b] + along * (ahead.max() - TIP_IN_SKIN_M)
    return out


def bone_frames(heads: np.ndarray, rig: np.ndarray) -> np.ndarray:
    """(B, 26, 3, 3) bone to hand frame: -z along the bone, x its flexion axis away from the thumb, y to the back.

    The fingers' axes lean on the palm's plane so that they lie side by side when flexed, and point to the thumb's root; the
    thumb's is the normal of the plane of its relaxed bones turned to be along its nail's width.
    """
    frames = np.tile(WRIST_FRAME, (len(heads), BONES, 1, 1))
    for lean, start in zip(_AXIS_LEAN, FINGERS):
        axis = np.array([[np.sin(lean), 0.0, np.cos(lean)]])
        for bone in range(start, start + 5):
            after = bone if bone < start + 4 else bone - 1
            frames[:, bone] = _frame(heads[:, after + 1] - heads[:, after], axis)
    thumb = rig[:, 0]
    axis = unit(np.cross(heads[:, 4] - thumb[:, 2], thumb[:, 1] - thumb[:, 0]))
    axis *= np.sign(axis[:, :1])  # on the back's side of the hand
    for bone in range(1, 5):
        to = heads[:, bone + 1] - heads[:, bone] if bone < 4 else heads[:, 4] - heads[:, 3]
        frames[:, bone] = _frame(to, axis) @ _THUMB_ROLL
    frames[:, FOREARM] = _frame(-heads[:, FOREARM], np.array([[0.0, 0, 1.0]]))
    return frames


def _frame(to: np.ndarray, axis: np.ndarray) -> np.ndarray:
    z = -unit(to)
    x = unit(axis - (axis * z).sum(-1, keepdims=True) * z)
    return np.stack([x, np.cross(z, x), z], axis=-1)


def mean_frames(frames: np.ndarray) -> np.ndarray:
    """(26, 3, 3) the rotation nearest to the mean of a batch's."""
    u, _, vt = np.linalg.svd(frames.mean(axis=0))
    return u @ vt


def common_rest(
    vertices: np.ndarray, heads: np.ndarray, frames: np.ndarray, weights: np.ndarray, rest: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Vertices and heads of every body with its bones turned to the frames `rest` (26, 3, 3); the metacarpals stay.

    :param weights: (V, 26)
    """
    turn = np.einsum("kij,bklj->bkil", rest, frames)
    palm = [0, *FINGERS]
    turn[:, palm] = np.eye(3)
    posed = heads.copy()
    for bone in range(1, FOREARM):
        parent = PARENTS[bone]
        posed[:, bone] = posed[:, parent] + np.einsum("bij,bj->bi", turn[:, parent], heads[:, bone] - heads[:, parent])
    posed[:, FOREARM] = 0
    at = heads.copy()
    at[:, FOREARM] = 0
    out = np.zeros_like(vertices)
    for bone in range(BONES):
        moved = np.einsum("bij,bvj->bvi", turn[:, bone], vertices - at[:, bone, None]) + posed[:, bone, None]
        out += weights[:, bone, None] * moved
    return out, posed


def skin_weights(
    vertices: np.ndarray, heads: np.ndarray, finger_of: np.ndarray, thumb: np.ndarray, faces: np.ndarray
) -> np.ndarray:
    """(V, 26) weights on a mean hand of `HAND_LENGTH_M`: each finger's chain of bones with a smooth ramp at every joint.

    :param thumb: (V,) the rig's share of the thumb's three bones, which knows the ball of the thumb
    """
    weights = np.zeros((len(vertices), BONES))
    arm = 1 - _ramp(-vertices[:, 1], 0.0, 0.02)
    chains = [heads[[m, m + 1, m + 2, m + 3, m + 4]] for m in FINGERS]
    distance = np.stack([_chain_distance(vertices, chain) for chain in chains], axis=1)
    share = np.exp(-((distance**2 - distance.min(axis=1, keepdims=True) ** 2) / (2 * 0.0065**2)))
    for finger in range(4):
        share[finger_of == finger + 1] = np.eye(4)[finger]
    share = _smooth(share / share.sum(axis=1, keepdims=True), faces, 2)
    for finger, (start, chain) in enumerate(zip(FINGERS, chains)):
        bends = []
        for joint in (1, 2, 3):
            along = unit(unit(chain[joint] - chain[joint - 1]) + unit(chain[joint + 1] - chain[joint]))
            bends.append(_ramp((vertices - chain[joint]) @ along, 0.0, _RAMP_M[joint - 1]))
        mcp, pip, dip = bends
        base = _ramp((vertices - chain[0]) @ unit(chain[1] - chain[0]), 0.01, 0.02)
        own = share[:, finger]
        weights[:, start] = own * base * (1 - mcp)
        weights[:, start + 1] = own * mcp * (1 - pip)
        weights[:, start + 2] = own * mcp * pip * (1 - dip)
        weights[:, start + 3] = own * mcp * pip * dip
    weights[:, 0] = 1 - weights.sum(axis=1)
    thumb = _smooth(np.clip(thumb, 0, 1)[:, None], faces, 2)[:, 0]
    weights *= (1 - thumb)[:, None]
    bends = []
    for joint, width in zip((2, 3), _THUMB_RAMP_M):
        along = unit(unit(heads[joint] - heads[joint - 1]) + unit(heads[joint + 1] - heads[joint]))
        bends.append(_ramp((vertices - heads[joint]) @ along, 0.0, width))
    mcp, ip = bends
    weights[:, 1], weights[:, 2], weights[:, 3] = thumb * (1 - mcp), thumb * mcp * (1 - ip), thumb * mcp * ip
    weights *= (1 - arm)[:, None]
    weights[:, FOREARM] = arm
    kept = np.sort(weights, axis=1)[:, -4][:, None]
    weights = np.where(weights >= np.maximum(kept, 0.004), weights, 0)
    return weights / weights.sum(axis=1, keepdims=True)


def _ramp(at: np.ndarray, middle: float, half: float) -> np.ndarray:
    """From 0 to 1 between middle - half and middle + half without a kink."""
    share = np.clip((at - middle) / (2 * half) + 0.5, 0, 1)
    return share * share * (3 - 2 * share)


def _chain_distance(points: np.ndarray, chain: np.ndarray) -> np.ndarray:
    """(V,) distance to a chain of segments."""
    nearest = np.full(len(points), np.inf)
    for start, end in pairwise(chain):
        along = end - start
        share = np.clip((points - start) @ along / (along @ along), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(points - start - share[:, None] * along, axis=1))
    return nearest


def _smooth(values: np.ndarray, faces: np.ndarray, rounds: int) -> np.ndarray:
    """Values (V, K) half mixed with the mean of their neighbours."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    edges = np.concatenate([edges, edges[:, ::-1]])
    count = np.bincount(edges[:, 0], minlength=len(values))[:, None]
    for _ in range(rounds):
        total = np.zeros_like(values)
        np.add.at(total, edges[:, 0], values[edges[:, 1]])
        values = 0.5 * values + 0.5 * total / np.maximum(count, 1)
    return values
