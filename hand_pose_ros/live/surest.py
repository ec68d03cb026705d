"""The surest of several hands, for outputs that are of one hand."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from hand_pose_ros.perception.types import Hand

CLEARLY_SURER = 2.0


class Surest:
    """Chooses among the hands of a frame, and stays with the same one until it goes or another is twice as sure: who listens to
    one hand's output must not be thrown from one hand to the other and back. Not thread safe."""

    def __init__(self) -> None:
        self._id: int | None = None

    def reset(self) -> None:
        """Forget which one it was."""
        self._id = None

    def of(self, hands: Collection[Hand]) -> Hand | None:
        """One of a frame's hands; None without any."""
        surest = max(hands, key=_sureness, default=None)
        before = next((hand for hand in hands if hand.id == self._id), None)
        if before is not None and _sureness(surest) < CLEARLY_SURER * _sureness(before):
            return before
        self._id = None if surest is None else surest.id
        return surest


def _sureness(hand: Hand) -> float:
    confidence = np.asarray(hand.confidence, float)
    return float(hand.presence) * float(np.nanmean(confidence) if np.isfinite(confidence).any() else 1.0)
