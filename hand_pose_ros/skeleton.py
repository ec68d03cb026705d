"""Joint names and bones: the only place where a joint is known by its number.

`hand21` is the skeleton that every message and model of this package speaks by default: the wrist, then four points a
finger from the palm to the tip. Its fingertip is a point 3 mm inside the skin.

The datasets' skeletons list the same names in their own order. Where they name the thumb's points mcp, pip, dip, tip, the four
points after the wrist are meant, hand21's cmc, mcp, ip, tip. Points that are no hand21 joint keep names of their own, so `remap`
between two skeletons is partial. Orders are those of the datasets' own descriptions and public readers:
nyu36, nyu14: joint_names of NYU's joint_data.mat, with the places of its spheres on the bones of its hand model (its F1 is the
little finger; KNU1_B, KNU2_B, KNU3_B lie at a finger's joints, KNU3_A at its tip, PALM_3 at the knuckles, PALM_6 at the wrist);
the 14 are those of Tompson et al. (TOG 2014), listed in moberweger/deep-prior-pp.
icvl16: labels of Tang et al. (CVPR 2014), listed in mks0601/V2V-PoseNet_RELEASE as palm, then root, mid, tip. They are the
centres of the bones, not the joints: from root to mid and from mid to tip it is half a bone and half a bone.
msra21: the dataset's readme. hands2017_21: mks0601/V2V-PoseNet_RELEASE. freihand21: lmb-freiburg/freihand.
ho3d21: the MANO model's order, shreyashampali/ho3d. rhd21 (one hand of its two), stb21:
the datasets' readmes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

FINGERS = ("thumb", "index", "middle", "ring", "little")


@dataclass(frozen=True)
class Skeleton:
    """A named, ordered set of joints.

    :param name: what messages, model cards and files call it
    :param joint_names: one name a joint, in the order of every (J, 3) array
    :param bones: pairs of joint names, parent first
    """

    name: str
    joint_names: tuple[str, ...]
    bones: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.joint_names)

    def index(self, joint_name: str) -> int:
        """Position of a joint in this skeleton's arrays; KeyError names the joint and the skeleton."""
        try:
            return self._positions[joint_name]
        except KeyError:
            raise KeyError(f"skeleton {self.name!r} has no joint {joint_name!r}; it has {', '.join(self.joint_names)}") from None

    def indices(self, *joint_names: str) -> list[int]:
        """Positions of several joints, in the order asked for."""
        return [self.index(name) for name in joint_names]

    @cached_property
    def bone_indices(self) -> tuple[tuple[int, int], ...]:
        """The bones as pairs of positions (parent, child)."""
        return tuple((self.index(parent), self.index(child)) for parent, child in self.bones)

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.joint_names)}


def _chain(finger: str) -> tuple[str, ...]:
    parts = ("cmc", "mcp", "ip", "tip") if finger == "thumb" else ("mcp", "pip", "dip", "tip")
    return tuple(f"{finger}_{part}" for part in parts)


def _skeleton(name: str, root: str, names: Sequence[str], chains: Sequence[Sequence[str]]) -> Skeleton:
    """A tree: every chain grows from the root."""
    return Skeleton(name, tuple(names), tuple(bone for chain in chains for bone in zip((root, *chain), chain)))


_CHAINS = {finger: _chain(finger) for finger in FINGERS}


def _full_hand(name: str, order: Sequence[str], tip_first: bool = False, root: str = "wrist") -> Skeleton:
    """The root, then finger by finger."""
    names = (joint for finger in order for joint in (_CHAINS[finger][::-1] if tip_first else _CHAINS[finger]))
    return _skeleton(name, root, (root, *names), [_CHAINS[finger] for finger in FINGERS])


HAND21 = _full_hand("hand21", FINGERS)

# Of networks that find a hand's place alone: its one point is the mean of the joints.
HAND_CENTER = Skeleton("hand_center", ("hand_center",), ())

# The rigid part of the hand: these joints keep their distances whatever the fingers do.
PALM_JOINTS = ("wrist", "index_mcp", "middle_mcp", "ring_mcp", "little_mcp")

# ICVL's points and the joints that each lies halfway between.
_BONE_CENTERS = {
    f"{finger}_{bone}": ends
    for finger, chain in _CHAINS.items()
    for bone, ends in zip(
        ("metacarpal" if finger == "thumb" else "proximal", "proximal" if finger == "thumb" else "intermediate", "distal"),
        pairwise(chain),
    )
}


def _nyu36() -> Skeleton:
    fingers = [
        (f"{f}_tip", f"{f}_dip", f"{f}_knu2_a", f"{f}_pip", f"{f}_knu1_a", f"{f}_mcp")
        for f in ("little", "ring", "middle", "index")
    ]
    thumb = ("thumb_tip", "thumb_ip", "thumb_knu2_a", "thumb_mcp", "thumb_knu1_a", "thumb_cmc")
    palm = ("wrist_little_side", "wrist_thumb_side", "palm", "palm_4", "palm_5", "wrist")
    chains = [*(finger[::-1] for finger in (*fingers, thumb)), *((point,) for point in palm[:-1])]
    return _skeleton("nyu36", "wrist", [joint for group in (*fingers, thumb, palm) for joint in group], chains)


def _nyu14() -> Skeleton:
    fingers = [(f"{f}_pip", f"{f}_tip") for f in ("little", "ring", "middle", "index")]
    thumb = ("thumb_mcp", "thumb_ip", "thumb_tip")
    names = [joint for chain in (*fingers, thumb) for joint in chain[::-1]]
    wrist = ("wrist_little_side", "wrist_thumb_side")
    return _skeleton("nyu14", "palm", [*names, *wrist, "palm"], [*fingers, thumb, *((point,) for point in wrist)])


def _icvl16() -> Skeleton:
    names = list(_BONE_CENTERS)
    return _skeleton("icvl16", "palm", ["palm", *names], [names[i : i + 3] for i in range(0, 15, 3)])


def _hands2017_21() -> Skeleton:
    rest = [joint for finger in FINGERS for joint in _CHAINS[finger][1:]]
    return _skeleton("hands2017_21", "wrist", ["wrist", *(_CHAINS[f][0] for f in FINGERS), *rest], list(_CHAINS.values()))


def _ho3d21() -> Skeleton:
    inner = [joint for f in ("index", "middle", "little", "ring", "thumb") for joint in _CHAINS[f][:-1]]
    return _skeleton("ho3d21", "wrist", ["wrist", *inner, *(f"{f}_tip" for f in FINGERS)], list(_CHAINS.values()))


_SKELETONS = {
    s.name: s
    for s in (
        HAND21,
        HAND_CENTER,
        _nyu14(),
        _nyu36(),
        _icvl16(),
        _full_hand("msra21", ("index", "middle", "ring", "little", "thumb")),
        _hands2017_21(),
        _full_hand("freihand21", FINGERS),
        _ho3d21(),
        _full_hand("rhd21", FINGERS, tip_first=True),
        _full_hand("stb21", FINGERS[::-1], root="palm"),
    )
}


def skeleton(name: str) -> Skeleton:
    """The skeleton of that name; KeyError lists the known ones."""
    try:
        return _SKELETONS[name]
    except KeyError:
        raise KeyError(f"unknown skeleton {name!r}; known: {', '.join(sorted(_SKELETONS))}") from None


def skeleton_of(joint_names: Sequence[str]) -> Skeleton:
    """The joints of a message or a file as a skeleton in their order, without bones.

    It is called as the first known skeleton of just these joints, so that `remap` knows whose points they are, else "message".
    """
    names = tuple(joint_names)
    known = next((s.name for s in _SKELETONS.values() if set(s.joint_names) == set(names)), "message")
    return Skeleton(known, names, ())


def remap(joints: np.ndarray, source: Skeleton, target: Skeleton) -> np.ndarray:
    """Joints (..., J, 3) of one skeleton -> (..., K, 3) of another, by name; NaN for names that the source lacks.

    Names that hand21 lacks are a dataset's own (NYU's palm lies at the knuckles, ICVL's and STB's in the middle), so they count
    between the skeletons of one dataset alone. A bone's centre (icvl16) is the middle of the bone, where the source has its ends.
    """
    joints = np.asarray(joints)
    out = np.full((*joints.shape[:-2], len(target), 3), np.nan, np.result_type(joints, np.float32))
    digits = "0123456789"
    same_dataset = source.name.rstrip(digits) == target.name.rstrip(digits)
    known = set(source.joint_names) & (set(target.joint_names) if same_dataset else set(HAND21.joint_names))
    for row, name in enumerate(target.joint_names):
        ends = (name,) if name in known else _BONE_CENTERS.get(name, ())
        if ends and known.issuperset(ends):
            out[..., row, :] = joints[..., source.indices(*ends), :].mean(axis=-2)
    return out


def finger_of(joint_name: str) -> str:
    """The finger a joint belongs to ("thumb" ... "little"), or what it is itself ("wrist", "palm")."""
    return joint_name.split("_", 1)[0]
