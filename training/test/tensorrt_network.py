"""The layers of a parsed TensorRT network as plain data, and what can be asked of them without a GPU."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from hand_pose_ros.inference.tensorrt_build import batch_profile, parse_network
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary

# What loses its meaning in half precision: sums over hundreds of cells, exponentials, logarithms, sorting by value.
FULL_ONLY = ("SOFTMAX", "RAGGED_SOFTMAX", "TOPK", "GRID_SAMPLE", "CUMULATIVE")
FULL_ONLY_UNARY = ("EXP", "LOG", "SQRT", "RECIP", "SIN", "COS", "ATAN", "ASIN", "ACOS")


@dataclass(frozen=True)
class Tensor:
    """One end of a layer; `dtype` by TensorRT's name, for example "HALF"."""

    name: str
    dtype: str


@dataclass(frozen=True)
class Layer:
    """One layer: `kind` by TensorRT's name, with the operation behind a dot where it has one ("UNARY.EXP")."""

    name: str
    kind: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


@dataclass(frozen=True)
class Parsed:
    """A network and its profile.

    :param inputs, outputs: name -> (dtype, shape with -1 for the batch)
    :param profile: input name -> shapes at least, best, at most
    """

    layers: tuple[Layer, ...]
    inputs: dict[str, tuple[str, tuple[int, ...]]]
    outputs: dict[str, tuple[str, tuple[int, ...]]]
    profile: dict[str, tuple[tuple[int, ...], ...]]


def parsed(library: TensorRtLibrary, path: Path, opt_batch: int = 1, max_batch: int = 8) -> Parsed:
    """What `build_plan` hands to the builder."""
    builder = library.module.Builder(library.logger)
    network = parse_network(library, builder, path)
    profile = batch_profile(builder, network, path, opt_batch, max_batch)
    layers = tuple(_layer(library.module, network.get_layer(i)) for i in range(network.num_layers))
    inputs = [network.get_input(i) for i in range(network.num_inputs)]
    outputs = [network.get_output(i) for i in range(network.num_outputs)]
    return Parsed(
        layers,
        {t.name: (t.dtype.name, tuple(t.shape)) for t in inputs},
        {t.name: (t.dtype.name, tuple(t.shape)) for t in outputs},
        {t.name: tuple(tuple(shape) for shape in profile.get_shape(t.name)) for t in inputs},
    )


def _layer(trt, layer) -> Layer:
    kind = layer.type.name
    typed = {"UNARY": trt.IUnaryLayer, "REDUCE": trt.IReduceLayer, "ELEMENTWISE": trt.IElementWiseLayer}.get(kind)
    name = layer.name
    inputs = tuple(Tensor(t.name, t.dtype.name) for i in range(layer.num_inputs) if (t := layer.get_input(i)) is not None)
    outputs = tuple(Tensor(t.name, t.dtype.name) for t in map(layer.get_output, range(layer.num_outputs)))
    if typed is not None:
        layer.__class__ = typed
        kind = f"{kind}.{layer.op.name}"
    return Layer(name, kind, inputs, outputs)


def wrongly_half(layers: Iterable[Layer]) -> list[str]:
    """Layers that compute in half precision what must be computed in single."""
    return [
        f"{layer.name} ({layer.kind})"
        for layer in layers
        if any(t.dtype == "HALF" for t in layer.outputs)
        and (
            layer.kind in FULL_ONLY
            or layer.kind in [f"UNARY.{op}" for op in FULL_ONLY_UNARY]
            or layer.kind in ("REDUCE.SUM", "REDUCE.PROD")
        )
    ]


def reaches_in_full(layers: Iterable[Layer], start: str, end: str) -> bool:
    """Whether `end` depends on `start` by a way on which nothing is ever in half precision."""
    makers = {t.name: layer for layer in layers for t in layer.outputs}
    seen, waiting = set(), [end]
    while waiting:
        name = waiting.pop()
        if name == start:
            return True
        if name in seen or name not in makers:
            continue
        seen.add(name)
        maker = makers[name]
        if all(t.dtype != "HALF" for t in (*maker.inputs, *maker.outputs)):
            waiting += [t.name for t in maker.inputs]
    return False
