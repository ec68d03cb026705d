"""What a model file says about itself: the JSON in its `metadata_props["hand_pose"]`.

The card is part of the model's contract: the runtime crops, scales and names joints as the card says, so that a model
gives the same answer wherever it runs. A file without a card is refused.
"""

from __future__ import annotations

import json
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any

from hand_pose_ros.geometry.letterbox import width_problem
from hand_pose_ros.geometry.points import size_problem
from hand_pose_ros.inference.model_kinds import ANSWERS, HAND_CENTERS, HAND_POSE, INPUT_KINDS, Answer
from hand_pose_ros.skeleton import skeleton

METADATA_KEY = "hand_pose"
SCHEMA_VERSION = 1

REQUIRED_OUTPUTS, OPTIONAL_OUTPUTS = HAND_POSE.required, HAND_POSE.optional
SIDES = ("unknown", "left", "right")
PRECISIONS = ("fp32", "fp16")


class ModelError(ValueError):
    """A model file that cannot be used; the text names the file and the remedy."""


@dataclass(frozen=True)
class ModelCard:
    """The card of one model.

    :param schema_version: version of this very list of fields
    :param name: published as `model_id` in every message
    :param method: the method's short name, for example "awr"
    :param input_kind: "depth_crop": (N, 1, S, S) float32, see geometry/crop.py; "voxel_grid": (N, 1, D, D, D) float32, see
        geometry/voxels.py; "point_set": (N, P, 3) float32 with neighbourhoods, see geometry/points.py; "rgb_crop": (N, 3, S, S)
        float32 RGB in [0, 1], see geometry/color_crop.py; "depth_frame": (N, 1, H, W) float32 metres, 0 where there is none, with
        focal_px (N, 1), see geometry/letterbox.py
    :param input_size: S, pixels an edge of the crop; D, voxels an edge of the grid; P, points; W, pixels across the frame
    :param crop_size: pixels an edge of the crop that voxels or points are made of; 0: `input_size`
    :param cube_m: edge of the crop's cube in metres; 0 for a detector
    :param window_m: width of the window of an rgb_crop in metres at the hand's depth; 0: `cube_m`
    :param skeleton: name of the joints' order, see skeleton.py
    :param outputs: names of the graph's outputs, always with those that `model_kinds.ANSWERS` requires of the input's kind
    :param candidates: K, places of hands that a detector answers with; 0 for other models
    :param precision: "fp32", or "fp16" where the network computes in half precision (the aggregation never does)
    :param side: the hand it was trained on: "left", "right", or "unknown" where it takes both
    :param trained_on: the data and the command that made it
    :param errors: measured errors, units in the names, for example {"mean_error_mm": 10.2}; may be nested by slice
    :param limits: where it does not work
    :param license: SPDX identifier of the weights
    :param revision: code revision it was exported from
    """

    name: str
    method: str
    input_kind: str
    input_size: int
    cube_m: float
    skeleton: str
    crop_size: int = 0
    outputs: tuple[str, ...] = REQUIRED_OUTPUTS
    precision: str = "fp32"
    side: str = "unknown"
    trained_on: str = ""
    errors: dict[str, Any] = field(default_factory=dict)
    limits: str = ""
    license: str = ""
    revision: str = ""
    window_m: float = 0.0
    candidates: int = 0
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        object.__setattr__(self, "outputs", tuple(self.outputs))
        problem = self._problem()
        if problem:
            raise ModelError(f"model card of {self.name!r}: {problem}")

    def _problem(self) -> str:
        if self.schema_version != SCHEMA_VERSION:
            return (
                f"schema version {self.schema_version!r}, this hand_pose_ros reads {SCHEMA_VERSION}: "
                "use the hand_pose_ros the model was made for, or export the model again"
            )
        if not isinstance(self.name, str) or not self.name:
            return "name is empty: a model is published under its name"
        if self.input_kind not in INPUT_KINDS:
            return f"input_kind {self.input_kind!r} is not supported here; supported: {', '.join(INPUT_KINDS)}"
        if not _is_number(self.input_size) or self.input_size != int(self.input_size) or self.input_size < 1:
            return f"input_size {self.input_size!r} is no number of pixels"
        if not _is_number(self.crop_size) or self.crop_size != int(self.crop_size) or self.crop_size < 0:
            return f"crop_size {self.crop_size!r} is no number of pixels"
        if self.input_kind == "point_set" and (problem := size_problem(self.input_size)):
            return f"input_size {problem}"
        if self.input_kind == "point_set" and not self.crop_size:
            return "crop_size is missing: a point set is made of a crop"
        if not _is_number(self.window_m) or not 0 <= self.window_m <= 2.0:
            return f"window_m {self.window_m!r} is no window around a hand in metres (0: cube_m)"
        if problem := self._detector_problem() if self.answer is HAND_CENTERS else self._cube_problem():
            return problem
        try:
            skeleton(self.skeleton)
        except KeyError as error:
            return str(error.args[0])
        missing = [name for name in self.answer.required if name not in self.outputs]
        if missing:
            return f"outputs lack {', '.join(missing)}"
        unknown = [name for name in self.outputs if name not in self.answer.required + self.answer.optional]
        if unknown:
            return f"outputs {', '.join(unknown)} are not known to this hand_pose_ros"
        if self.precision not in PRECISIONS:
            return f"precision {self.precision!r} is none of {', '.join(PRECISIONS)}"
        if self.side not in SIDES:
            return f"side {self.side!r} is none of {', '.join(SIDES)}"
        return ""

    def _cube_problem(self) -> str:
        if not _is_number(self.cube_m) or not 0.05 <= self.cube_m <= 2.0:
            return f"cube_m {self.cube_m!r} is no cube around a hand in metres (0.05 to 2)"
        return f"candidates {self.candidates!r} are for a detector alone" if self.candidates else ""

    def _detector_problem(self) -> str:
        if problem := width_problem(self.input_size):
            return f"input_size {problem}"
        if self.cube_m:
            return f"cube_m {self.cube_m!r}: a detector sees no cube, write 0"
        if not _is_number(self.candidates) or self.candidates != int(self.candidates) or self.candidates < 1:
            return f"candidates {self.candidates!r} is no number of places that a detector answers with"
        return ""

    @property
    def answer(self) -> Answer:
        """What a model of this input answers."""
        return ANSWERS[self.input_kind]

    def to_json(self) -> str:
        """The card as JSON text, keys in the order of the fields."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str, source: str = "model card") -> ModelCard:
        """The card of a JSON text.

        :param source: the file it comes from, named in errors
        :raises ModelError: no JSON, a field missing, of the wrong type or out of range
        Keys that are not known are left out, so that a card may carry more than this version reads.
        """
        remedy = "export the model again with `hand-pose-train export`"
        try:
            values = json.loads(text)
        except (json.JSONDecodeError, TypeError) as error:
            raise ModelError(f"{source}: its model card is no JSON ({error}): {remedy}") from error
        if not isinstance(values, dict):
            raise ModelError(f"{source}: its model card is no JSON object: {remedy}")
        missing = [f.name for f in fields(cls) if f.default is MISSING and f.default_factory is MISSING and f.name not in values]
        if missing:
            raise ModelError(f"{source}: its model card lacks {', '.join(missing)}: {remedy}")
        try:
            return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})
        except (ModelError, TypeError) as error:
            raise ModelError(f"{source}: {error}") from error


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
