"""All figures of one recording, or of several put together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hand_pose_ros.metrics import rounded
from hand_pose_ros.scoring.errors import ErrorTally
from hand_pose_ros.scoring.identity import IdentityTally
from hand_pose_ros.scoring.jitter import REST_SPEED_M_S, JitterTally
from hand_pose_ros.scoring.lag import LagTally
from hand_pose_ros.scoring.matching import HandMatch
from hand_pose_ros.scoring.timeline import Timeline


class HandTally:
    """Takes the frames of one recording in the order of their stamps.

    :param names: of the joints that are scored
    :ivar frames, unknown_frames: scored, and left out since the truth is not known at their time
    """

    def __init__(self, names: tuple[str, ...], rest_speed_m_s: float = REST_SPEED_M_S) -> None:
        self.errors = ErrorTally(names)
        self.identity = IdentityTally()
        self.jitter = JitterTally(rest_speed_m_s)
        self.lag = LagTally()
        self.timeline = Timeline()
        self.frames = self.unknown_frames = 0
        self.true_hands = self.matched = self.false_hands = 0
        self.sides_known = self.sides_right = 0

    def add_unknown(self) -> None:
        """A frame whose truth is not known."""
        self.unknown_frames += 1

    def add(self, stamp_ns: int, matches: Sequence[HandMatch]) -> None:
        """A frame, its hands paired by `match_hands`."""
        self.frames += 1
        for true, found, errors in matches:
            if true is None:
                self.false_hands += 1
                continue
            self.true_hands += 1
            if errors is None:
                self.timeline.add(stamp_ns, None)
                continue
            self.matched += 1
            self.errors.add(errors)
            self.timeline.add(stamp_ns, mean_of_known(errors))
            if true.side and found.side:
                self.sides_known += 1
                self.sides_right += true.side == found.side
        self.identity.add(matches)
        self.jitter.add(stamp_ns, matches)

    def begin_sequence(self) -> None:
        """The next frame does not follow the one before in time, and hands were found anew."""
        for tally in (self.identity, self.jitter, self.lag):
            tally.begin_sequence()

    def merge(self, other: HandTally) -> None:
        """Add another recording's; the time line stays this one's."""
        for name in ("frames", "unknown_frames", "true_hands", "matched", "false_hands", "sides_known", "sides_right"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("errors", "identity", "jitter", "lag"):
            getattr(self, name).merge(getattr(other, name))

    def figures(self) -> dict[str, Any]:
        """The keys of a JSON of figures; null where nothing tells."""
        rate = self.matched / self.true_hands if self.true_hands else float("nan")
        return {
            "frames": self.frames,
            "frames_without_known_truth": self.unknown_frames,
            "true_hands": self.true_hands,
            "missed_hands": self.true_hands - self.matched,
            "false_hands": self.false_hands,
            "detection_rate": rounded(rate, 4),
            "false_hands_per_frame": rounded(self.false_hands / self.frames, 4) if self.frames else None,
            "side_right_rate": rounded(self.sides_right / self.sides_known, 4) if self.sides_known else None,
            **self.errors.figures(rate),
            "id_switches": self.identity.switches,
            "fragmentations": self.identity.fragmentations,
            "jitter_at_rest_mm": rounded(1e3 * self.jitter.rms_m, 3),
            "joints_at_rest": self.jitter.joints,
            "lag_ms": rounded(self.lag.lag_ms(), 1),
        }


def mean_of_known(errors: np.ndarray) -> float:
    """Mean of the finite ones of (K,) errors; NaN where there are none."""
    known = errors[np.isfinite(errors)]
    return float(known.mean()) if known.size else float("nan")
