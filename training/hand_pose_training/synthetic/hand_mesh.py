"""The hand model: a skinned right hand with its forearm to the elbow, and how its bones turn.

Bones are the 25 of WebXR (wrist, thumb, four fingers with metacarpals and tips) and the forearm, which bends at the wrist.
In each bone's frame x points away from the thumb, y to the back of the hand, -z along the bone to its tip. Turning a bone
by -x flexes it, by +y moves its tip to the thumb's side. The shape of a hand is `HandShape`; `posed_hand` poses it, and
mirrors it for a left one. Zero angles: straight fingers side by side in the palm's plane, the thumb at ease beside them.

The thumb's cmc is a saddle joint with two skew axes that do not meet: it flexes about an axis in the trapezium and abducts
about one in the metacarpal's base (Hollister et al., The axes of rotation of the thumb carpometacarpal joint, J. Orthop.
Res. 10, 1992). Neither axis is square to the metacarpal, so that opposition turns the thumb about its own length: 17 degrees
over the whole range (Cooney et al., The kinesiology of the thumb trapeziometacarpal joint, J. Bone Joint Surg. 63-A, 1981).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numba import njit

ASSET = Path(__file__).with_name("assets") / "hands.npz"
FOREARM = 25
BONES = 26
HAND_LENGTH_M = 0.19  # of the hands in the asset, wrist to the middle finger's skin

METACARPALS = (5, 10, 15, 20)  # index to little; the finger's other bones follow
PARENTS = np.array([-1, 0, 1, 2, 3, *(b for m in METACARPALS for b in (0, m, m + 1, m + 2, m + 3)), 0])
# hand21's joints as bones: the fingers' metacarpals are no hand21 joints, the thumb's is its cmc.
_HAND21_BONES = np.array([0, 1, 2, 3, 4, *(b for m in METACARPALS for b in range(m + 1, m + 5))])
TIP_BONES = np.array([4, 9, 14, 19, 24])
# Bones and their children that have flesh of their own: the phalanges from the thumb's metacarpal on, then the palm.
CAPSULES = np.array(
    [(1, 2), (2, 3), (3, 4)]
    + [(b, b + 1) for m in METACARPALS for b in (m + 1, m + 2, m + 3)]
    + [(m, m + 1) for m in METACARPALS]
)

# The thumb at zero angles: its metacarpal's direction in the hand frame, and its flexion at mcp and ip.
_THUMB_ALONG = np.array([-0.462, -0.719, -0.519])
_THUMB_FLEXION = np.radians([10.0, 5.0])
# The saddle joint: how far its axes lie behind and before the joint's middle, and their lean on the metacarpal.
_TRAPEZIUM_M, _BASE_M = 0.005, 0.005
_AXIS_LEAN = np.radians(10.0)


@dataclass(frozen=True)
class HandModel:
    """What all hands share.

    :param mean, basis: (D,) and (K, D) mean and principal components of [vertices, bones, forearm length] of hands of
        `HAND_LENGTH_M`, metres
    :param coefficients: (N, K) one row a person
    :param length_m: (N,) the person's hand length
    :param held_out: (N,) people whom training never sees
    :param faces: (F, 3) counter-clockwise from outside
    :param bone_ids, bone_weights: (V, 4) the up to four bones that move each vertex
    :param rest_rotation: (26, 3, 3) bone to hand frame in the pose of the stored vertices
    :param zero_rotation: (26, 3, 3) each bone in its parent at zero angles
    :param owner: (V,) the capsule whose flesh a vertex bounds, -1 for those near a joint and on the forearm
    :param palm, wrist: vertices around the palm's middle and just behind the wrist
    """

    mean: np.ndarray
    basis: np.ndarray
    coefficients: np.ndarray
    length_m: np.ndarray
    held_out: np.ndarray
    faces: np.ndarray
    bone_ids: np.ndarray
    bone_weights: np.ndarray
    rest_rotation: np.ndarray
    zero_rotation: np.ndarray
    owner: np.ndarray
    palm: np.ndarray
    wrist: np.ndarray


@dataclass(frozen=True)
class HandShape:
    """One person's right hand in the stored rest pose, metres.

    :param vertices: (V, 3) in the hand's frame
    :param bones: (26, 3) joints in the hand's frame
    :param scales: (26, 3) what still scales each bone's flesh: across, thickness, along
    :param size: 1.0 is 0.19 m from the wrist to the middle finger's skin
    :param forearm_m: wrist to elbow
    :param radii_m: (19,) flesh around each of `CAPSULES`
    :param palm_half_thickness_m: half the palm's thickness in its middle
    :param forearm_radii_m: (2,) half thickness and half width just behind the wrist
    """

    vertices: np.ndarray
    bones: np.ndarray
    scales: np.ndarray
    size: float
    forearm_m: float
    radii_m: np.ndarray
    palm_half_thickness_m: float
    forearm_radii_m: np.ndarray

    @property
    def finger_radius_m(self) -> np.ndarray:
        """(5,) thumb to little finger: of the phalanx in the middle, the thumb's of its first."""
        return self.radii_m[[1, 4, 7, 10, 13]]


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
    """The model, read once from the asset."""
    with np.load(ASSET) as stored:
        asset = dict(stored)
    rest = asset["rest_frames"].astype(float)
    count = len(asset["bone_ids"])
    vertices, bones = asset["mean"][: 3 * count].reshape(-1, 3), asset["mean"][3 * count : -1].reshape(-1, 3)
    weights = asset["bone_weights"].astype(float)
    return HandModel(
        mean=asset["mean"],
        basis=asset["basis"] * asset["basis_step"][:, None],
        coefficients=asset["coefficients"],
        length_m=asset["length_m"].astype(float),
        held_out=asset["held_out"],
        faces=asset["faces"].astype(np.int32),
        bone_ids=asset["bone_ids"].astype(np.int32),
        bone_weights=weights / weights.sum(axis=1, keepdims=True),
        rest_rotation=rest,
        zero_rotation=_zero_rotation(rest),
        owner=_owners(vertices, bones, asset["bone_ids"], weights),
        palm=np.flatnonzero((np.abs(vertices[:, 1] + 0.055) < 0.015) & (np.abs(vertices[:, 2] - 0.005) < 0.012)),
        wrist=np.flatnonzero((vertices[:, 1] > 0.012) & (vertices[:, 1] < 0.04)),
    )


def hand_faces() -> np.ndarray:
    """(F, 3) int32 faces of every hand, counter-clockwise from outside a right one."""
    return hand_model().faces


def _zero_rotation(rest: np.ndarray) -> np.ndarray:
    """(26, 3, 3) bones in their parents: fingers along -y, the thumb along `_THUMB_ALONG`, all else as at rest."""
    world = rest.copy()
    for start in METACARPALS:
        x = rest[start + 1, :, 0] * (1, 0, 1)
        x /= np.linalg.norm(x)
        z = np.array([0.0, 1.0, 0.0])
        world[start + 1 : start + 5] = np.stack([x, np.cross(z, x), z], axis=1)
    # The shortest way from rest keeps the thumb's nail where the mesh has it.
    along = _THUMB_ALONG / np.linalg.norm(_THUMB_ALONG)
    world[1] = _shortest(-rest[1, :, 2], along) @ rest[1]
    world[2] = world[1] @ _turn(_THUMB_FLEXION[0], 0.0, 0.0)
    world[3] = world[4] = world[2] @ _turn(_THUMB_FLEXION[1], 0.0, 0.0)
    return np.stack([world[b] if p < 0 else world[p].T @ world[b] for b, p in enumerate(PARENTS)])


def _shortest(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(3, 3) the smallest rotation from one unit vector to another."""
    x, y, z = np.cross(start, end)
    skew = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + skew + skew @ skew / (1 + start @ end)


def _owners(vertices: np.ndarray, bones: np.ndarray, ids: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """(V,) the capsule beside whose middle a vertex lies, -1 if none.

    Metacarpals lie in flesh that is no tube: only its near skin counts, so that capsules stay inside.
    """
    owner = np.full(len(vertices), -1)
    strongest = np.where(weights[:, 0] > 0.6 * 255, ids[:, 0], -1)
    for number, (start, end) in enumerate(CAPSULES):
        along = bones[end] - bones[start]
        share = (vertices - bones[start]) @ along / (along @ along)
        first = start == 2 or start - 1 in METACARPALS  # half of it lies between the webs
        own = (strongest == start) & (share > (0.5 if first else 0.2)) & (share < 0.85)
        if start in (1, *METACARPALS):
            distance = np.linalg.norm(vertices - bones[start] - share[:, None] * along, axis=1)
            own &= distance < np.quantile(distance[own], 0.4)
        owner[own] = number
    return owner


def posed_hand(angles: np.ndarray, shape: HandShape, *, right: bool = True) -> PosedHand:
    """Pose a hand.

    :param angles: (26, 3) radians a bone: flexion, abduction (to the thumb's side), twist; away from straight
    :param right: False mirrors the hand
    """
    m = hand_model()
    vertices, positions, rotations = _skin(
        shape.vertices,
        m.bone_ids,
        m.bone_weights,
        PARENTS,
        m.zero_rotation,
        m.rest_rotation,
        shape.bones,
        shape.scales,
        _saddle(shape.size),
        angles,
        right,
    )
    return PosedHand(vertices, positions[_HAND21_BONES], positions, rotations)


def bone_positions(angles: np.ndarray, shape: HandShape) -> np.ndarray:
    """(26, 3) positions of a right hand's bones in the hand's frame, without its skin; arguments as `posed_hand`."""
    m = hand_model()
    return _forward(PARENTS, m.zero_rotation, m.rest_rotation, shape.bones, shape.scales, _saddle(shape.size), angles)[0]


def _saddle(size: float) -> tuple[float, float, float, float]:
    """Distances of the two axes from the joint's middle along the metacarpal, and cosine and sine of their lean."""
    return _TRAPEZIUM_M * size, _BASE_M * size, np.cos(_AXIS_LEAN), np.sin(_AXIS_LEAN)


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
def _about(x, y, z, angle):
    """Rotation about a unit axis (Rodrigues)."""
    c, s = np.cos(angle), np.sin(angle)
    d = 1 - c
    out = np.empty((3, 3))
    out[0, 0], out[0, 1], out[0, 2] = c + x * x * d, x * y * d - z * s, x * z * d + y * s
    out[1, 0], out[1, 1], out[1, 2] = y * x * d + z * s, c + y * y * d, y * z * d - x * s
    out[2, 0], out[2, 1], out[2, 2] = z * x * d - y * s, z * y * d + x * s, c + z * z * d
    return out


@njit(cache=True, nogil=True)
def saddle_joint(flexion, abduction, twist, saddle):
    """Rotation (3, 3) of the thumb's metacarpal and move (3,) of its head, in its own frame at zero angles.

    It flexes about an axis fixed in the trapezium, abducts about one in its own base, and twists about its length; twist
    is what comes on top of the turning that the leaning axes make.
    """
    behind, before, lean_cos, lean_sin = saddle
    flex = _about(lean_cos, 0.0, -lean_sin, -flexion)
    abduct = _about(0.0, lean_cos, lean_sin, abduction)
    head = abduct @ np.array([0.0, 0.0, before])
    head[2] -= before + behind
    head = flex @ head
    head[2] += behind
    return flex @ abduct @ _about(0.0, 0.0, 1.0, twist), head


@njit(cache=True, nogil=True)
def _forward(parents, zero_rotation, rest_rotation, bones, scales, saddle, angles):
    count = len(parents)
    rotations, positions = np.empty((count, 3, 3)), np.zeros((count, 3))
    offset = np.empty(3)
    for b in range(count):
        p = parents[b]
        if b == 1:
            turn, move = saddle_joint(angles[b, 0], angles[b, 1], angles[b, 2], saddle)
        else:
            turn, move = _turn(angles[b, 0], angles[b, 1], angles[b, 2]), np.zeros(3)
        if p < 0:
            rotations[b] = zero_rotation[b] @ turn
            continue
        straight = rotations[p] @ zero_rotation[b]
        rotations[b] = straight @ turn
        for i in range(3):
            offset[i] = 0.0
            for k in range(3):
                offset[i] += rest_rotation[p, k, i] * (bones[b, k] - bones[p, k])
            offset[i] *= scales[p, i]
        positions[b] = positions[p] + rotations[p] @ offset + straight @ move
    return positions, rotations


@njit(cache=True, nogil=True, fastmath=True)
def _skin(vertices, bone_ids, bone_weights, parents, zero_rotation, rest_rotation, bones, scales, saddle, angles, right):
    positions, rotations = _forward(parents, zero_rotation, rest_rotation, bones, scales, saddle, angles)
    count = len(parents)
    matrices = np.empty((count, 3, 4))
    for b in range(count):
        for i in range(3):
            start = positions[b, i]
            for j in range(3):
                total = 0.0
                for k in range(3):
                    total += rotations[b, i, k] * scales[b, k] * rest_rotation[b, j, k]
                matrices[b, i, j] = total
                start -= total * bones[b, j]
            matrices[b, i, 3] = start
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
        for b in range(count):
            rotations[b, 2] = -rotations[b, 2]
            rotations[b, :, 0] = -rotations[b, :, 0]
    return out, positions, rotations
