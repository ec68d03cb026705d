"""The sizes of a hand as JSON: what the topic `hand_bones` carries and what a URDF is made from.

    {"side": "right", "bases_m": {"thumb": [x, y, z], ...}, "lengths_m": {"index": {"proximal": 0.044, ...}, ...}}

`bases_m` are in palm coordinates (`bones`). Other keys may stand beside these.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.hand.bones import BONE_NAMES, HandBones, HandGeometryError

_DIGITS = 5  # a hundredth of a millimetre
_LONGEST_M = 0.3


def bones_to_json(bones: HandBones) -> dict[str, Any]:
    """`bases_m` and `lengths_m`."""
    bases, lengths = np.round(bones.bases, _DIGITS).tolist(), np.round(bones.lengths, _DIGITS).tolist()
    return {
        "bases_m": dict(zip(BONE_NAMES, bases)),
        "lengths_m": {finger: dict(zip(names, row)) for (finger, names), row in zip(BONE_NAMES.items(), lengths)},
    }


def bones_from_json(data: Any, name: str) -> HandBones:
    """The inverse of `bones_to_json`.

    :param name: of the file, for errors
    :raises HandGeometryError: something is missing, no number, or larger than a hand
    """
    try:
        bases = np.array([data["bases_m"][finger] for finger in BONE_NAMES], float)
        lengths = np.array([[data["lengths_m"][finger][bone] for bone in names] for finger, names in BONE_NAMES.items()], float)
    except KeyError as error:
        raise HandGeometryError(f"{name} has no {error} of a hand: it needs bases_m and lengths_m of every finger") from None
    except (TypeError, ValueError):
        raise HandGeometryError(f"{name}: bases_m are three numbers a finger, lengths_m one number a bone, in metres") from None
    if bases.shape != (5, 3) or not np.isfinite(bases).all() or not np.isfinite(lengths).all():
        raise HandGeometryError(f"{name}: bases_m are three finite numbers a finger, lengths_m one a bone, in metres")
    if (lengths <= 0).any() or max(lengths.max(), np.abs(bases).max()) > _LONGEST_M:
        raise HandGeometryError(f"{name} is of no hand: bones have a length from 0 to {_LONGEST_M} m; are they in millimetres?")
    if not bases.any(axis=1).all():
        raise HandGeometryError(f"{name} is of no hand: a finger's base in bases_m is the wrist (0, 0, 0)")
    return HandBones(bases, lengths)


def read_bones(path: Path, side: str) -> HandBones:
    """The sizes in a JSON file: of one hand, or what the topic `hand_bones` said, with a hand of that side in it.

    :param side: "left" or "right"
    :raises HandGeometryError: it is no such file, or has no such hand
    :raises OSError: it cannot be read
    """
    try:
        text = path.read_text(encoding="utf-8").rstrip().removesuffix("---")  # which `ros2 topic echo` ends a message with
        data = json.loads(text)
    except ValueError as error:
        raise HandGeometryError(
            f"{path} is no JSON ({error}): make one with `hand-pose urdf --bones BAG`, or `ros2 topic echo --once --full-length "
            "--field data /hand_bones`"
        ) from None
    hands = data.get("hands") if isinstance(data, dict) else None
    if isinstance(hands, list):
        hands = [hand for hand in hands if isinstance(hand, dict)]
        of_side = [hand for hand in hands if hand.get("side") == side]
        if not of_side:
            seen = ", ".join(sorted({str(hand.get("side")) for hand in hands})) or "none"
            raise HandGeometryError(f"{path} has no {side} hand (it has: {seen}): name the other --side, or another file")
        data = of_side[0]
    return bones_from_json(data, str(path))
