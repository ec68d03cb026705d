"""What an evaluation is asked for, in a form that travels to other processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hand_pose_ros.live.parameters import Parameters
from hand_pose_ros.scoring.jitter import REST_SPEED_M_S
from hand_pose_ros.scoring.matching import SAME_HAND_M

AUTO_OFFSET = "auto"


@dataclass(frozen=True)
class Comparison:
    """How hands are compared with ground truth.

    :param truth: topic, or CSV file
    :param truth_bag: recording that has the topic, "" for that of the hands
    :param truth_frame: TF frame of a file's numbers, "" for that of the hands
    :param joint_names: names of the ground truth's joints -> the package's
    :param offset_s: what the ground truth's stamps are ahead of the hands'; None: to be estimated
    :param max_offset_s: the greatest that is looked at in estimating
    :param tolerance_s: a true moment this near stands for that of the frame, where there is none on both sides
    :param max_gap_s: true moments further apart have nothing between them
    :param gate_m: a found hand is a true one's up to this distance of their middles
    :param rest_speed_m_s: a hand at rest moves no faster
    """

    truth: str
    truth_bag: str = ""
    truth_frame: str = ""
    joint_names: Mapping[str, str] = field(default_factory=dict)
    offset_s: float | None = 0.0
    max_offset_s: float = 5.0
    tolerance_s: float = 0.005
    max_gap_s: float = 0.1
    gate_m: float = SAME_HAND_M
    rest_speed_m_s: float = REST_SPEED_M_S


@dataclass(frozen=True)
class Recordings:
    """Which topics of the recordings are read, as `open_source` has them."""

    image_topic: str = ""
    camera_info_topic: str = ""
    color_topic: str = ""
    camera_file: Path | None = None


@dataclass(frozen=True)
class Run:
    """One way to get hands: a model, or a topic that has them.

    :param name: of the run, a folder's name too
    :param parameters: model and parameters of the pipeline; its depth parameters hold for pictures of recorded hands too
    :param recorded: None: the model answers anew; else the topic of the recorded hands, "" for the only one
    :param tracking: use the frame before
    :param as_named: with precision auto, the model's file itself, not the twin in half precision that TensorRT would take
    """

    name: str
    parameters: Parameters
    recorded: str | None = None
    tracking: bool = True
    as_named: bool = False


@dataclass(frozen=True)
class Job:
    """One recording of one run: what one process does.

    :param label: the recording's name in tables, a folder's name too
    :param folder: of the results of this job alone
    :param pictures: worst frames that are drawn
    """

    run: Run
    bag: Path
    label: str
    folder: Path
    comparison: Comparison
    recordings: Recordings = Recordings()
    pictures: int = 8
