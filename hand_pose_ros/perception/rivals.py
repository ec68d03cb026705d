"""Two hands in one crop: what belongs to the other hand is taken out, so that the network sees the one it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.crop import BACKGROUND, CubeCrop
from hand_pose_ros.skeleton import Skeleton

# Hands whose centres are farther apart than this do not come into each other's crops.
REACH_M = 0.30
# Skin is not farther than this from the points along the bones.
FLESH_M = 0.03


@dataclass(frozen=True)
class Rivals:
    """Where a hand and the other ones near it are thought to be.

    :param own: (K, 3) points along the bones of the hand, metres; none (0, 3) where nothing is known of it yet
    :param others: (M, 3) points along those of the others
    """

    own: np.ndarray
    others: np.ndarray

    def hide(self, crop: CubeCrop, image: np.ndarray) -> None:
        """Make the pixels of a crop that lie nearer to another hand background, in place; those in its flesh, where nothing is
        known of the own hand.

        Distances are those of the crop's coordinates (weak perspective, units of half the cube's edge).

        :param image: (S, S) of that crop
        """
        others = crop.normalize(self.others)
        others = others[(np.abs(others) < 1.5).all(axis=1)]
        if not len(others):
            return
        cells = ((2 * np.arange(crop.size) + 1) / crop.size - 1).astype(np.float32)
        rows, columns = np.nonzero(image < BACKGROUND)
        points = np.stack([cells[columns], cells[rows], image[rows, columns]], axis=1)
        away = _nearest(points, others)
        theirs = away < (_nearest(points, crop.normalize(self.own)) if len(self.own) else (FLESH_M / crop.half_m) ** 2)
        image[rows[theirs], columns[theirs]] = BACKGROUND


def _nearest(points: np.ndarray, to: np.ndarray) -> np.ndarray:
    """(N,) squared distances of points (N, 3) from the nearest of others (M, 3)."""
    to = to.astype(np.float32)
    return (points * points).sum(axis=1) + ((to * to).sum(axis=1) - 2 * points @ to.T).min(axis=1)


def bone_points(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(J + B, 3) the joints (J, 3) and the middles of the bones."""
    ends = np.array(skeleton.bone_indices, int).reshape(-1, 2)
    return np.concatenate([joints, joints[ends].mean(axis=1)])


def rivals_near(
    place: np.ndarray, hands: Sequence[np.ndarray], skeleton: Skeleton, own: np.ndarray | None = None
) -> Rivals | None:
    """Those of the hands, joints (J, 3) metres, that come into a crop around a place (3,); None without any.

    :param own: joints (J, 3) of the hand that is meant there; None: nothing is known of it yet
    """
    near = [bone_points(joints, skeleton) for joints in hands if np.linalg.norm(joints.mean(axis=0) - place) < REACH_M]
    if not near:
        return None
    return Rivals(np.zeros((0, 3)) if own is None else bone_points(own, skeleton), np.concatenate(near))


def rivals_of(hands: Sequence[np.ndarray], skeleton: Skeleton) -> list[Rivals | None]:
    """For each hand, joints (J, 3) metres, those that are near it; None where it is alone."""
    return [
        rivals_near(own.mean(axis=0), [other for j, other in enumerate(hands) if j != i], skeleton, own)
        for i, own in enumerate(hands)
    ]
