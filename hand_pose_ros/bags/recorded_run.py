"""A recorded run of the node, to be repeated: its parameters, the frames that it answered, and what it answered."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.bags.source import Source, SourceFrame
from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.live.run_info import RunInfo, RunInfoError, digest
from hand_pose_ros.live.topics import HANDS, RUN_INFO, depth_input
from hand_pose_ros.messages.library import MessageLibrary, stamp_ns
from hand_pose_ros.metrics import rounded

log = logging.getLogger(__name__)

# Both sides run the same operations, on other threads: joints are float64 in the message, all else float32.
JOINTS_M, OTHERS = 1e-6, 1e-5
_SHOWN = 12  # digits of a hash


@dataclass(frozen=True)
class RecordedRun:
    """What a recording says of its run.

    :param stamps: (ns) of the frames that were answered
    """

    path: Path
    run: RunInfo
    stamps: frozenset[int]

    @property
    def image_topic(self) -> str:
        """The depth images' topic."""
        topics = self.run.topics
        return topics[depth_input(self.run.parameters.depth_transport, lambda name: topics.get(name, name)).name]

    def check_files(self, parameters: Parameters, *, strict: bool) -> None:
        """Whether model and detector are those that it was recorded with.

        :param strict: others are an error, not a warning
        :raises RunInfoError: they are not
        """
        files = (
            ("model", self.run.model_sha256, parameters.model_path(), "give the file with --model"),
            ("detector", self.run.detector_sha256, parameters.detector_path(), "give the file with --set detector:=FILE"),
        )
        for what, wanted, path, remedy in files:
            if digest(path) != wanted:
                text = (
                    f"{self.path} was recorded with the {what} of SHA-256 {wanted[:_SHOWN] or '(none)'}..., and {path} is "
                    f"{digest(path)[:_SHOWN] or 'none'}...: {remedy}"
                )
                if strict:
                    raise RunInfoError(text)
                log.warning("%s; the hands are others", text)


def read_recorded_run(path: Path, library: MessageLibrary, topic: str = "") -> RecordedRun:
    """Read it.

    :param topic: of the run's description; "" for the only one
    :raises BagError: the recording cannot be read
    :raises RunInfoError, ParameterError: it has no such topic, or its text cannot be understood
    """
    with BagReader(path) as bag:
        found = [t for t in bag.topics_of(RUN_INFO.typename) if t.split("/")[-1] == RUN_INFO.name]
        chosen = [topic] if topic else found
        if len(chosen) != 1 or chosen[0] not in found:
            if not found:
                remedy = "record with `hand-pose record`, or replay it without --as-recorded"
                raise RunInfoError(f"{path} has no topic {RUN_INFO.name}, so how its hands came about is not known: {remedy}")
            raise RunInfoError(f"{path} has the runs {', '.join(found)}: name one of them, --as-recorded {found[0]}")
        texts = [message.data for _, message in bag.read(chosen, library)]
        if not texts:
            raise RunInfoError(f"{path}: not one message on {chosen[0]} can be read: replay it without --as-recorded")
        run = RunInfo.from_json(texts[0], f"{path}, {chosen[0]}")
        if len(set(texts)) > 1:
            log.warning("%s: parameters changed, or the node began anew, while it was recorded: repeating the first run", path)
        hands = bag.read({run.topics[HANDS.name]}, library)
        return RecordedRun(path, run, frozenset(stamp_ns(message.header) for _, message in hands))


class AnsweredFrames:
    """The frames of a source that the recorded run answered; the live node leaves out what comes faster than it answers."""

    def __init__(self, source: Source, recorded: RecordedRun) -> None:
        self._source, self._stamps = source, recorded.stamps
        self.path, self.rate_hz, self.depth_scale = source.path, source.rate_hz, source.depth_scale
        self.depth_input, self.truth, self.truth_topic = source.depth_input, source.truth, source.truth_topic
        self.count = min(len(recorded.stamps), source.count)

    def frames(self) -> Iterator[SourceFrame]:
        """The frames in order."""
        return (frame for frame in self._source.frames() if stamp_ns(frame.image.header) in self._stamps)

    def close(self) -> None:
        """Close its files."""
        self._source.close()


@dataclass
class Repetition:
    """Compares what is answered now with what was recorded, frame by frame, both in their order.

    :ivar frames, alike: so far
    :ivar difference_m: largest of a joint, where the hands are the same ones
    """

    recorded: RecordedRun
    library: MessageLibrary
    frames: int = 0
    alike: int = 0
    difference_m: float = 0.0
    _told: Iterator[Any] = field(init=False)

    def __post_init__(self) -> None:
        self._told = self._messages()

    def add(self, now: Any) -> None:
        """The HandPoseArray of the next frame, or None where it could not be answered."""
        self.frames += 1
        if now is None:
            return
        stamp = stamp_ns(now.header)
        told = next((message for message in self._told if stamp_ns(message.header) == stamp), None)
        if told is not None and same_kind(now, told):
            apart = max((np.abs(_positions(a) - _positions(b)).max() for a, b in zip(now.hands, told.hands)), default=0.0)
            self.difference_m = max(self.difference_m, float(apart))
            self.alike += bool(apart < JOINTS_M) and all(_same_values(a, b) for a, b in zip(now.hands, told.hands))

    def figures(self) -> dict[str, Any]:
        """For figures.json."""
        return {"frames": self.frames, "alike": self.alike, "max_joint_difference_mm": rounded(self.difference_m * 1e3, 6)}

    def summary(self) -> str:
        """For the terminal."""
        within = f"joints within {self.difference_m * 1e3:.4f} mm"
        text = f"as recorded: {self.alike} of {self.frames} frames give the recorded hands, {within}"
        if left := len(self.recorded.stamps) - self.frames:
            text += f"; {left} more answers were not repeated: their images are not in the recording, or it was interrupted"
        if self.alike == self.frames:
            return text
        return (
            f"{text}; others where the recording began while hands were followed, where images did not get to the recorder, "
            "or where another machine or back end computes"
        )

    def _messages(self) -> Iterator[Any]:
        with BagReader(self.recorded.path) as bag:
            for _, message in bag.read({self.recorded.run.topics[HANDS.name]}, self.library):
                yield message


def same_kind(first: Any, second: Any) -> bool:
    """The same hands by id, side and joint names, in the same frame."""

    def kind(message: Any) -> Any:
        return message.header.frame_id, [(h.id, h.side, list(h.joint_names)) for h in message.hands]

    return kind(first) == kind(second)


def _positions(hand: Any) -> np.ndarray:
    return np.array([(p.x, p.y, p.z) for p in hand.positions])


def _same_values(first: Any, second: Any) -> bool:
    fields = ("covariance", "confidence", "side_probability", "presence")
    return all(np.allclose(getattr(first, f), getattr(second, f), rtol=OTHERS, atol=1e-12, equal_nan=True) for f in fields)
