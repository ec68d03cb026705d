"""Scores the hands that were found against the known joints of a recording."""

from __future__ import annotations

import numpy as np

from hand_pose_ros import metrics
from hand_pose_ros.skeleton import Skeleton

# A hand whose palm is further than this from the true one's is another thing taken for a hand.
SAME_HAND_M = 0.050


def hand_distance(found: np.ndarray, true: np.ndarray) -> float:
    """Distance between two hands: of the means of the joints that both know, (J, 3) metres each; inf where there are none."""
    both = np.isfinite(found).all(axis=1) & np.isfinite(true).all(axis=1)
    return float(np.linalg.norm(found[both].mean(axis=0) - true[both].mean(axis=0))) if both.any() else float("inf")


class Score:
    """Compares frame after frame; each true hand is paired with the nearest found one within 50 mm.

    :ivar frames: frames compared
    :ivar frames_with_hand: frames in which every true hand (at least one) was paired
    :ivar true_hands, missed_hands, false_hands: hands in all frames; false ones are found but not paired
    """

    def __init__(self, skeleton: Skeleton) -> None:
        self.skeleton = skeleton
        self.frames = self.frames_with_hand = self.true_hands = self.missed_hands = self.false_hands = 0
        self._errors: list[np.ndarray] = []

    def add(self, found: list[np.ndarray], true: list[np.ndarray]) -> None:
        """One frame: joints (J, 3) in metres of each found and of each true hand."""
        pairs = sorted((hand_distance(f, t), i, j) for i, f in enumerate(found) for j, t in enumerate(true))
        paired: dict[int, int] = {}
        for distance, i, j in pairs:
            if distance <= SAME_HAND_M and j not in paired and i not in paired.values():
                paired[j] = i
                self._errors.append(metrics.joint_errors(found[i], true[j]))
        self.frames += 1
        self.frames_with_hand += bool(true) and len(paired) == len(true)
        self.true_hands += len(true)
        self.missed_hands += len(true) - len(paired)
        self.false_hands += len(found) - len(paired)

    @property
    def errors(self) -> np.ndarray:
        """(N, J) metres of the paired hands."""
        return np.array(self._errors) if self._errors else np.empty((0, len(self.skeleton)))

    def figures(self) -> dict[str, object]:
        """The keys of a JSON of figures: counts, and `metrics.error_figures` over the paired hands."""
        return {
            "frames_with_known_joints": self.frames,
            "frames_within_50mm": self.frames_with_hand,
            "true_hands": self.true_hands,
            "missed_hands": self.missed_hands,
            "false_hands": self.false_hands,
            **metrics.error_figures(self.errors, self.skeleton),
        }
