"""One recording of one run: hands, ground truth, figures. What each process of a fleet does."""

from __future__ import annotations

import logging
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hand_pose_ros.bags.errors import BagError
from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.evaluation.align import Aligned
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.hand_frames import HANDS, HandFrame, in_order, topic_frames
from hand_pose_ros.evaluation.inference import HANDS_TOPIC, infer, open_images
from hand_pose_ros.evaluation.rows import ROWS, RowWriter
from hand_pose_ros.evaluation.settings import Job, Run
from hand_pose_ros.evaluation.truth import open_truth
from hand_pose_ros.evaluation.worst_frames import WorstFrames
from hand_pose_ros.evaluation.worst_pictures import draw_worst
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary
from hand_pose_ros.scoring.histogram import TIME_EDGES_MS, Histogram
from hand_pose_ros.scoring.matching import match_known
from hand_pose_ros.scoring.tally import HandTally

log = logging.getLogger(__name__)
# Warnings that are kept of one recording.
MOST_NOTES = 20
# A message is not received before its stamp nor so long after it, unless the two clocks are not one.
LONGEST_LATENCY_MS = 10_000.0
RECEIVE = "receive"
Progress = Callable[[int, int], None]


@dataclass
class JobResult:
    """What came of it.

    :param facts: about the recording, for its figures
    :param tally: None where `error` says why there is nothing
    :param latency_ms: by stage, or RECEIVE for recorded hands
    :param pictures: as `draw_worst` has them
    :param notes: what was warned of
    """

    run: str
    label: str
    folder: Path
    facts: dict[str, Any]
    tally: HandTally | None = None
    latency_ms: dict[str, Histogram] = field(default_factory=dict)
    pictures: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""


def no_progress(done: int, total: int) -> None:
    """Tells nobody."""


def run_job(job: Job, progress: Progress = no_progress, stop: Callable[[], bool] = lambda: False) -> JobResult:
    """Evaluate one recording; what is wrong with it is in the result, so that the others go on.

    :param progress: is given frames done and frames there are
    :param stop: asked before each frame: True ends it early, with what was done until then
    """
    result = JobResult(job.run.name, job.label, job.folder, {"recording": str(job.bag), "complete": False})
    with _warnings_into(result.notes):
        try:
            job.folder.mkdir(parents=True, exist_ok=True)
            _evaluate(job, result, progress, stop)
        except Exception as error:
            # The package's own errors and the system's say what to do; others are faults, and the rest of a fleet goes on.
            expected = isinstance(error, OSError) or type(error).__module__.startswith("hand_pose_ros.")
            if not expected:
                log.warning("%s: %s", job.bag, traceback.format_exc())
            result.error, result.tally = str(error) if expected else f"{job.bag}: unexpected {error!r}", None
    return result


def _evaluate(job: Job, result: JobResult, progress: Progress, stop: Callable[[], bool]) -> None:
    library = RosbagsLibrary()
    truth = open_truth(job, library)
    bag, topic, whole, starts_ns = job.bag, "", True, []
    if job.run.recorded is None:
        done = infer(job.bag, job.folder, job.run, job.recordings, library, progress, stop)
        bag, topic, whole, starts_ns = done.bag, HANDS_TOPIC, done.complete, done.starts_ns
        # What was answered is scored, also after an interruption.
        progress, stop = no_progress, lambda: False
        result.latency_ms = done.stage_ms
        result.facts |= {
            "hands": f"answered by {done.model} ({done.file}, {done.precision}) on {done.backend}",
            "model_file": done.file,
            "precision": done.precision,
            "centre_source": _centre_source(job.run),
            "tracking": job.run.tracking,
            "frames_failed": done.failed,
            "latency": "processing of each frame, by stage",
        }
    else:
        topic = recorded_topic(job.bag, job.run.recorded, truth.name if truth.bag == job.bag else "")
        result.facts |= {
            "hands": f"recorded on {topic}",
            "centre_source": f"that of whoever published {topic}; not known here",
        }

    def frames() -> Iterator[HandFrame]:
        return in_order(topic_frames(bag, topic, library), f"{job.bag}, {topic}")

    with BagReader(bag) as reader:
        total = reader.counts[topic]
    with Aligned(job, frames, truth, library, starts_ns) as aligned:
        scoring = _Scoring(job, aligned, starts_ns)
        with RowWriter(job.folder / ROWS, job.run.name, job.label, aligned.joints.names) as rows:
            for frame in frames():
                if stop():
                    whole = False
                    break
                scoring.add(frame, rows)
                progress(scoring.frames, total)
        aligned.refuse_nothing(scoring.tally.frames, scoring.span)
    result.tally = scoring.tally
    result.facts |= aligned.facts() | {"complete": whole}
    if job.run.recorded is not None:
        result.facts["latency"] = receive_latency(scoring.received_ms)
        if not result.facts["latency"].startswith("not"):
            result.latency_ms = {RECEIVE: scoring.received_ms}
        if whole and (images := _image_count(job, library)):
            result.facts["frames_unanswered"] = max(0, images - scoring.frames)
            if images > scoring.frames:
                log.warning(
                    "%d of %d images have no hands: the node dropped them, or was not running", images - scoring.frames, images
                )
    result.pictures = draw_worst(job, list(scoring.worst), min(scoring.span, default=0), library)


def _image_count(job: Job, library: RosbagsLibrary) -> int | None:
    """Depth images of the recording; None where it has none, or which ones is not clear."""
    try:
        with closing(open_images(job.bag, job.recordings, job.run.parameters, library)) as source:
            return source.count
    except BagError:
        return None


def _centre_source(run: Run) -> str:
    detector = run.parameters.detector_path()
    finder = "the finder of limbs' ends" if detector is None else f"the detector {detector.name}"
    followed = "then followed from frame to frame" if run.tracking else "in each frame anew"
    return f"the pipeline's own: found by {finder}, {followed}; no ground truth goes in"


class _Scoring:
    """Everything that is counted while the frames of one recording go by.

    :param starts_ns: as for `Aligned`
    """

    def __init__(self, job: Job, aligned: Aligned, starts_ns: Sequence[int]) -> None:
        names = aligned.joints.names
        self.tally = HandTally(names, job.comparison.rest_speed_m_s)
        self.worst = WorstFrames(job.pictures, names)
        self.received_ms = Histogram(TIME_EDGES_MS)
        self.frames = 0
        self.span: list[int] = []
        self._starts_ns = deque(starts_ns)
        self._aligned, self._gate_m = aligned, job.comparison.gate_m

    def add(self, frame: HandFrame, rows: RowWriter) -> None:
        """The next frame."""
        while self._starts_ns and self._starts_ns[0] <= frame.stamp_ns:
            self._starts_ns.popleft()
            self.tally.begin_sequence()
        self.frames += 1
        self.span = [self.span[0] if self.span else frame.stamp_ns, frame.stamp_ns]
        if frame.received_ns is not None:
            self.received_ms.add((frame.received_ns - frame.stamp_ns) * 1e-6)
        found, true = self._aligned.hands(frame)
        matches = None if true is None else match_known(found, true, self._gate_m)
        if matches is None:
            self.tally.add_unknown()
            rows.add(frame.stamp_ns, None)
            return
        self.tally.add(frame.stamp_ns, matches)
        rows.add(frame.stamp_ns, matches)
        self.worst.add(frame, matches)
        for match in matches:
            if match.true is None or match.found is None or not np.isfinite(match.found.joints).all():
                continue
            shifted = self._aligned.shifted(match.true.id, frame.stamp_ns)
            if shifted is not None:
                self.tally.lag.add(match.true.id, match.found.joints.mean(axis=0), shifted)


def recorded_topic(bag: Path, asked: str, truth: str) -> str:
    """The topic of the hands to evaluate: the one asked for, or the only one beside the ground truth.

    :raises EvaluationError: it is not there, or which one is not clear
    """
    with BagReader(bag) as reader:
        topics = [topic for topic in reader.topics_of(HANDS) if topic != truth]
    listed = ", ".join(topics) or "none"
    if asked:
        if "/" + asked.lstrip("/") not in topics:
            raise EvaluationError(
                f"{bag} has no hands on {asked}; topics of hands beside the ground truth: {listed} (--recorded)"
            )
        return "/" + asked.lstrip("/")
    if len(topics) != 1:
        remedy = "say which with --recorded TOPIC" if topics else "leave out --recorded to have a model answer its images"
        raise EvaluationError(f"{bag}: topics of hands beside the ground truth: {listed}: {remedy}")
    return topics[0]


def receive_latency(received_ms: Histogram) -> str:
    """What the times from a message's stamp to its recording mean, or why they mean nothing ("not known: ...")."""
    if not received_ms.total:
        return "not known: there are no hands"
    if received_ms.highest <= 0:
        return "not known: the messages were recorded with their stamps, not with the time of receipt"
    if received_ms.lowest < 0 or received_ms.highest > LONGEST_LATENCY_MS:
        return "not known: the recorder's clock is not that of the stamps"
    return "from the image's stamp to the recording of the hands"


@contextmanager
def _warnings_into(notes: list[str]) -> Iterator[None]:
    """Inside the block, warnings of this package become notes instead of lines on the terminal."""
    logger = logging.getLogger("hand_pose_ros")
    handler = _Notes(notes)
    propagated, logger.propagate = logger.propagate, False
    logger.addHandler(handler)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = propagated


class _Notes(logging.Handler):
    def __init__(self, notes: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if text not in self._notes and len(self._notes) < MOST_NOTES:
            self._notes.append(text)
