"""Scores the hands that were found against the known joints of a recording."""

from __future__ import annotations

import numpy as np

from hand_pose_ros import metrics
from hand_pose_ros.scoring.matching import match_joints
from hand_pose_ros.skeleton import Skeleton


class Score:
    """Compares frame after frame; true hands are paired with found ones within 50 mm by `match_joints`.

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
        paired = match_joints(found, true)
        self._errors += [metrics.joint_errors(found[i], true[j]) for j, i in paired.items()]
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
