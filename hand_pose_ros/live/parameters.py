"""The node's parameters: names, types, defaults, ranges and what each is for, in one place for both transports.

`Parameters` is made from a ROS 2 parameter file (`parameter_file.py`), from a command line (`parameter_arguments.py`), or by
the rclpy node. The metadata of every field has `description`, `read_only` (not changed while the node runs), and where they
apply `minimum`, `maximum` and `choices`.
"""

from __future__ import annotations

import array
import dataclasses
import difflib
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hand_pose_ros.inference.engine import BACKENDS, EngineSettings
from hand_pose_ros.inference.model_choice import PRECISION_CHOICES
from hand_pose_ros.live.topics import TRANSPORTS
from hand_pose_ros.perception.pipeline import PipelineSettings
from hand_pose_ros.share import find, model_file

_TYPES = {"bool": bool, "int": int, "float": float, "str": str, "tuple[float, ...]": tuple}
_TYPE_WORDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text", tuple: "a list of numbers"}
NO_BOX = (0.0,) * 6


DEFAULT_MODEL = "models/hand21_fast.onnx"
DEFAULT_DETECTOR = "models/hand_detector.onnx"
NO_DETECTOR = "none"
LIVE_SMOOTHING = 0.3


class ParameterError(ValueError):
    """A parameter that does not exist or a value that it cannot have; the text says why."""


def _parameter(
    default: Any, description: str, *, minimum: Any = None, maximum: Any = None, choices: tuple = (), read_only: bool = True
) -> Any:
    metadata = {"description": description, "minimum": minimum, "maximum": maximum, "choices": choices, "read_only": read_only}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Parameters:
    """The values; units are in the names (metres, seconds). ParameterError for a value of the wrong type or out of range."""

    model: str = _parameter(
        "", "Model: a file (.onnx), or hand21_accurate, the slower one of the package. Empty: hand21_fast, its default."
    )
    detector: str = _parameter(
        "",
        "Detector file (.onnx) that finds new hands in the whole depth image. Empty: the one that comes with the package. none: "
        "hands are looked for at the ends of limbs, without a network.",
    )
    backend: str = _parameter(
        "auto",
        "What runs the model. auto: TensorRT where there is a GPU with it, else ONNX Runtime; the log says which and why.",
        choices=BACKENDS,
    )
    threads: int = _parameter(1, "Threads that the network may use on the CPU.", minimum=1, maximum=64)
    device: int = _parameter(0, "GPU that TensorRT uses.", minimum=0, maximum=63)
    precision: str = _parameter(
        "auto",
        "fp32: NAME.onnx. fp16: NAME_fp16.onnx beside it. auto: TensorRT takes the fp16 file where there is one, ONNX Runtime "
        "the file that is named.",
        choices=PRECISION_CHOICES,
    )
    engine_cache: str = _parameter(
        "",
        "Folder that keeps the plans that TensorRT builds. Empty: HAND_POSE_ENGINE_CACHE of the environment, else "
        "~/.cache/hand_pose_ros/engines.",
    )
    serve_while_building: bool = _parameter(
        True, "Answer through ONNX Runtime while TensorRT builds its plan. false: the node is there when the plan is."
    )
    depth_transport: str = _parameter(
        "raw",
        "How depth images come: raw on depth/image_rect, or image_transport's compressedDepth (PNG, RVL) on "
        "depth/image_rect/compressedDepth (a remap of depth/image_rect moves that, too).",
        choices=TRANSPORTS,
    )
    rectified: bool = _parameter(
        True,
        "The depth image is rectified: projected with P of the camera info. false: with K and the distortion D.",
        read_only=False,
    )
    depth_scale: float = _parameter(
        0.0,
        "Metres a count of 16UC1 images that are not in millimetres, for example 0.00025. 0: as the encoding says.",
        minimum=0.0,
        maximum=1.0,
        read_only=False,
    )
    min_depth_m: float = _parameter(
        PipelineSettings.min_depth_m, "Hands are looked for from this distance on.", minimum=0.01, maximum=20.0, read_only=False
    )
    max_depth_m: float = _parameter(
        PipelineSettings.max_depth_m, "Hands are looked for up to this distance.", minimum=0.1, maximum=20.0, read_only=False
    )
    max_hands: int = _parameter(
        PipelineSettings.max_hands, "Most hands at once; each has a slot from 0 to this less one.", minimum=1, maximum=8
    )
    min_confidence: float = _parameter(
        PipelineSettings.min_confidence,
        "A hand is taken up from this probability on, of the model's presence and of what the detector says of the place "
        "together (of a model without presence: its joints' mean confidence).",
        minimum=0.0,
        maximum=1.0,
        read_only=False,
    )
    keep_confidence: float = _parameter(
        PipelineSettings.keep_confidence,
        "A tracked hand is kept down to this presence.",
        minimum=0.0,
        maximum=1.0,
        read_only=False,
    )
    lost_frames: int = _parameter(
        PipelineSettings.lost_frames,
        "A hand that is not seen for so many frames is dropped. Frames in which another hand may hide it count a quarter.",
        minimum=1,
        maximum=1000,
        read_only=False,
    )
    search_every: int = _parameter(
        PipelineSettings.search_every,
        "Frames between searches for a further hand while others are tracked.",
        minimum=1,
        maximum=1000,
        read_only=False,
    )
    smoothing: float = _parameter(
        LIVE_SMOOTHING,
        "Strength of the filter over time that the joints go through (One-Euro). 0: off, as it is in replay and evaluation "
        "unless it is set. 0.3: less jitter and hardly any lag. 1: calm, and about 50 ms late while the hand moves.",
        minimum=0.0,
        maximum=1.0,
        read_only=False,
    )
    use_detections: bool = _parameter(
        False,
        "Look for new hands in the boxes of `detections` (vision_msgs/Detection2DArray, pixels of the depth image) alone, not in "
        "the whole image. Those that are tracked go on without.",
    )
    detections_max_age_s: float = _parameter(
        0.5,
        "Detections belong to an image if they are of its stamp or at most so much older.",
        minimum=0.0,
        maximum=10.0,
        read_only=False,
    )
    workspace_box: tuple[float, ...] = _parameter(
        NO_BOX,
        "Where hands count, to leave out the robot's own gripper: x_min, y_min, z_min, x_max, y_max, z_max in metres, in "
        "target_frame (without one, in the depth image's). .inf where it has no side. All 0: everywhere.",
        read_only=False,
    )
    cube_m: float = _parameter(
        0.0,
        "Edge of the cube around the hand that the network sees, in metres. 0: as the model was trained.",
        minimum=0.0,
        maximum=1.0,
    )
    target_frame: str = _parameter(
        "",
        "TF frame that hands, markers, palms, grasps and joint frames are published in, looked up at the image's stamp. Empty: "
        "the depth image's own. Not in the node without ROS 2.",
    )
    transform_timeout_s: float = _parameter(
        0.1,
        "How long an image waits for the transform to target_frame; without it, it has no hands.",
        minimum=0.0,
        maximum=5.0,
        read_only=False,
    )
    frame_prefix: str = _parameter("", "Put before the names of the TF frames, <frame_prefix>hand_<slot>/<joint>.")
    publish_tf: bool = _parameter(True, "Publish the joints as TF frames.", read_only=False)
    publish_markers: bool = _parameter(True, "Publish hand_markers for RViz.", read_only=False)
    publish_palm_poses: bool = _parameter(True, "Publish palm_poses.", read_only=False)
    publish_joint_states: bool = _parameter(
        True, "Publish the joint angles on hand_joint_states, and the sizes of the hands on hand_bones.", read_only=False
    )
    publish_grasps: bool = _parameter(True, "Publish hand_grasps and grasp_pose.", read_only=False)
    pinch_enter_m: float = _parameter(
        0.025,
        "A pinch begins where the points of thumb and finger, 3 mm inside the skin, are nearer than this.",
        minimum=0.001,
        maximum=0.2,
        read_only=False,
    )
    pinch_leave_m: float = _parameter(
        0.04, "It ends where they are farther apart than this.", minimum=0.001, maximum=0.2, read_only=False
    )
    bone_stabilization: float = _parameter(
        0.0,
        "How far the joints are moved along the bones to the lengths that the frames before have shown. 0: not at all. 1: the "
        "bones of a hand keep their lengths.",
        minimum=0.0,
        maximum=1.0,
        read_only=False,
    )
    overlay_color: bool = _parameter(
        False, "Draw the overlay on color/image_rect where one within 0.1 s of the depth image is there, else on the depth image."
    )
    diagnostics_period_s: float = _parameter(
        1.0, "Seconds between two messages on /diagnostics.", minimum=0.1, maximum=60.0, read_only=False
    )

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, checked_value(field, getattr(self, field.name)))
        for name in ("frame_prefix", "target_frame"):
            if (value := getattr(self, name)).startswith("/"):
                raise ParameterError(f"{name} is {value!r}, but names of TF frames do not begin with a slash: leave it out")
        box = self.box()
        for axis, low, high in zip("xyz", box[:3], box[3:]):
            if not low < high:
                raise ParameterError(
                    f"workspace_box goes from {axis} {low} to {high}: {axis}_min, which is among the first three, must be less"
                )
        if self.min_depth_m >= self.max_depth_m:
            raise ParameterError(f"min_depth_m is {self.min_depth_m} and max_depth_m {self.max_depth_m}: the first must be less")
        if self.keep_confidence > self.min_confidence:
            raise ParameterError(
                f"keep_confidence is {self.keep_confidence} and min_confidence {self.min_confidence}: the first must be less"
            )

        if self.pinch_enter_m > self.pinch_leave_m:
            raise ParameterError(
                f"pinch_enter_m is {self.pinch_enter_m} and pinch_leave_m {self.pinch_leave_m}: the first must not be more"
            )

    def box(self) -> tuple[float, ...]:
        """The workspace's six numbers; none where hands count everywhere."""
        return () if self.workspace_box == NO_BOX else self.workspace_box

    def engine_settings(self) -> EngineSettings:
        """What of this TensorRT needs."""
        return EngineSettings(
            device=self.device,
            precision=self.precision,
            cache=self.engine_cache,
            serve_while_building=self.serve_while_building,
        )

    def pipeline_settings(self) -> PipelineSettings:
        """What of this perception needs."""
        shared = {f.name for f in dataclasses.fields(self)} & {f.name for f in dataclasses.fields(PipelineSettings)}
        values = {name: getattr(self, name) for name in shared}
        return PipelineSettings(**{**values, "cube_m": self.cube_m or None})

    def model_path(self) -> Path:
        """The model file: the one named, or the one that comes with the package.

        :raises ShareError: the package has none, or none of that name
        """
        if self.model:
            return model_file(self.model)
        return find(DEFAULT_MODEL)

    def detector_path(self) -> Path | None:
        """The detector file: the one named, or the one that comes with the package; None for none.

        :raises ShareError: the package has none, or none of that name
        """
        if self.detector == NO_DETECTOR:
            return None
        return model_file(self.detector) if self.detector else find(DEFAULT_DETECTOR)

    def with_values(self, values: dict[str, Any]) -> Parameters:
        """A copy with some values changed.

        :raises ParameterError: unknown name (the nearest known ones are named), wrong type, out of range
        """
        known = [f.name for f in dataclasses.fields(self)]
        for name in values:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
                hint = f"did you mean {' or '.join(near)}?" if near else f"known are {', '.join(known)}"
                raise ParameterError(f"unknown parameter {name!r}: {hint}")
        return dataclasses.replace(self, **values)


def checked_value(field: dataclasses.Field, value: Any) -> Any:
    """The value as the field has it (a whole number may stand for a float).

    :raises ParameterError: wrong type, out of range or none of the choices
    """
    wanted = _TYPES[field.type]
    if wanted is tuple:
        return _checked_numbers(field, value)
    if wanted is float and type(value) is int:
        value = float(value)
    if type(value) is not wanted:
        raise ParameterError(f"{field.name} is {value!r}, but it is {_TYPE_WORDS[wanted]}: {_described(field)}")
    limits = field.metadata
    if wanted is float and not math.isfinite(value):
        raise ParameterError(f"{field.name} is {value}, which is no number: {_described(field)}")
    too_low = limits["minimum"] is not None and value < limits["minimum"]
    too_high = limits["maximum"] is not None and value > limits["maximum"]
    if too_low or too_high:
        raise ParameterError(
            f"{field.name} is {value}, but it is from {limits['minimum']} to {limits['maximum']}: {_described(field)}"
        )
    if limits["choices"] and value not in limits["choices"]:
        raise ParameterError(f"{field.name} is {value!r}, but it is one of {', '.join(limits['choices'])}: {_described(field)}")
    return value


def _checked_numbers(field: dataclasses.Field, value: Any) -> tuple[float, ...]:
    """A list of as many numbers as the default has, infinite ones among them; an empty one stands for the default."""
    if value is None or (not isinstance(value, (str, bytes, dict)) and hasattr(value, "__len__") and len(value) == 0):
        return field.default  # ROS 2 has no empty list in a file: it is None, "not set"
    numbers = tuple(value) if isinstance(value, (list, tuple, array.array)) else ()
    if any(type(number) not in (int, float) for number in numbers) or len(numbers) != len(field.default):
        raise ParameterError(f"{field.name} is {value!r}, but it is a list of {len(field.default)} numbers: {_described(field)}")
    if any(math.isnan(number) for number in numbers):
        raise ParameterError(f"{field.name} is {value!r}, with something that is no number: {_described(field)}")
    return tuple(float(number) for number in numbers)


def _described(field: dataclasses.Field) -> str:
    return field.metadata["description"]
