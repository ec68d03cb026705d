"""The joints that two skeletons have in common, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import yaml

from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.hand_frames import NamedHand
from hand_pose_ros.scoring.matching import KnownHand
from hand_pose_ros.skeleton import Skeleton, remap, skeleton_of


@dataclass(frozen=True)
class JointMap:
    """Brings hands of either side onto the joints that are scored.

    :param target: the skeleton that both are mapped onto
    :param names: those of its joints that both sides have, K
    :param renamed: names of the ground truth's joints -> the package's
    """

    target: Skeleton
    names: tuple[str, ...]
    renamed: Mapping[str, str] = field(default_factory=dict)

    def found(self, hand: NamedHand) -> KnownHand:
        """A hand of the answers, (K, 3) joints."""
        return KnownHand(hand.id, hand.side, self._mapped(hand.joints, skeleton_of(hand.names)))

    def true(self, hand: NamedHand) -> KnownHand:
        """A hand of the ground truth, (K, 3) joints."""
        return KnownHand(hand.id, hand.side, self._mapped(hand.joints, skeleton_of(_renamed(hand.names, self.renamed))))

    def _mapped(self, joints: np.ndarray, source: Skeleton) -> np.ndarray:
        if source.joint_names == self.names:
            return joints
        return remap(joints, source, self.target)[self.target.indices(*self.names)]


def joint_map(
    found: Sequence[str] | None, true: Sequence[str] | None, renamed: Mapping[str, str], bag: Path, truth: str
) -> JointMap:
    """The map with the most joints in common.

    :param found, true: joint names of the answers and of the ground truth; None where a side never has a hand
    :param bag, truth: for the error
    :raises EvaluationError: nothing in common
    """
    if found is None and true is None:
        return JointMap(skeleton_of(()), (), renamed)
    theirs = skeleton_of(_renamed(true if true is not None else found, renamed if true is not None else {}))
    ours = skeleton_of(found) if found is not None else theirs
    best: tuple[Skeleton, tuple[str, ...]] = (ours, ())
    for target in (ours, theirs):
        known = [np.isfinite(remap(np.zeros((len(s), 3)), s, target)).all(axis=1) for s in (ours, theirs)]
        names = tuple(name for name, a, b in zip(target.joint_names, *known) if a and b)
        if len(names) > len(best[1]):
            best = target, names
    if not best[1]:
        raise EvaluationError(
            f"{bag}: the hands have joints {', '.join(ours.joint_names)}, the ground truth on {truth} has "
            f"{', '.join(theirs.joint_names)}: none in common. Give --joint-map, a YAML file of lines `truth's name: our name`"
        )
    return JointMap(*best, renamed)


def read_joint_names(path: Path) -> dict[str, str]:
    """A YAML file of lines `name in the ground truth: name here`.

    :raises EvaluationError: it cannot be read, or is something else
    """
    try:
        names = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise EvaluationError(f"joint map {path} cannot be read: {error}") from error
    if not isinstance(names, dict) or not all(isinstance(n, str) for pair in names.items() for n in pair):
        raise EvaluationError(
            f"joint map {path} is no list of lines `truth's name: our name`, for example `INDEX_TIP: index_tip`"
        )
    if len(set(names.values())) < len(names):
        raise EvaluationError(f"joint map {path} gives two joints of the ground truth the same name")
    return names


def _renamed(names: Sequence[str], renamed: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(renamed.get(name, name) for name in names)
