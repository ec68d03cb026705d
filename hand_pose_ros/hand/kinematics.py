"""Joint angles of a hand from its 21 joints, and back.

Axes of a bone: x along the bone to its tip, y the axis of flexion, z = x cross y out of the back of the finger (of the thumb: out
of the nail). A finger's angles are zero where its axes are those of the palm (`bones`: x to the middle finger's base, y to the
thumb's side, z out of the back): straight, and parallel to the palm. The thumb's are zero where it lies beside the index finger
in the plane of the palm with its nail to the side: its zero is the palm turned by a quarter about x.

Signs, the same for left and right hands (all is done in palm coordinates, in which a left hand is a right one):
flexion    bends into the palm; of thumb_cmc: across the palm to the little finger, so a thumb that is held out has less than 0
abduction  away from the middle finger, of the middle finger to the thumb's side; of the thumb: out of the plane of the palm
rotation   pronation: of a thumb the turn of its pad to the fingers' pads, of a finger to the little finger's side

The first joint of a finger (mcp, of the thumb cmc) turns by flexion about the palm's axis, then abduction about the axis that it
has moved, then rotation about the bone: the order of the joint coordinate systems of the ISB (Wu et al., J. Biomechanics 38,
2005, section 4), without a singularity that a finger can reach. The thumb's mcp turns by abduction, then flexion. All others
are hinges about y.

The direction of its first bone gives a finger's flexion and abduction. The rotation is that of the plane in which the finger
bends. A straight finger has no such plane: the less it bends, the more the rotation falls back on zero (the palm's lateral axis),
or for the thumb on the pronation that goes with its flexion and abduction. So every angle is defined for every hand, and changes
as little as the joints do, up to a finger that is bent sideways by more than it is flexed.

A wrist has no angles: that takes the forearm, of which 21 joints say nothing.
"""

from __future__ import annotations

import math

import numpy as np

from hand_pose_ros.hand.bones import HandBones, finger_chains, measured_bones
from hand_pose_ros.skeleton import FINGERS

ANGLE_NAMES = (
    *(f"thumb_{name}" for name in "cmc_flexion cmc_abduction cmc_rotation mcp_flexion mcp_abduction ip_flexion".split()),
    *(
        f"{finger}_{name}"
        for finger in FINGERS[1:]
        for name in "mcp_flexion mcp_abduction mcp_rotation pip_flexion dip_flexion".split()
    ),
)
# From the palm's side to the thumb's: abduction of ring and little finger goes the other way.
_OUTWARD = np.array([1.0, 1.0, -1.0, -1.0])
# Rows are the thumb's axes at zero, in palm coordinates.
THUMB_ZERO = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]])
# Bends by less than this share of the bones beyond the hinge say little of the plane that a finger bends in.
_FLAT = np.array([0.25, 0.15, 0.15, 0.15, 0.15])
# Pronation of a thumb by radian of flexion and of abduction: a fit to the synthetic hand's poses, which it leaves by 8 degrees.
THUMB_COUPLING = np.array([0.93, 0.73])
# The bone that a finger's last hinges turn about.
_HINGED = (np.arange(5), np.array([1, 0, 0, 0, 0]))
_SHORTEST = 1e-9  # so that a bone without length has angles, too, whatever they are


def hand_angles(local: np.ndarray) -> np.ndarray:
    """The angles of `ANGLE_NAMES`, (26,) radians, from joints (21, 3) in palm coordinates (`bones.palm_coordinates`).

    Exact for joints that `hand_joints` makes of fingers that are bent; where all or part of the bends of a finger lie outside of
    one plane, as those of a network do, `not_representable` says by how much.
    """
    chains = finger_chains(local)
    bones = chains[:, 1:] - chains[:, :-1]
    bones[0] = bones[0] @ THUMB_ZERO.T
    flexion, abduction = _pointing(bones[:, 0])
    y, z = _zero_rotation(flexion, abduction)
    along = _unit(bones[_HINGED])
    thumb_y, thumb_z = y[0].copy(), z[0].copy()
    usual = float(THUMB_COUPLING @ (flexion[0], abduction[0]))
    y[0] = _across(math.cos(usual) * thumb_y - math.sin(usual) * thumb_z, along[0])
    z[0] = _cross(along[:1], y[:1])[0]
    beyond = bones[:, 1:].copy()  # to the joints beyond the hinge, from it
    beyond[1:, 1] += beyond[1:, 0]
    beyond[0, 0] = 0.0
    turn = _plane(beyond, y, z)
    y, z = _turned(y, z, turn)
    bends = np.arctan2(-_dot(bones[:, 1:], z[:, None]), _dot(bones[:, 1:], along[:, None]))
    angles = np.empty(26)
    rotation, mcp_flexion, mcp_abduction = _thumb_mcp(_unit(bones[0, :1])[0], along[0], y[0], z[0], thumb_y, thumb_z)
    angles[:6] = flexion[0], abduction[0], rotation, mcp_flexion, mcp_abduction, bends[0, 1]
    fingers = angles[6:].reshape(4, 5)
    fingers[:, 0] = flexion[1:]
    fingers[:, 1] = _OUTWARD * abduction[1:]
    fingers[:, 2] = -turn[1:]
    fingers[:, 3] = bends[1:, 0]
    fingers[:, 4] = (bends[1:, 1] - bends[1:, 0] + math.pi) % (2 * math.pi) - math.pi
    return angles


def hand_joints(angles: np.ndarray, bones: HandBones) -> np.ndarray:
    """Forward kinematics: joints (21, 3) in palm coordinates from the angles of `ANGLE_NAMES` (26,) radians."""
    fingers = angles[6:].reshape(4, 5).T
    flexion, abduction, rotation = np.empty((3, 5))
    flexion[0], abduction[0], rotation[0], mcp_flexion, mcp_abduction, ip = angles[:6]
    flexion[1:], abduction[1:], rotation[1:] = fingers[0], _OUTWARD * fingers[1], fingers[2]
    y, z = _turned(*_zero_rotation(flexion, abduction), -rotation)
    along = _cross(y, z)
    directions = np.empty((5, 3, 3))
    directions[:, 0] = along
    along[0] = math.cos(mcp_abduction) * along[0] + math.sin(mcp_abduction) * y[0]
    bends = np.empty((5, 2))
    bends[0] = mcp_flexion, mcp_flexion + ip
    bends[1:, 0], bends[1:, 1] = fingers[3], fingers[3] + fingers[4]
    directions[:, 1:] = np.cos(bends)[..., None] * along[:, None] - np.sin(bends)[..., None] * z[:, None]
    directions[0] = directions[0] @ THUMB_ZERO
    joints = np.zeros((21, 3))
    chains = finger_chains(joints)
    chains[:, 0] = bones.bases
    chains[:, 1:] = directions * bones.lengths[..., None]
    np.cumsum(chains, axis=1, out=chains)
    return joints


def not_representable(local: np.ndarray, angles: np.ndarray) -> np.ndarray:
    """What no hand of hinges can do: how far (21,), in metres, the joints that the angles stand for are from the joints (21, 3)
    that they were taken from, in palm coordinates."""
    return np.sqrt(((hand_joints(angles, measured_bones(local)) - local) ** 2).sum(axis=1))


def _thumb_mcp(
    metacarpal: np.ndarray, x: np.ndarray, y: np.ndarray, z: np.ndarray, y0: np.ndarray, z0: np.ndarray
) -> tuple[float, float, float]:
    """Rotation of the thumb's cmc, flexion and abduction of its mcp.

    The mcp's angles are those of the metacarpal seen from the proximal bone's axes x, y, z; the rotation is what then is left
    between the metacarpal's axes and those that it has without, y0 and z0. All (3,).
    """
    ahead, side, up = float(metacarpal @ x), float(metacarpal @ y), float(metacarpal @ z)
    flexion, abduction = math.atan2(up, ahead), -math.atan2(side, math.hypot(ahead, up))
    own = math.sin(abduction) * (math.cos(flexion) * x + math.sin(flexion) * z) + math.cos(abduction) * y
    return -math.atan2(float(own @ z0), float(own @ y0)), flexion, abduction


def _pointing(bones: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Flexion and abduction (N,) of bones (N, 3): of Ry(flexion) Rz(abduction) x."""
    x, y, z = bones.T
    return np.arctan2(-z, x), np.arctan2(y, np.sqrt(x * x + z * z))


def _zero_rotation(flexion: np.ndarray, abduction: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Axes y and z (N, 3) of Ry(flexion) Rz(abduction)."""
    sin_f, cos_f, sin_a = np.sin(flexion), np.cos(flexion), np.sin(abduction)
    y, z = np.zeros((2, len(flexion), 3))
    y[:, 0], y[:, 1], y[:, 2] = -sin_a * cos_f, np.cos(abduction), sin_a * sin_f
    z[:, 0], z[:, 2] = sin_f, cos_f
    return y, z


def _plane(beyond: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """How far (N,) the axis of flexion is turned from y to z about the bone, for the joints beyond the hinge to lie in its plane.

    The least squares axis through the joints (N, K, 3), seen from the hinge, with y counting as much as a bend of `_FLAT`.
    """
    a, b = _dot(beyond, y[:, None]), _dot(beyond, z[:, None])
    weak = _FLAT**2 * (beyond * beyond).sum(axis=(1, 2))
    return 0.5 * np.arctan2(-2 * (a * b).sum(axis=1), (b * b - a * a).sum(axis=1) + weak)


def _turned(y: np.ndarray, z: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    return cos * y + sin * z, cos * z - sin * y


def _across(v: np.ndarray, along: np.ndarray) -> np.ndarray:
    """Unit vector (3,) of what v has across the unit vector `along`."""
    v = v - (v @ along) * along
    return v / max(math.sqrt(v @ v), _SHORTEST)


def _unit(v: np.ndarray) -> np.ndarray:
    return v / np.maximum(np.sqrt(_dot(v, v)), _SHORTEST)[:, None]


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(axis=-1)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return a[:, [1, 2, 0]] * b[:, [2, 0, 1]] - a[:, [2, 0, 1]] * b[:, [1, 2, 0]]
