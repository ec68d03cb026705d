"""Where the ground truth comes from: a recording's topic or a CSV file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hand_pose_ros.bags.reader import BagReader
from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.hand_frames import HANDS, HandFrame, in_order, topic_frames
from hand_pose_ros.evaluation.settings import Job
from hand_pose_ros.evaluation.truth_csv import csv_frames
from hand_pose_ros.messages.library import MessageLibrary

BAG_NAME = "{bag}"


@dataclass(frozen=True)
class Truth:
    """Ground truth that can be read from its beginning as often as wanted.

    :param name: the topic or the file
    :param file: the CSV file, None for a topic
    :param frame_id: TF frame of a file's numbers, "" for that of the hands
    """

    bag: Path
    name: str
    file: Path | None
    frame_id: str
    library: MessageLibrary

    def frames(self) -> Iterator[HandFrame]:
        """By ascending stamp, each with the frame that its numbers are in."""
        if self.file is not None:
            return csv_frames(self.file, self.frame_id)
        return in_order(topic_frames(self.bag, self.name, self.library), f"{self.bag}, {self.name}")


def open_truth(job: Job, library: MessageLibrary) -> Truth:
    """The ground truth of one recording; `{bag}` in the name of a file or of another recording stands for the recording's own.

    :raises EvaluationError: the recording has no such topic, or there is no such file
    :raises BagError: there is no such other recording
    """
    name, frame_id, other = job.comparison.truth, job.comparison.truth_frame, job.comparison.truth_bag
    bag = Path(other.replace(BAG_NAME, job.label)).expanduser() if other else job.bag
    if name.endswith(".csv"):
        path = Path(name.replace(BAG_NAME, job.label)).expanduser()
        if not path.is_file():
            raise EvaluationError(f"{job.bag}: there is no ground truth {path}")
        return Truth(job.bag, str(path), path, frame_id, library)
    topic = "/" + name.lstrip("/")
    with BagReader(bag) as reader:
        if reader.types.get(topic) != HANDS or not reader.counts[topic]:
            what = f"is {reader.types[topic]}, not {HANDS}" if reader.types.get(topic, HANDS) != HANDS else "has no message"
            has = ", ".join(reader.topics_of(HANDS)) or "none"
            raise EvaluationError(
                f"{bag}: ground truth topic {topic} {what if topic in reader.types else 'is not there'}; topics of hands: {has}. "
                "Give one of them, or a CSV file, as --ground-truth"
            )
    return Truth(bag, topic, None, "", library)
