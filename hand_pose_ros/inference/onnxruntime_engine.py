"""Models on ONNX Runtime: the back end that runs anywhere."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime

from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.model_checks import check_model
from hand_pose_ros.inference.model_file import REMEDY, TensorSpec, read_card

_DTYPES = {"tensor(float)": "float32", "tensor(int64)": "int64"}


class OnnxRuntimeEngine(Engine):
    """A model in an ONNX Runtime session on the CPU.

    :raises ModelError: the file is no ONNX model, has no card, or its graph disagrees with its card
    """

    backend = "onnxruntime"

    def __init__(self, path: Path, threads: int = 1) -> None:
        self.path = path
        self._session = _open(path, threads)
        self.card = read_card(path, self._session.get_modelmeta().custom_metadata_map)
        inputs, outputs = _specs(self._session.get_inputs()), _specs(self._session.get_outputs())
        self.input_shapes = {i.name: i.shape_text for i in inputs}
        self.output_shapes = {o.name: o.shape_text for o in outputs}
        check_model(path, self.card, inputs, outputs, self.infer)

    def infer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """See `Engine.infer`."""
        try:
            arrays = self._session.run(list(self.card.outputs), inputs)
        except Exception as error:  # ONNX Runtime's exceptions have no base class of their own
            raise ModelError(f"model {self.path}: ONNX Runtime refused the batch: {error}") from error
        return dict(zip(self.card.outputs, arrays))


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


def _specs(nodes: list) -> list[TensorSpec]:
    return [TensorSpec(n.name, _DTYPES.get(n.type, n.type), tuple("?" if d is None else d for d in n.shape)) for n in nodes]
