"""Two hands in one crop: what belongs to the other hand is taken out, so that the network sees the one it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hand_pose_ros.geometry.crop import BACKGROUND, CubeCrop
from hand_pose_ros.skeleton import Skeleton

# Hands whose centres are farther apart than this do not come into each other's crops.
REACH_M = 0.30


@dataclass(frozen=True)
class Rivals:
    """Where a hand and the other ones near it are thought to be.

    :param own: (K, 3) points along the bones of the hand, metres
    :param others: (M, 3) points along those of the others
    """

    own: np.ndarray
    others: np.ndarray

    def hide(self, crop: CubeCrop, image: np.ndarray) -> None:
        """Make the pixels of a crop that lie nearer to another hand background, in place.

        Distances are those of the crop's coordinates (weak perspective, units of half the cube's edge).

        :param image: (S, S) of that crop
        """
        others = crop.normalize(self.others)
        others = others[(np.abs(others) < 1.5).all(axis=1)]
        if not len(others):
            return
        own = crop.normalize(self.own)
        cells = ((2 * np.arange(crop.size) + 1) / crop.size - 1).astype(np.float32)
        rows, columns = np.nonzero(image < BACKGROUND)
        points = np.stack([cells[columns], cells[rows], image[rows, columns]], axis=1)
        theirs = _nearest(points, others) < _nearest(points, own)
        image[rows[theirs], columns[theirs]] = BACKGROUND


def _nearest(points: np.ndarray, to: np.ndarray) -> np.ndarray:
    """Of each point (N, 3), the squared distance from the nearest of others (M, 3), less its own squared length."""
    to = to.astype(np.float32)
    return ((to * to).sum(axis=1) - 2 * points @ to.T).min(axis=1)


def bone_points(joints: np.ndarray, skeleton: Skeleton) -> np.ndarray:
    """(J + B, 3) the joints (J, 3) and the middles of the bones."""
    ends = np.array(skeleton.bone_indices, int).reshape(-1, 2)
    return np.concatenate([joints, joints[ends].mean(axis=1)])


def rivals_of(hands: Sequence[np.ndarray], skeleton: Skeleton) -> list[Rivals | None]:
    """For each hand, joints (J, 3) metres, those that are near it; None where it is alone."""
    centers = [joints.mean(axis=0) for joints in hands]
    points = [bone_points(joints, skeleton) for joints in hands]
    found: list[Rivals | None] = []
    for i, center in enumerate(centers):
        near = [p for j, p in enumerate(points) if j != i and np.linalg.norm(centers[j] - center) < REACH_M]
        found.append(Rivals(points[i], np.concatenate(near)) if near else None)
    return found
