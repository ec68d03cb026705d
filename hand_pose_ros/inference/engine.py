"""The only way to run a model: `load_engine(file).infer(inputs)`, whatever library does the work."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hand_pose_ros.inference.cuda_device import find_device
from hand_pose_ros.inference.engine_cache import EngineCache, default_folder
from hand_pose_ros.inference.model_card import ModelCard, ModelError
from hand_pose_ros.inference.model_choice import PRECISION_CHOICES, choose_model
from hand_pose_ros.inference.model_kinds import HAND_CENTERS, Answer
from hand_pose_ros.inference.tensorrt_library import find_tensorrt

BACKENDS = ("auto", "onnxruntime", "tensorrt")

log = logging.getLogger(__name__)


class Engine(ABC):
    """A loaded model that agrees with its card.

    :ivar path: the model file
    :ivar card: what the file says about itself
    :ivar backend: the library that runs it
    :ivar status: what a user should know of it besides, for example "building TensorRT plan: 43 %", or ""
    :ivar input_shapes, output_shapes: by name, as text ("N" for the batch)
    """

    path: Path
    card: ModelCard
    backend: str
    status: str = ""
    input_shapes: dict[str, str]
    output_shapes: dict[str, str]

    @abstractmethod
    def infer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a batch of one crop or frame or more.

        :param inputs: by name, as `perception.inputs.network_inputs` makes them of crops, `perception.detector` of frames
        :return: by name, float32: `joints` (N, J, 3) and `covariance` (N, J, 6) normalised, `confidence` (N, J), and where
            the card lists them `presence` (N,) and `right_side` (N,); of a detector `centers` (N, K, 3) as u, v normalised
            and depth in metres, and `score` (N, K), the probability that a hand is there
        :raises ModelError: the back end refused the batch
        """

    def close(self) -> None:
        """Give back what it holds; called on the thread that made it, and nothing is asked of it afterwards."""
        return


def require_answer(engine: Engine, wanted: Answer) -> None:
    """Whether an engine's model answers what it is needed for.

    :raises ModelError: it answers something else; the text says what, and where it belongs
    """
    found = engine.card.answer
    if found is not wanted:
        asked, right = ("detector", "model") if wanted is HAND_CENTERS else ("model", "detector")
        raise ModelError(f"{asked} {engine.path} tells {found.what}, not {wanted.what}: give it as {right}, not as {asked}")


@dataclass(frozen=True)
class EngineSettings:
    """How TensorRT is used.

    :param device: index of the GPU
    :param precision: "auto" (half precision on TensorRT where the model comes with it), "fp32" or "fp16"
    :param cache: folder of the plans; "" for the one of the user, see `engine_cache.default_folder`
    :param serve_while_building: answer through ONNX Runtime while the plan is built, instead of waiting for it
    """

    device: int = 0
    precision: str = "auto"
    cache: str = ""
    serve_while_building: bool = False


def load_engine(
    path: str | Path,
    backend: str = "onnxruntime",
    threads: int = 1,
    settings: EngineSettings = EngineSettings(),
    cancelled: Callable[[], bool] = lambda: False,
) -> Engine:
    """Load a model file.

    :param backend: one of BACKENDS; "auto" takes TensorRT where there are a GPU and the library, and says in the log what
        it took and why
    :param threads: CPU threads of one inference with ONNX Runtime
    :param cancelled: asked several times a second while a TensorRT plan is waited for; True gives it up
    :raises ModelError: file missing, corrupt, without card or disagreeing with it, or a back end that is not there
    :raises BuildCancelled: `cancelled` returned True
    """
    path = Path(path)
    if backend not in BACKENDS:
        raise ModelError(f"backend {backend!r} is none of {', '.join(BACKENDS)}")
    if settings.precision not in PRECISION_CHOICES:
        raise ModelError(f"precision {settings.precision!r} is none of {', '.join(PRECISION_CHOICES)}")
    if path.is_dir():
        raise ModelError(f"model {path} is a folder: name the .onnx file in it")
    if not path.is_file():
        raise ModelError(
            f"model {path} does not exist: name an .onnx file, or leave the model out for the one that comes with hand_pose_ros"
        )
    if threads < 1:
        raise ModelError(f"threads {threads} is no number of CPU threads: use 1 or more")
    why = "as asked"
    if backend != "onnxruntime":
        try:
            return _on_tensorrt(path, threads, settings, cancelled)
        except ModelError as error:
            if backend == "tensorrt":
                raise
            why = f"backend auto: {error}"
    return _on_onnxruntime(path, threads, settings.precision, why)


def _on_tensorrt(path: Path, threads: int, settings: EngineSettings, cancelled: Callable[[], bool]) -> Engine:
    device, library = find_device(settings.device), find_tensorrt()
    from hand_pose_ros.inference.plan_loading import Gpu, load_plan

    model = choose_model(path, settings.precision, prefer_half=True)
    cache = EngineCache(Path(settings.cache).expanduser() if settings.cache else default_folder())

    def serving() -> Engine:
        return _on_onnxruntime(path, threads, settings.precision, "until the TensorRT plan is built")

    engine = load_plan(model, Gpu(device, library), cache, serving if settings.serve_while_building else None, cancelled)
    log.info(
        "model %s (%s, %s) runs on %s, %s %s on %s",
        engine.card.name, engine.path, engine.card.precision, engine.backend, library.flavour, library.version, device.name,
    )  # fmt: skip
    return engine


def _on_onnxruntime(path: Path, threads: int, precision: str, why: str) -> Engine:
    try:
        from hand_pose_ros.inference.onnxruntime_engine import OnnxRuntimeEngine
    except ImportError as error:
        raise ModelError(f"ONNX Runtime cannot be imported ({error}): pip install 'onnxruntime>=1.19'") from error

    engine = OnnxRuntimeEngine(choose_model(path, precision, prefer_half=False), threads=threads)
    log.info("model %s (%s) runs on %s, %d CPU thread(s) (%s)", engine.card.name, engine.path, engine.backend, threads, why)
    return engine
