"""The only way to run a model: `load_engine(file).infer(inputs)`, whatever library does the work."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from pathlib import Path

import numpy as np

from hand_pose_ros.inference.model_card import ModelCard, ModelError

BACKENDS = ("auto", "onnxruntime", "tensorrt")

log = logging.getLogger(__name__)


class Engine(ABC):
    """A loaded model that agrees with its card.

    :ivar path: the model file
    :ivar card: what the file says about itself
    :ivar backend: the library that runs it
    :ivar input_shapes, output_shapes: by name, as text ("N" for the batch)
    """

    path: Path
    card: ModelCard
    backend: str
    input_shapes: dict[str, str]
    output_shapes: dict[str, str]

    @abstractmethod
    def infer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a batch.

        :param inputs: by name; kind `depth_crop`: {"depth_crop": (N, 1, S, S) float32}, see geometry/crop.py
        :return: by name, float32: `joints` (N, J, 3) and `covariance` (N, J, 6) normalised, `confidence` (N, J), and where
            the card lists them `presence` (N,) and `right_side` (N,)
        :raises ModelError: the back end refused the batch
        """


def load_engine(path: str | Path, backend: str = "auto", threads: int = 1) -> Engine:
    """Load a model file.

    :param backend: one of BACKENDS; "auto" takes the fastest that runs here and says in the log which and why
    :param threads: CPU threads of one inference
    :raises ModelError: file missing, corrupt, without card or disagreeing with it, or a back end that is not there
    """
    path = Path(path)
    if backend not in BACKENDS:
        raise ModelError(f"backend {backend!r} is none of {', '.join(BACKENDS)}")
    if backend == "tensorrt":
        raise ModelError("backend 'tensorrt' is not part of this version of hand_pose_ros: set backend to onnxruntime or auto")
    if path.is_dir():
        raise ModelError(f"model {path} is a folder: name the .onnx file in it")
    if not path.is_file():
        raise ModelError(
            f"model {path} does not exist: name an .onnx file, or leave the model out for the one that comes with hand_pose_ros"
        )
    if threads < 1:
        raise ModelError(f"threads {threads} is no number of CPU threads: use 1 or more")
    try:
        from hand_pose_ros.inference.onnxruntime_engine import OnnxRuntimeEngine
    except ImportError as error:
        raise ModelError(f"ONNX Runtime cannot be imported ({error}): pip install 'onnxruntime>=1.19'") from error

    engine = OnnxRuntimeEngine(path, threads=threads)
    why = "backend auto: the only back end in this version" if backend == "auto" else "as asked"
    log.info("model %s (%s) runs on %s, %d CPU thread(s) (%s)", engine.card.name, path, engine.backend, threads, why)
    return engine
