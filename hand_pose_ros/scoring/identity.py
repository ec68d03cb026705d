"""Whether a hand keeps its id: switches and fragmentations, as CLEAR MOT and its followers count them."""

from __future__ import annotations

from collections.abc import Sequence

from hand_pose_ros.scoring.matching import HandMatch


class IdentityTally:
    """Counts over the frames of one recording (Bernardin and Stiefelhagen, EURASIP JIVP 2008, section 2.1).

    Unlike there, a pair is not kept from the frame before: each frame is paired by distance alone.

    :ivar switches: times that a true hand is paired with another id than when it was last paired
    :ivar fragmentations: times that a true hand is paired again after frames in which it was known but missed
    """

    def __init__(self) -> None:
        self.switches = self.fragmentations = 0
        self._last_id: dict[int, int] = {}
        self._missing: set[int] = set()

    def add(self, matches: Sequence[HandMatch]) -> None:
        """The next frame whose truth is known; frames without truth interrupt nothing."""
        for true, found, _ in matches:
            if true is None:
                continue
            if found is None:
                if true.id in self._last_id:
                    self._missing.add(true.id)
                continue
            self.switches += self._last_id.get(true.id, found.id) != found.id
            self.fragmentations += true.id in self._missing
            self._missing.discard(true.id)
            self._last_id[true.id] = found.id

    def begin_sequence(self) -> None:
        """What follows is no continuation of what was: hands have other ids."""
        self._last_id.clear()
        self._missing.clear()

    def merge(self, other: IdentityTally) -> None:
        """Add the counts of another recording."""
        self.switches += other.switches
        self.fragmentations += other.fragmentations
