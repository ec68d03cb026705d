"""What a recording can and cannot stand in for, when its frames are answered without a live node."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hand_pose_ros.inference.model_file import read_model_file
from hand_pose_ros.live.parameters import ParameterError, Parameters
from hand_pose_ros.perception.inputs import crop_kind

# Parameters by which a live node gets something from others, and what.
_LIVE_INPUTS = {"target_frame": "TF", "use_detections": "detections"}
_REMEDY = "`ros2 bag play --clock --topics` its inputs to hand_pose.launch.py use_sim_time:=true"


def refuse_live_inputs(parameters: Parameters, command: str) -> None:
    """What a live node gets from others, and a recording's frames would be answered without.

    :param command: that is asked, "replay"
    :raises ParameterError: a parameter asks for it
    """
    for name, what in _LIVE_INPUTS.items():
        if value := getattr(parameters, name):
            unset = f"{name}:={str(type(value)()).lower()}"
            raise ParameterError(
                f"{name} is {value!r}, but {command} reads no {what} from recordings: leave it out (--set {unset}), or play the "
                f"recording to the live node: {_REMEDY}"
            )


def not_repeated(values: Mapping[str, Any]) -> str:
    """One line for who records a run that cannot be repeated offline; "" where it can.

    :param values: parameters of the node
    """
    names = [name for name in _LIVE_INPUTS if values.get(name)]
    if not names:
        return ""
    return f"with {' and '.join(names)} `hand-pose replay --as-recorded` cannot repeat what is recorded: play it with {_REMEDY}"


def sees_color(model: Path) -> bool:
    """Whether a model's crops are of colour images; that a file is missing is for `load_engine` to say."""
    return model.is_file() and crop_kind(read_model_file(model).card) == "rgb_crop"
