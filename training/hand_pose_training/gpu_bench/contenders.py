"""What is compared: ways to run one network, all from arrays on the host to arrays on the host."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hand_pose_ros.inference.onnxruntime_engine import OnnxRuntimeEngine
from hand_pose_ros.inference.tensorrt_build import build_plan
from hand_pose_ros.inference.tensorrt_engine import TensorRtEngine
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary
from hand_pose_training.graph import ExportGraph

Arrays = dict[str, np.ndarray]
Infer = Callable[[Arrays], Arrays]


@dataclass(frozen=True)
class Network:
    """One network in one precision, as torch has it and as the file that was exported from it."""

    precision: str
    graph: ExportGraph
    file: Path


@dataclass(frozen=True)
class Contender:
    """One way to run it.

    :param load: makes it ready; returns what answers a batch, and what gives it back
    :param facts: what is to be reported beside the figures; `load` adds to it
    """

    name: str
    precision: str
    load: Callable[[], tuple[Infer, Callable[[], None]]]
    facts: dict[str, Any] = field(default_factory=dict)


def contenders(
    networks: list[Network], threads: int, library: TensorRtLibrary | None, device: int, max_batch: int
) -> Iterator[Contender]:
    """All of them; without `library`, those that need no GPU."""
    for network in networks:
        precision, on = network.precision, f"cuda:{device}"
        if library is None:
            if precision == "fp32":  # torch on a CPU takes no time for half precision that anybody would want
                yield Contender("torch eager, CPU", precision, lambda n=network: _torch(n.graph, "cpu"))
        else:
            yield Contender("torch eager", precision, lambda n=network, on=on: _torch(n.graph, on))
            yield Contender("torch.compile", precision, lambda n=network, on=on: _torch(n.graph, on, compiled=True))
        yield Contender("ONNX Runtime, CPU", precision, lambda n=network: _onnxruntime(n.file, threads))
        if library is not None:
            yield from _tensorrt(network, library, device, max_batch)


def reference(network: Network) -> Infer:
    """What all are compared with: torch on the CPU, in single precision."""
    return _torch(network.graph, "cpu")[0]


def _torch(graph: ExportGraph, device: str, compiled: bool = False) -> tuple[Infer, Callable[[], None]]:
    net = copy.deepcopy(graph).to(device)
    run = torch.compile(net, mode="reduce-overhead", dynamic=False) if compiled else net

    @torch.inference_mode()
    def infer(inputs: Arrays) -> Arrays:
        tensors = [torch.from_numpy(inputs[name]).to(device) for name in graph.net.input_names]
        return {name: values.cpu().numpy() for name, values in zip(graph.output_names, run(*tensors))}

    return infer, lambda: None


def _onnxruntime(file: Path, threads: int) -> tuple[Infer, Callable[[], None]]:
    engine = OnnxRuntimeEngine(file, threads)
    return engine.infer, engine.close


def _tensorrt(network: Network, library: TensorRtLibrary, device: int, max_batch: int) -> Iterator[Contender]:
    plan: list[bytes] = []

    def load(facts: dict[str, Any], cuda_graph: bool) -> tuple[Infer, Callable[[], None]]:
        if not plan:
            began = time.perf_counter()
            plan.append(build_plan(library, network.file, max_batch=max_batch, device=device))
            facts["build_s"] = round(time.perf_counter() - began, 2)
        began = time.perf_counter()
        engine = TensorRtEngine(network.file, plan[0], library, device=device, cuda_graph=cuda_graph)
        facts["load_s"] = round(time.perf_counter() - began, 2)
        facts["cuda_graph"] = engine.uses_cuda_graphs
        return engine.infer, engine.close

    for cuda_graph in (False, True):
        facts: dict[str, Any] = {}
        name = f"TensorRT, {'with' if cuda_graph else 'without'} CUDA graph"
        yield Contender(name, network.precision, lambda facts=facts, graph=cuda_graph: load(facts, graph), facts)
