"""What the node knows of how it is doing, collected frame by frame for /diagnostics."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

import numpy as np

from hand_pose_ros.perception.types import FrameResult


@dataclass(frozen=True)
class Snapshot:
    """The node between two diagnostics messages; totals count from the start.

    :param seconds: length of the period
    :param frames: frames answered in the period; `errors`: frames that could not be read; `late`: frames that were left out,
        since they were not newer than what was answered; `publish_errors`: messages that the transport did not take
    :param frames_total, errors_total, dropped_total, late_total, publish_errors_total: since the start
    :param hands: in the last frame
    :param age_ms: of the last frame when it was answered, from its stamp; NaN when there was none
    :param invalid_share: of its depth pixels, 0 to 1; NaN when there was none
    :param stage_ms: median of every stage in the period
    :param last_error, last_publish_error: text of the newest in the period, or ""
    :param silent_s: for how long no frame has been answered; 0 if one was in the period
    :param states: what the last frame found of its optional inputs ("detections", "transform"), one line each
    :param problems: in how many frames of the period an input was wanting, by input; `last_problem` is the newest's text
    """

    seconds: float
    frames: int
    errors: int
    late: int
    publish_errors: int
    frames_total: int
    errors_total: int
    dropped_total: int
    late_total: int
    publish_errors_total: int
    hands: int
    age_ms: float
    invalid_share: float
    stage_ms: dict[str, float]
    last_error: str
    last_publish_error: str
    silent_s: float = 0.0
    states: dict[str, str] = field(default_factory=dict)
    problems: dict[str, int] = field(default_factory=dict)
    last_problem: str = ""

    @property
    def rate_hz(self) -> float:
        """Frames answered a second."""
        return self.frames / self.seconds if self.seconds > 0 else 0.0


@dataclass
class Statistics:
    """Collects; used by the worker's thread alone."""

    frames_total: int = 0
    errors_total: int = 0
    late_total: int = 0
    publish_errors_total: int = 0
    _frames: int = 0
    _errors: int = 0
    _late: int = 0
    _publish_errors: int = 0
    _hands: int = 0
    _age_ms: float = float("nan")
    _invalid_share: float = float("nan")
    _last_error: str = ""
    _last_publish_error: str = ""
    _silent_s: float = 0.0
    _states: dict[str, str] = field(default_factory=dict)
    _problems: Counter[str] = field(default_factory=Counter)
    _last_problem: str = ""
    _stages: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add_frame(self, result: FrameResult, *, age_ms: float, invalid_share: float) -> None:
        """A frame was answered."""
        self.frames_total += 1
        self._frames += 1
        self._hands, self._age_ms, self._invalid_share = len(result.hands), age_ms, invalid_share
        for stage, milliseconds in result.stage_ms.items():
            self._stages[stage].append(milliseconds)

    def add_error(self, text: str) -> None:
        """A frame could not be used."""
        self.errors_total += 1
        self._errors += 1
        self._last_error = text

    def add_late(self) -> None:
        """A frame was left out, since one that is as new or newer has been answered."""
        self.late_total += 1
        self._late += 1

    def add_publish_error(self, text: str) -> None:
        """A message could not be published."""
        self.publish_errors_total += 1
        self._publish_errors += 1
        self._last_publish_error = text

    def add_state(self, name: str, state: str, problem: str = "") -> None:
        """What a frame found of an optional input.

        :param problem: why the frame had to do without it, or ""
        """
        self._states[name] = state
        if problem:
            self._problems[name] += 1
            self._last_problem = problem

    def drop_state(self, name: str) -> None:
        """An optional input or output is not in use any more."""
        self._states.pop(name, None)

    def rest(self) -> None:
        """No frames are expected: silence is no fault."""
        self._silent_s = 0.0
        self._states = {}

    def close_period(self, seconds: float, dropped_total: int) -> Snapshot:
        """The period's figures; the next begins."""
        self._silent_s = 0.0 if self._frames else self._silent_s + seconds
        snapshot = Snapshot(
            seconds,
            self._frames,
            self._errors,
            self._late,
            self._publish_errors,
            self.frames_total,
            self.errors_total,
            dropped_total,
            self.late_total,
            self.publish_errors_total,
            self._hands if self._frames else 0,
            self._age_ms if self._frames else float("nan"),
            self._invalid_share if self._frames else float("nan"),
            {stage: float(np.median(values)) for stage, values in self._stages.items()},
            self._last_error,
            self._last_publish_error,
            self._silent_s,
            dict(self._states),
            dict(self._problems),
            self._last_problem,
        )
        self._frames = self._errors = self._late = self._publish_errors = 0
        self._last_error = self._last_publish_error = self._last_problem = ""
        self._stages.clear()
        self._problems.clear()
        return snapshot
