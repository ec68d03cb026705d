"""Models on TensorRT: a plan that was built from the model file on this machine runs on its GPU."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

import numpy as np

from hand_pose_ros.inference.batches import batch_problem, parts
from hand_pose_ros.inference.cuda_device import find_device
from hand_pose_ros.inference.engine import Engine
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.model_checks import check_model
from hand_pose_ros.inference.model_file import read_model_file
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary
from hand_pose_ros.inference.tensorrt_runner import PlanError, PlanRunner

log = logging.getLogger(__name__)


class TensorRtEngine(Engine):
    """A model in a TensorRT plan. One thread, the one that makes it, uses and closes it.

    :param path: the model file, whose card says what the plan's outputs are
    :param plan: what `build_plan` made of it, by this machine's TensorRT; nobody else's, since a plan is code
    :param device: number of the GPU
    :param cuda_graph: launch recorded runs; False: put each run on the stream anew
    :raises PlanError: the plan does not load here or is not this model's: build it anew
    :raises ModelError: no GPU, no usable model file, or a graph that disagrees with its card
    """

    backend = "tensorrt"

    def __init__(self, path: Path, plan: bytes, library: TensorRtLibrary, device: int = 0, cuda_graph: bool = True) -> None:
        self.path, self._thread = Path(path), threading.get_ident()
        file = read_model_file(self.path)
        self.card = file.card
        self.input_shapes = {i.name: i.shape_text for i in file.inputs}
        self.output_shapes = {o.name: o.shape_text for o in file.outputs}
        gpu = find_device(device)
        began = time.perf_counter()
        self._runner = PlanRunner(library, plan, gpu, f"model {self.path}", cuda_graph)
        try:
            self._check_names({t.name for t in (*file.inputs, *file.outputs)})
            check_model(self.path, self.card, file.inputs, file.outputs, self.infer)
        except BaseException:
            self.close()
            raise
        log.info(
            "TensorRT plan of %s loaded on %s in %.1f s: %s %s, %s, batches up to %d, %s CUDA graphs",
            *(self.path, gpu.name, time.perf_counter() - began, library.flavour, library.version, self.card.precision),
            *(self._runner.max_batch, "with" if self._runner.uses_graphs else "without"),
        )

    @property
    def uses_cuda_graphs(self) -> bool:
        """Whether runs are launched as CUDA graphs."""
        return self._runner.uses_graphs

    def infer(self, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """See `Engine.infer`. More crops than the plan takes at once run one part after the other."""
        if threading.get_ident() != self._thread:
            raise ModelError(f"model {self.path}: its TensorRT engine belongs to another thread: use it where it was loaded")
        problem = batch_problem(self._runner.slots, inputs)
        if problem:
            raise ModelError(f"model {self.path}: TensorRT refused the batch: {problem}")
        count = len(next(iter(inputs.values())))
        found = [self._runner.run({n: a[part] for n, a in inputs.items()}) for part in parts(count, self._runner.max_batch)]
        answer = {name: np.concatenate([part[name] for part in found]) for name in self.card.outputs}
        self._check_finite(answer)
        return answer

    def close(self) -> None:
        """Give everything on the GPU back; the engine cannot be used afterwards."""
        self._runner.close()

    def _check_names(self, expected: set[str]) -> None:
        names = {slot.name for slot in self._runner.slots}
        if names != expected:
            others = ", ".join(sorted(names))
            raise PlanError(f"the TensorRT plan of model {self.path} is another model's (its tensors: {others}): build it anew")

    def _check_finite(self, answer: dict[str, np.ndarray]) -> None:
        wrong = [name for name, array in answer.items() if not np.isfinite(array).all()]
        if not wrong:
            return
        precision = self.card.precision
        raise ModelError(
            f"model {self.path}: TensorRT in {precision} gives {', '.join(wrong)} that are not finite: "
            + ("use its fp32 file" if precision != "fp32" else "set backend to onnxruntime")
        )
