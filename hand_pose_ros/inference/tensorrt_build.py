"""An ONNX model into a TensorRT plan: strongly typed, so every layer has the precision that the file gives it.

Networks are strongly typed in all versions from 10.3 to 11.x, and from 11 on nothing else exists: whether a model runs in fp32 or
fp16 is decided at export, by the types in its graph, and not here.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hand_pose_ros.inference.cuda_device import checked, cuda_runtime, find_device
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary

WORKSPACE_MB = 1024  # scratch memory that a layer's fastest kernel may ask for
INPUT_TYPES = ("FLOAT", "INT32", "INT64", "BOOL")  # UINT8 and UINT16 inputs are refused by some versions and wrong in others
OUTPUT_TYPE = "FLOAT"

Progress = Callable[[str, int, int], None]


class BuildCancelled(Exception):
    """The build was given up because `cancelled` said so."""


def build_plan(
    library: TensorRtLibrary,
    model_path: Path,
    *,
    max_batch: int = 8,
    opt_batch: int = 1,
    progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
    workspace_mb: int = WORKSPACE_MB,
    device: int = 0,
    compute_capability: str = "",
) -> bytes:
    """Build the plan of a model for batches of 1 to `max_batch`, fastest at `opt_batch`.

    Full TensorRT builds for the GPU `device`, on it; TensorRT-RTX needs no GPU to build.

    :param progress: called with (phase, steps done, steps) from TensorRT's threads; phases are nested and may repeat
    :param cancelled: asked after each step; True ends the build
    :param compute_capability: of the GPUs that a plan of TensorRT-RTX is for, for example "8.9"; "": all that it knows
    :raises BuildCancelled: `cancelled` returned True
    :raises ModelError: no GPU, no usable file, or TensorRT refuses the model; the text says what it did not like
    """
    if not 1 <= opt_batch <= max_batch:
        raise ModelError(f"opt_batch {opt_batch} does not lie in 1 to max_batch {max_batch}")
    if cancelled is not None and cancelled():
        raise BuildCancelled
    if library.flavour == "tensorrt":
        if compute_capability:
            raise ModelError(
                "TensorRT builds on the GPU that is here; TensorRT-RTX alone builds for another's compute capability"
            )
        checked(cuda_runtime(), "cudaSetDevice", find_device(device).index)
    trt, logger = library.module, library.logger
    logger.errors.clear()
    builder = trt.Builder(logger)
    network = parse_network(library, builder, model_path)
    config = builder.create_builder_config()
    config.set_memory_pool_limit(trt.MemoryPoolType.WORKSPACE, workspace_mb << 20)
    # TF32 keeps 10 bits of mantissa, which costs float32 models their tenths of a millimetre.
    config.clear_flag(trt.BuilderFlag.TF32)
    # TensorRT-RTX captures into CUDA graphs only what allocates nothing by itself.
    user_allocation = getattr(trt.BuilderFlag, "REQUIRE_USER_ALLOCATION", None)
    if user_allocation is not None:
        config.set_flag(user_allocation)
    if compute_capability:
        _aim_rtx(library, config, compute_capability)
    config.add_optimization_profile(batch_profile(builder, network, model_path, opt_batch, max_batch))
    monitor = _monitor(trt, progress, cancelled)
    config.progress_monitor = monitor
    plan = builder.build_serialized_network(network, config)
    if monitor.failure is not None:
        raise monitor.failure
    if monitor.stopped:
        raise BuildCancelled
    if plan is None:
        raise _refused(library, model_path, "builds no plan from it", logger.errors)
    return bytes(plan)


def parse_network(library: TensorRtLibrary, builder: Any, model_path: Path) -> Any:
    """The file as a strongly typed TensorRT network, its inputs and outputs checked for types that run everywhere.

    :raises ModelError: not readable, not parsed, or with an input or output of another type
    """
    trt = library.module
    try:
        model = Path(model_path).read_bytes()
    except OSError as error:
        raise ModelError(f"model {model_path} cannot be read ({error}): name an .onnx file") from error
    # The flag's number differs between 10.x and 11.x, and it may go altogether: there is nothing else in 11.x.
    typed = getattr(trt.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    network = builder.create_network(0 if typed is None else 1 << int(typed))
    parser = trt.OnnxParser(network, library.logger)  # owns the weights; the bindings keep it as long as its network
    if not parser.parse(model):
        raise _refused(library, model_path, "cannot parse it", [_parser_error(parser, i) for i in range(parser.num_errors)])
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    outputs = [network.get_output(i) for i in range(network.num_outputs)]
    for tensor, allowed in [*((t, INPUT_TYPES) for t in inputs), *((t, (OUTPUT_TYPE,)) for t in outputs)]:
        if tensor.dtype.name not in allowed:
            raise ModelError(
                f"model {model_path}: {tensor.name} is {tensor.dtype.name}, TensorRT runs it with {', '.join(allowed)} only: "
                "cast inside the graph and export the model again"
            )
    return network


def _parser_error(parser: Any, index: int) -> str:
    node = f"{parser.get_error(index).node_operator()} {parser.get_error(index).node_name()}".strip()
    text = parser.get_error(index).desc()
    return f"{node}: {text}" if node else text


def batch_profile(builder: Any, network: Any, model_path: Path, opt_batch: int, max_batch: int) -> Any:
    """An optimisation profile for batches of 1 to `max_batch` of every input.

    :raises ModelError: an input whose first dimension alone is not what varies
    """
    profile = builder.create_optimization_profile()
    for i in range(network.num_inputs):
        tensor = network.get_input(i)
        batch, *rest = tuple(tensor.shape) or (0,)
        if batch != -1 or -1 in rest:
            raise ModelError(
                f"model {model_path}: input {tensor.name} is {tuple(tensor.shape)}, where the batch and nothing else must be "
                "dynamic (-1): export the model again with `hand-pose-train export`"
            )
        profile.set_shape(tensor.name, (1, *rest), (opt_batch, *rest), (max_batch, *rest))
    return profile


def _aim_rtx(library: TensorRtLibrary, config: Any, compute_capability: str) -> None:
    trt = library.module
    known = {f"{name[2:-1]}.{name[-1]}": value for name, value in trt.ComputeCapability.__members__.items() if name[:2] == "SM"}
    if compute_capability not in known:
        raise ModelError(
            f"{library.flavour} {library.version} builds for {', '.join(known)}, not for {compute_capability}: "
            "use TensorRT itself there, or set backend to onnxruntime"
        )
    config.num_compute_capabilities = 1
    config.set_compute_capability(known[compute_capability], 0)


def _monitor(trt: Any, progress: Progress | None, cancelled: Callable[[], bool] | None) -> Any:
    class Monitor(trt.IProgressMonitor):
        """Hands steps on, and ends the build when asked to. Nothing may be raised into TensorRT, so failures are kept."""

        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self.stopped = False
            self.failure: Exception | None = None
            self._steps: dict[str, int] = {}

        def phase_start(self, phase_name: str, parent_phase: str, num_steps: int) -> None:
            self._steps[phase_name] = num_steps
            self._tell(phase_name, 0)

        def step_complete(self, phase_name: str, step: int) -> bool:
            self._tell(phase_name, step + 1)
            return not self.stopped and self.failure is None

        def phase_finish(self, phase_name: str) -> None:
            self._tell(phase_name, self._steps.get(phase_name, 0))

        def _tell(self, phase: str, done: int) -> None:
            try:
                if progress is not None:
                    progress(phase, done, self._steps.get(phase, done))
                if cancelled is not None and cancelled():
                    self.stopped = True
            except Exception as error:
                self.failure = error

    return Monitor()


def _refused(library: TensorRtLibrary, model_path: Path, what: str, reasons: Any) -> ModelError:
    said = "; ".join(dict.fromkeys(reasons)) or "it gives no reason"
    return ModelError(
        f"model {model_path}: {library.flavour} {library.version} {what} ({said}): set backend to onnxruntime, or export the "
        "model again with operators that TensorRT has"
    )
