"""Joint names and bones: the only place where a joint is known by its number.

`hand21` is the skeleton that every message and model of this package speaks by default: the wrist, then four points a
finger from the palm to the tip. Its fingertip is a point 3 mm inside the skin.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

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


def _hand21() -> Skeleton:
    chains = {
        finger: tuple(
            f"{finger}_{part}" for part in (("cmc", "mcp", "ip", "tip") if finger == "thumb" else ("mcp", "pip", "dip", "tip"))
        )
        for finger in FINGERS
    }
    names = ("wrist", *(name for chain in chains.values() for name in chain))
    bones = tuple(bone for chain in chains.values() for bone in zip(("wrist", *chain), chain))
    return Skeleton("hand21", names, bones)


HAND21 = _hand21()

# The rigid part of the hand: these joints keep their distances whatever the fingers do.
PALM_JOINTS = ("wrist", "index_mcp", "middle_mcp", "ring_mcp", "little_mcp")

_SKELETONS = {s.name: s for s in (HAND21,)}


def skeleton(name: str) -> Skeleton:
    """The skeleton of that name; KeyError lists the known ones."""
    try:
        return _SKELETONS[name]
    except KeyError:
        raise KeyError(f"unknown skeleton {name!r}; known: {', '.join(sorted(_SKELETONS))}") from None


def finger_of(joint_name: str) -> str:
    """The finger a joint belongs to ("thumb" ... "little"), or "wrist"."""
    return joint_name.split("_", 1)[0]
