"""Models on ONNX Runtime: the back end that runs anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.inference.model_card import METADATA_KEY, ModelCard, ModelError
from hand_pose_ros.skeleton import skeleton

REMEDY = "export the model again with `hand-pose-train export`"


class OnnxRuntimeEngine(Engine):
    """A model in an ONNX Runtime session on the CPU.

    :raises ModelError: the file is no ONNX model, has no card, or its graph disagrees with its card
    """

    backend = "onnxruntime"

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path = path
        self._session = _open(path, threads)
        text = self._session.get_modelmeta().custom_metadata_map.get(METADATA_KEY)
        if text is None:
            raise ModelError(
                f"model {path} has no model card (metadata {METADATA_KEY!r}), so its crop and joints are unknown: {REMEDY}"
            )
        self.card = ModelCard.from_json(text, f"model {path}")
        self.input_shapes = {i.name: _shape_text(i.shape) for i in self._session.get_inputs()}
        self.output_shapes = {o.name: _shape_text(o.shape) for o in self._session.get_outputs()}
        self._check_inputs()
        self._check_outputs()

    def infer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """See `Engine.infer`."""
        try:
            arrays = self._session.run(list(self.card.outputs), inputs)
        except Exception as error:  # ONNX Runtime's exceptions have no base class of their own
            raise ModelError(f"model {self.path}: ONNX Runtime refused the batch: {error}") from error
        return dict(zip(self.card.outputs, arrays))

    def _check_inputs(self) -> None:
        size = self.card.input_size
        inputs = self._session.get_inputs()
        if [i.name for i in inputs] != [self.card.input_kind]:
            raise self._disagrees(f"its inputs are {_names(inputs)}, its card says {self.card.input_kind}")
        if inputs[0].type != "tensor(float)":
            raise self._disagrees(f"input {inputs[0].name} is {inputs[0].type}, not tensor(float)")
        shape = inputs[0].shape
        if len(shape) != 4 or list(shape[1:]) != [1, size, size]:
            raise self._disagrees(f"input {inputs[0].name} is {_shape_text(shape)}, its card says (N, 1, {size}, {size})")
        if isinstance(shape[0], int):
            raise self._disagrees(f"input {inputs[0].name} has a fixed batch of {shape[0]}, it must be dynamic")

    def _check_outputs(self) -> None:
        missing = [name for name in self.card.outputs if name not in self.output_shapes]
        if missing:
            raise self._disagrees(f"its graph has no output {', '.join(missing)}, only {_names(self._session.get_outputs())}")
        # Shapes in the file may be symbols; a run tells, and warms the session up.
        joints = len(skeleton(self.card.skeleton))
        expected = {
            "joints": (2, joints, 3),
            "covariance": (2, joints, 6),
            "confidence": (2, joints),
            "presence": (2,),
            "right_side": (2,),
        }
        empty = np.ones((2, 1, self.card.input_size, self.card.input_size), np.float32)
        for name, array in self.infer({self.card.input_kind: empty}).items():
            if array.shape != expected[name]:
                raise self._disagrees(f"output {name} of a batch of 2 is {array.shape}, its card says {expected[name]}")
            if not np.isfinite(array).all():
                raise self._disagrees(f"output {name} of an empty crop is not finite")

    def _disagrees(self, what: str) -> ModelError:
        return ModelError(f"model {self.path} disagrees with its model card: {what}: {REMEDY}")


def _open(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Threads that spin between frames would take a core from the rest of the robot.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's exceptions have no base class of their own
        raise ModelError(
            f"model {path} is no ONNX model that ONNX Runtime {onnxruntime.__version__} can load ({error}): "
            f"copy it again if it was cut short, else {REMEDY}"
        ) from error


def _names(nodes: list) -> str:
    return ", ".join(n.name for n in nodes) or "none"


def _shape_text(shape: list) -> str:
    return f"({', '.join(str(d) if d is not None else '?' for d in shape)})"
