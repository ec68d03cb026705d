"""A trained network with its calibration as one ONNX graph, and the proof that both give the same."""

from __future__ import annotations

import copy
import logging
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import nn

from hand_pose_ros.inference.model_card import METADATA_KEY, OPTIONAL_OUTPUTS, REQUIRED_OUTPUTS, ModelCard
from hand_pose_training.calibration import CalibratedOutputs, Calibration
from hand_pose_training.methods.method import Method

OPSET = 18  # TensorRT 10.3 takes it


class Tolerance(NamedTuple):
    """How far the two libraries may be apart.

    :param joints: normalised units, of which the cube's edge is 2 long
    :param others: of probabilities, and of a covariance as a share of its joint's trace
    :param share: of the values that must be that near
    """

    joints: float
    others: float
    share: float


# In half precision the libraries round differently, by 1e-3 of every value, which now and then tips a joint's votes; what that
# costs in millimetres on held-out crops is measured apart.
TOLERANCES = {"fp32": Tolerance(2e-4, 0.01, 1.0), "fp16": Tolerance(2e-2, 0.1, 0.99), "compact": Tolerance(5e-3, 0.05, 0.99)}
# Of a network whose decoding picks cells by their scores: two that are as good as equal are one way round in one library and the
# other way in the other, and their joint is elsewhere.
PICKED_SHARE = 0.99
COMPACT_FROM = 256  # numbers; smaller tensors stay as they are


class ExportError(ValueError):
    """A model that was not written; the text says why."""


class ExportGraph(nn.Module):
    """Inputs in the order of `Method.input_names` -> joints (N, J, 3), covariance (N, J, 6), confidence (N, J), and with a
    hand head presence (N,) and right_side (N,)."""

    def __init__(self, net: Method, calibration: Calibration) -> None:
        super().__init__()
        self.net, self.outputs = net, CalibratedOutputs(calibration)

    @property
    def output_names(self) -> tuple[str, ...]:
        """In the order of `forward`."""
        return REQUIRED_OUTPUTS + (OPTIONAL_OUTPUTS if self.net.tells_hand else ())

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        found = self.net.predict(dict(zip(self.net.input_names, inputs)))
        return (found.joints, *self.outputs(found))


def in_half(graph: ExportGraph) -> ExportGraph:
    """A copy whose `half_modules` compute in half precision, with casts where they meet the rest."""

    def cast(kind: torch.dtype, value: Any) -> Any:
        if isinstance(value, torch.Tensor):
            return value.to(kind) if value.is_floating_point() else value
        return type(value)(cast(kind, item) for item in value) if isinstance(value, (list, tuple)) else value

    graph = copy.deepcopy(graph)
    for module in graph.net.half_modules:
        module.half()
        module.register_forward_pre_hook(lambda _, inputs: cast(torch.float16, inputs))
        module.register_forward_hook(lambda _, inputs, outputs: cast(torch.float32, outputs))
    return graph


def to_onnx(graph: ExportGraph, inputs: dict[str, np.ndarray]) -> onnx.ModelProto:
    """The graph in ONNX with batch norms folded and a dynamic batch N.

    :param inputs: an example of a batch of at least two, by name
    """
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns of every package that it could use and does not need
    names, buffer = graph.net.input_names, BytesIO()
    program = torch.onnx.export(
        graph,
        tuple(torch.as_tensor(inputs[name][:2]) for name in names),
        input_names=list(names),
        output_names=list(graph.output_names),
        opset_version=OPSET,
        dynamo=True,
        dynamic_shapes={"inputs": tuple({0: torch.export.Dim("N")} for _ in names)},
        verbose=False,
    )
    program.save(buffer)
    model = onnx.load_from_string(buffer.getvalue())
    without_traces(model)
    onnx.checker.check_model(model, full_check=True)
    return model


def without_traces(model: onnx.ModelProto) -> None:
    """Takes out what torch notes beside every node: the lines of the code, with paths of the machine, that it was made from."""
    for part in (*model.graph.node, *model.graph.value_info, *model.graph.initializer, *model.graph.input, *model.graph.output):
        del part.metadata_props[:]
        part.doc_string = ""
    del model.graph.metadata_props[:]


def compact(model: onnx.ModelProto) -> None:
    """Stores the weights in half precision, for half the size of the file; inference engines widen them once, when they load it,
    and compute in float32."""
    large = [t for t in model.graph.initializer if t.data_type == onnx.TensorProto.FLOAT and np.prod(t.dims) >= COMPACT_FROM]
    for tensor in large:
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{tensor.name}_half")
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(half)
        model.graph.node.insert(0, onnx.helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT))


def check_parity(model: onnx.ModelProto, graph: ExportGraph, inputs: dict[str, np.ndarray], precision: str = "fp32") -> None:
    """Runs real crops through both, in two batch sizes.

    :raises ExportError: an output differs by more than `TOLERANCES[precision]`, or is not finite
    """
    allowed = TOLERANCES[precision]
    share = min(allowed.share, PICKED_SHARE) if graph.net.picks_cells else allowed.share
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    with torch.no_grad():
        tensors = (torch.as_tensor(inputs[name]) for name in graph.net.input_names)
        expected = dict(zip(graph.output_names, (t.numpy() for t in graph(*tensors))))
    scale = {"covariance": expected["covariance"][..., [0, 3, 5]].sum(-1, keepdims=True)}
    crops = len(expected["joints"])
    for batch in (crops, 1):
        chunks = ({name: values[i : i + batch] for name, values in inputs.items()} for i in range(0, crops, batch))
        parts = [session.run(list(expected), chunk) for chunk in chunks]
        for name, values in zip(expected, zip(*parts)):
            differences = np.abs(np.concatenate(values) - expected[name]) / scale.get(name, 1.0)
            difference = np.quantile(differences, share)
            tolerance = allowed.joints if name == "joints" else allowed.others
            if not difference <= tolerance:
                raise ExportError(
                    f"the exported graph's {name} differ from torch by {difference:.2g}, more than {tolerance:.2g}, "
                    f"on {crops} held-out crops in batches of {batch}: nothing was written"
                )


def write(model: onnx.ModelProto, card: ModelCard, path: Path) -> None:
    """The model with its card as `metadata_props["hand_pose"]`."""
    del model.metadata_props[:]
    model.metadata_props.add(key=METADATA_KEY, value=card.to_json())
    onnx.save(model, path)
