"""Hands over time: where to look next, who is who, which slot is whose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hand_pose_ros.perception.types import Side

# A camera slower than this, or a gap in a recording: the hand's speed says nothing about where it is now.
MAX_PREDICTED_S = 0.15
MAX_SPEED_M_S = 4.0
# A frame's movement much below this is the network's own noise, and following it would only add to that.
NOISE_M = 0.01
NEWEST_PART = 0.5  # of the newest movement in the speed
NEWEST_SIDE_PART = 0.2  # of the newest frame in the side: one odd frame does not make a left hand of a right one


@dataclass
class Track:
    """One hand that was seen.

    :param id: never used again; `slot`: used again after the track is gone
    :param center: (3,) metres, mean of the joints when last seen
    :param velocity: (3,) metres a second
    :param stamp_ns: when last seen
    :param missed: frames since
    :param right_side: probability of a right hand, averaged over the last frames, NaN where the model does not tell
    """

    id: int
    slot: int
    center: np.ndarray
    velocity: np.ndarray
    stamp_ns: int
    missed: int = 0
    right_side: float = float("nan")

    def predict(self, stamp_ns: int) -> np.ndarray:
        """(3,) where the hand will be: a fast one where its speed takes it, a slow one where it was."""
        ahead_s = (stamp_ns - self.stamp_ns) * 1e-9
        if not 0 < ahead_s <= MAX_PREDICTED_S:
            return self.center
        ahead = self.velocity * ahead_s
        signal = float(ahead @ ahead)
        return self.center + ahead * signal / (signal + NOISE_M**2)

    def see(self, center: np.ndarray, stamp_ns: int, right_side: float = float("nan")) -> None:
        """The hand was found at a centre (3,), a right hand with probability `right_side` (NaN: not known)."""
        elapsed_s = (stamp_ns - self.stamp_ns) * 1e-9
        velocity = (center - self.center) / elapsed_s if 0 < elapsed_s <= MAX_PREDICTED_S else np.zeros(3)
        if np.linalg.norm(velocity) > MAX_SPEED_M_S:  # not a movement, but another place
            velocity = np.zeros(3)
        self.velocity = velocity if not self.velocity.any() else self.velocity + NEWEST_PART * (velocity - self.velocity)
        if np.isfinite(right_side):
            before = self.right_side if np.isfinite(self.right_side) else right_side
            self.right_side = before + NEWEST_SIDE_PART * (right_side - before)
        self.center, self.stamp_ns, self.missed = center, stamp_ns, 0

    def side(self) -> tuple[Side, float]:
        """The side and its probability; (UNKNOWN, NaN) where the model does not tell."""
        if not np.isfinite(self.right_side):
            return Side.UNKNOWN, float("nan")
        return (Side.RIGHT, self.right_side) if self.right_side >= 0.5 else (Side.LEFT, 1 - self.right_side)


class Tracks:
    """The tracks of up to `max_hands` hands."""

    def __init__(self, max_hands: int) -> None:
        self._max_hands = max_hands
        self._next_id = 1
        self._tracks: dict[int, Track] = {}  # by slot

    def __iter__(self):
        return iter(sorted(self._tracks.values(), key=lambda t: t.slot))

    def __len__(self) -> int:
        return len(self._tracks)

    @property
    def free(self) -> int:
        """How many more hands there is room for."""
        return self._max_hands - len(self._tracks)

    def start(self, center: np.ndarray, stamp_ns: int) -> Track:
        """A new track in the lowest free slot."""
        slot = next(s for s in range(self._max_hands) if s not in self._tracks)
        self._tracks[slot] = track = Track(self._next_id, slot, center, np.zeros(3), stamp_ns)
        self._next_id += 1
        return track

    def drop(self, track: Track) -> None:
        """The hand is gone; its slot is free."""
        del self._tracks[track.slot]

    def clear(self) -> None:
        """Forget all hands; ids go on counting."""
        self._tracks.clear()
