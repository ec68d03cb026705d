"""A TensorRT plan on its GPU: arrays in, arrays out. It knows nothing of hands.

For each of a few batch sizes there is one execution context and, where it can be recorded, one CUDA graph of copy-in, run and
copy-out. A context keeps its shapes and addresses for good, since a recorded graph is valid for these alone. The contexts run one
after the other on one stream, so they share their scratch memory.
"""

from __future__ import annotations

import logging
import weakref
from contextlib import ExitStack
from typing import Any

import numpy as np

from hand_pose_ros.inference.batches import Slot, make_slot, run_batch, run_batches
from hand_pose_ros.inference.cuda_device import CudaDevice, checked, cuda_runtime
from hand_pose_ros.inference.cuda_graph import CudaGraph
from hand_pose_ros.inference.cuda_memory import TransferBuffer, device_memory, new_stream
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary

PROFILE = 0  # plans here have one optimisation profile
_SAME = 1e-3  # of normalised outputs: kernels may add in another order each time

log = logging.getLogger(__name__)


class PlanError(ModelError):
    """A plan that cannot be loaded here, or is not the model's: build it anew."""


class PlanRunner:
    """A loaded plan. Used and closed by the thread that made it.

    :param name: what the plan was built from, for errors
    :param cuda_graph: record CUDA graphs; without, and where recording fails, each run is put on the stream anew
    :ivar slots: inputs and outputs
    :ivar max_batch: most rows of one run
    :ivar uses_graphs: whether runs are launched as CUDA graphs
    :raises PlanError: the plan does not load on this GPU with this TensorRT, or its tensors are not what this class can run
    :raises CudaError: the GPU has too little memory left, or a CUDA call fails
    """

    def __init__(self, library: TensorRtLibrary, plan: bytes, device: CudaDevice, name: str, cuda_graph: bool = True) -> None:
        self._cuda, self._library, self._name = cuda_runtime(), library, name
        checked(self._cuda, "cudaSetDevice", device.index)
        library.logger.errors.clear()
        resources = ExitStack()
        # Also at the end of the process, while CUDA is still there.
        self._release = weakref.finalize(self, resources.close)
        try:
            self._load(plan, resources, cuda_graph)
            # Called first when they are given back, which at the end of a process is done by another thread.
            resources.callback(checked, self._cuda, "cudaSetDevice", device.index)
        except BaseException:
            self._release()
            raise

    def run(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run 1 to max_batch rows.

        :param inputs: by name, fitting `slots` (see `batch_problem`)
        :return: outputs by name, copies
        :raises ModelError: TensorRT refuses to run, or it was closed; CudaError: the GPU failed
        """
        if not self._release.alive:
            raise ModelError(f"{self._name}: its TensorRT plan was closed")
        rows = len(next(iter(inputs.values())))
        for name, array in inputs.items():
            self._buffers[name].host[:rows] = array
        self._batches[run_batch(rows, tuple(self._batches))].run()
        return {slot.name: self._buffers[slot.name].host[:rows].copy() for slot in self.slots if not slot.is_input}

    def close(self) -> None:
        """Give graphs, contexts, engine, memory and stream back, in this order. It cannot run afterwards; twice is fine."""
        self._release()

    def _load(self, plan: bytes, resources: ExitStack, cuda_graph: bool) -> None:
        cuda, library = self._cuda, self._library
        self._stream = stream = new_stream(cuda, resources)
        # The runtime must outlive its engine, the engine its contexts: one list, emptied from its end.
        runtime = library.module.Runtime(library.logger)
        owned: list[Any] = [runtime]
        resources.callback(_drop_from_the_end, owned)
        engine = runtime.deserialize_cuda_engine(plan)
        if engine is None:
            raise PlanError(
                f"the TensorRT plan of {self._name} does not load with {library.flavour} {library.version} on this GPU "
                f"({_last(library)}): build it anew"
            )
        owned.append(engine)
        self.slots, self.max_batch = self._read_slots(engine)
        self._buffers = {slot.name: TransferBuffer(cuda, slot, self.max_batch, resources) for slot in self.slots}
        size = engine.device_memory_size_v2
        scratch = (device_memory(cuda, size, resources), size) if size else None
        self._batches: dict[int, _BatchRun] = {}
        resources.callback(_close_batches, cuda, stream, self._batches)
        for batch in run_batches(self.max_batch):
            context = _context(library, engine)
            if context is None:
                raise self._refused("gives no execution context")
            self._batches[batch] = run = _BatchRun(self._name, cuda, stream, context, list(self._buffers.values()), batch)
            if not run.prepare(scratch):
                raise self._refused(f"does not take a batch of {batch}")
            cuda_graph = cuda_graph and self._record(run)
        self.uses_graphs = cuda_graph

    def _read_slots(self, engine: Any) -> tuple[tuple[Slot, ...], int]:
        trt = self._library.module
        slots, largest = [], []
        try:
            for i in range(engine.num_io_tensors):
                name = engine.get_tensor_name(i)
                is_input = engine.get_tensor_mode(name) == trt.TensorIOMode.INPUT
                slots.append(make_slot(name, is_input, engine.get_tensor_dtype(name).name, tuple(engine.get_tensor_shape(name))))
                if is_input:
                    _, _, most = engine.get_tensor_profile_shape(name, PROFILE)
                    largest.append(most[0])
        except ValueError as error:
            raise PlanError(f"the TensorRT plan of {self._name} cannot be run: {error}") from error
        if not largest:
            raise PlanError(f"the TensorRT plan of {self._name} has no inputs")
        return tuple(slots), min(largest)

    def _record(self, run: _BatchRun) -> bool:
        """Whether a graph was recorded that answers as the plain run does."""
        try:
            problem = run.record()
        except ModelError as error:  # CUDA's errors among them
            problem = str(error)
        if problem:
            run.close()
            log.warning("%s: runs without CUDA graphs, which costs some latency: %s", self._name, problem)
        return not problem

    def _refused(self, what: str) -> PlanError:
        library = self._library
        return PlanError(
            f"the TensorRT plan of {self._name}: {library.flavour} {library.version} {what} ({_last(library)}): build it anew, "
            "or set backend to onnxruntime"
        )


class _BatchRun:
    """One batch size: its context and, if recorded, its graph."""

    def __init__(self, name: str, cuda: Any, stream: Any, context: Any, buffers: list[TransferBuffer], batch: int) -> None:
        self._name, self._cuda, self._stream = name, cuda, stream
        self._context, self._buffers, self._batch = context, buffers, batch
        self._graph: CudaGraph | None = None

    def prepare(self, scratch: tuple[int, int] | None) -> bool:
        """Set memory, shapes and addresses, once and for all, and run twice to warm up; False if TensorRT refuses one."""
        context = self._context
        if scratch is not None:
            context.set_device_memory(*scratch)
        shaped = [context.set_input_shape(b.slot.name, (self._batch, *b.slot.row)) for b in self._buffers if b.slot.is_input]
        addressed = [context.set_tensor_address(b.slot.name, b.device) for b in self._buffers]
        if not all(shaped + addressed) or context.infer_shapes():
            return False
        if any(tuple(context.get_tensor_shape(b.slot.name)) != (self._batch, *b.slot.row) for b in self._buffers):
            return False
        for _ in range(2):
            self.run()
        return True

    def record(self) -> str:
        """Record the graph and compare its answer with the plain run's; what is wrong with it, "" if nothing."""
        capturable = getattr(self._context, "is_stream_capturable", None)  # TensorRT-RTX knows beforehand
        if capturable is not None and not capturable(int(self._stream)):
            return "TensorRT says that this model cannot be recorded"
        outputs = [buffer for buffer in self._buffers if not buffer.slot.is_input]
        self.run()
        plain = [buffer.host[: self._batch].copy() for buffer in outputs]
        self._graph = CudaGraph(self._cuda, self._stream, self._enqueue)
        for buffer in outputs:
            buffer.host[...] = 0
        self.run()
        if all(np.allclose(b.host[: self._batch], p, rtol=_SAME, atol=_SAME, equal_nan=True) for b, p in zip(outputs, plain)):
            return ""
        return f"the graph of a batch of {self._batch} gives another answer than the run that it was recorded from"

    def run(self) -> None:
        """Inputs from host memory, outputs back in it when this returns."""
        if self._graph is not None:
            self._graph.launch()
        else:
            self._enqueue()
        checked(self._cuda, "cudaStreamSynchronize", self._stream)

    def close(self) -> None:
        """Give the graph back."""
        if self._graph is not None:
            self._graph.close()
            self._graph = None

    def _enqueue(self) -> None:
        for buffer in self._buffers:
            if buffer.slot.is_input:
                buffer.enqueue_copy(self._batch, self._stream)
        if not self._context.execute_async_v3(int(self._stream)):
            raise ModelError(f"{self._name}: TensorRT refuses to run a batch of {self._batch}: set backend to onnxruntime")
        for buffer in self._buffers:
            if not buffer.slot.is_input:
                buffer.enqueue_copy(self._batch, self._stream)


def _context(library: TensorRtLibrary, engine: Any) -> Any:
    """An execution context that gets its scratch memory from us."""
    trt = library.module
    strategy = trt.ExecutionContextAllocationStrategy.USER_MANAGED
    if library.flavour == "tensorrt_rtx":
        return _context_rtx(trt, engine, strategy)
    return engine.create_execution_context(strategy)


def _context_rtx(trt: Any, engine: Any, strategy: Any) -> Any:
    runtime_config = engine.create_runtime_config()
    runtime_config.set_execution_context_allocation_strategy(strategy)
    # A graph must record the kernels that are meant for its batch, not those that fill in until these are compiled.
    runtime_config.dynamic_shapes_kernel_specialization_strategy = trt.DynamicShapesKernelSpecializationStrategy.EAGER
    return engine.create_execution_context(runtime_config)


def _last(library: TensorRtLibrary) -> str:
    return library.logger.errors[-1] if library.logger.errors else "it gives no reason"


def _drop_from_the_end(owned: list[Any]) -> None:
    while owned:
        owned.pop()


def _close_batches(cuda: Any, stream: Any, batches: dict[int, _BatchRun]) -> None:
    checked(cuda, "cudaStreamSynchronize", stream)
    for run in batches.values():
        run.close()
    batches.clear()
