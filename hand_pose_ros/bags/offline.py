"""What a recording can and cannot stand in for, when its frames are answered without a live node."""

from __future__ import annotations

from pathlib import Path

from hand_pose_ros.inference.model_file import read_model_file
from hand_pose_ros.live.parameters import ParameterError, Parameters
from hand_pose_ros.perception.inputs import crop_kind


def refuse_live_inputs(parameters: Parameters, command: str) -> None:
    """What a live node gets from others, and a recording's frames would be answered without.

    :param command: that is asked, "replay"
    :raises ParameterError: a parameter asks for it
    """
    for name, what in (("target_frame", "TF"), ("use_detections", "detections")):
        if getattr(parameters, name):
            raise ParameterError(
                f"{name} is {getattr(parameters, name)!r}, but {command} reads no {what} from recordings: leave it out, or play "
                "the recording to the live node (ros2 launch hand_pose_ros replay.launch.py)"
            )


def sees_color(model: Path) -> bool:
    """Whether a model's crops are of colour images; that a file is missing is for `load_engine` to say."""
    return model.is_file() and crop_kind(read_model_file(model).card) == "rgb_crop"
