"""Hands over time: where to look next, who is who, which slot is whose."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hand_pose_ros.perception.estimate import Estimate
from hand_pose_ros.perception.motion import Motion
from hand_pose_ros.perception.smooth import JointFilter
from hand_pose_ros.perception.types import Side

# Of the newest frame in the averaged side and size, once many were seen: one odd frame makes no left hand of a right one.
NEWEST_PART = 0.1
NEWEST_SURENESS_PART = 0.25
DOUBTFUL_SURENESS = 0.5


class Track:
    """One hand that was seen.

    :ivar id: never used again; `slot`: used again after the track is gone
    :ivar motion: of its centre, the mean of the joints
    :ivar filter: of the joints that are published
    :ivar joints: (J, 3) metres when last seen, not filtered
    :ivar missed: frames since; `lost`: of them those that count towards its being forgotten
    :ivar right_side: probability of a right hand, averaged over frames, NaN where the model does not tell
    :ivar size_m: length of all its bones, averaged
    :ivar sureness: mean confidence of its joints, averaged over the last frames
    """

    def __init__(self, id: int, slot: int, estimate: Estimate, stamp_ns: int) -> None:
        self.id, self.slot = id, slot
        self.motion, self.filter = Motion(estimate.center, stamp_ns), JointFilter()
        self.missed, self.lost = 0, 0.0
        self.right_side = self.size_m = self.sureness = float("nan")
        self._seen = 0
        self.see(estimate, stamp_ns)

    def see(self, estimate: Estimate, stamp_ns: int) -> None:
        """The hand was found."""
        self.motion.see(estimate.center, stamp_ns)
        self.joints, self.missed, self.lost = estimate.joints, 0, 0.0
        self._seen += 1
        part = max(NEWEST_PART, 1 / self._seen)
        self.right_side = _averaged(self.right_side, estimate.right_side, part)
        self.size_m = _averaged(self.size_m, estimate.size_m, part)
        self.sureness = _averaged(self.sureness, estimate.sureness, NEWEST_SURENESS_PART)

    def predicted_joints(self, stamp_ns: int) -> np.ndarray:
        """(J, 3) metres: the hand as it was, where it will be."""
        return self.joints + (self.motion.predict(stamp_ns) - self.joints.mean(axis=0))

    @property
    def doubtful(self) -> bool:
        """What is followed may be something else (an elbow, a head), and the hand elsewhere."""
        return self.sureness < DOUBTFUL_SURENESS

    def side(self) -> tuple[Side, float]:
        """The side and its probability; (UNKNOWN, NaN) where the model does not tell."""
        if not np.isfinite(self.right_side):
            return Side.UNKNOWN, float("nan")
        return (Side.RIGHT, self.right_side) if self.right_side >= 0.5 else (Side.LEFT, 1 - self.right_side)


def _averaged(before: float, value: float, part: float) -> float:
    """A running mean that values which are not known leave as it is."""
    if not np.isfinite(value):
        return before
    return value if not np.isfinite(before) else before + part * (value - before)


class Tracks:
    """The tracks of up to `max_hands` hands."""

    def __init__(self, max_hands: int) -> None:
        self._max_hands = max_hands
        self._next_id = 1
        self._tracks: dict[int, Track] = {}  # by slot

    def __iter__(self) -> Iterator[Track]:
        return iter(sorted(self._tracks.values(), key=lambda t: t.slot))

    def __len__(self) -> int:
        return len(self._tracks)

    @property
    def free(self) -> int:
        """How many more hands there is room for."""
        return self._max_hands - len(self._tracks)

    def start(self, estimate: Estimate, stamp_ns: int) -> Track:
        """A new track in the lowest free slot."""
        slot = next(s for s in range(self._max_hands) if s not in self._tracks)
        self._tracks[slot] = track = Track(self._next_id, slot, estimate, stamp_ns)
        self._next_id += 1
        return track

    def drop(self, track: Track) -> None:
        """The hand is gone; its slot is free."""
        del self._tracks[track.slot]

    def clear(self) -> None:
        """Forget all hands; ids go on counting."""
        self._tracks.clear()
