"""Card, inputs and outputs read from the file's bytes agree with what the onnx package reads."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from tiny_model import tiny_card, write_tiny_model

from hand_pose_ros.inference.model_card import METADATA_KEY, ModelCard, ModelError
from hand_pose_ros.inference.model_file import TensorSpec, read_model_file
from hand_pose_ros.share import find


def specs(values) -> tuple[TensorSpec, ...]:
    """What the onnx package says of inputs or outputs."""

    def one(value) -> TensorSpec:
        tensor = value.type.tensor_type
        dims = (d.dim_value if d.HasField("dim_value") else d.dim_param or "?" for d in tensor.shape.dim)
        return TensorSpec(value.name, np.dtype(helper.tensor_dtype_to_np_dtype(tensor.elem_type)).name, tuple(dims))

    return tuple(one(value) for value in values)


def test_shipped_models():
    files = sorted(find("models").glob("*.onnx"))
    assert files
    for file in files:
        model, found = onnx.load(file), read_model_file(file)
        assert found.inputs == specs(model.graph.input)
        assert found.outputs == specs(model.graph.output)
        assert ModelCard.from_json({p.key: p.value for p in model.metadata_props}[METADATA_KEY]) == found.card


def test_a_file_of_every_kind_of_field(tmp_path):
    """Weights listed among the inputs, as old files have them; several metadata; types, a shape without names, a scalar."""
    weights = numpy_helper.from_array(np.arange(300, dtype=np.float32), "weights")
    inputs = [
        helper.make_tensor_value_info("points", TensorProto.FLOAT16, ["batch", 1024, 3]),
        helper.make_tensor_value_info("group", TensorProto.INT64, [None, 300]),
        helper.make_tensor_value_info("weights", TensorProto.FLOAT, [300]),
        helper.make_tensor_value_info("scale", TensorProto.FLOAT, []),
    ]
    outputs = [helper.make_tensor_value_info("joints", TensorProto.FLOAT, ["batch", 21, 3])]
    node = helper.make_node("Identity", ["points"], ["joints"], alpha=0.5, beta=-3, text="é" * 200)
    graph = helper.make_graph([node], "g", inputs, outputs, [weights], doc_string="a graph")
    model = helper.make_model(graph, producer_name="a test", opset_imports=[helper.make_opsetid("", 18)])
    helper.set_model_props(model, {"other": "é", METADATA_KEY: tiny_card().to_json()})
    (tmp_path / "m.onnx").write_bytes(model.SerializeToString())
    found = read_model_file(tmp_path / "m.onnx")
    assert found.inputs == specs([inputs[0], inputs[1], inputs[3]])
    assert found.inputs[1] == TensorSpec("group", "int64", ("?", 300))
    assert found.outputs == specs(outputs)
    assert found.card == tiny_card()
    assert [i.shape_text for i in found.inputs] == ["(batch, 1024, 3)", "(?, 300)", "()"]


def test_every_cut_of_a_file_is_refused_or_read(tmp_path):
    """However a copy was cut short: a ModelError, never another error, and never a wrong card."""
    whole = write_tiny_model(tmp_path / "tiny.onnx").read_bytes()
    refused = 0
    for end in range(0, len(whole), 997):
        (tmp_path / "cut.onnx").write_bytes(whole[:end])
        try:
            assert read_model_file(tmp_path / "cut.onnx").card == tiny_card()
        except ModelError as error:
            refused += 1
            assert "cut.onnx" in str(error)
    assert refused > 50


@pytest.mark.parametrize("content", [b"not a model at all", bytes(40), b"\xff" * 40, b"\x0a\x03abc", b"\x38\x07"])
def test_what_is_no_model(tmp_path, content):
    (tmp_path / "no.onnx").write_bytes(content)
    with pytest.raises(ModelError, match="no.onnx is no ONNX model .*copy it again"):
        read_model_file(tmp_path / "no.onnx")


def test_missing_and_without_card(tmp_path):
    with pytest.raises(ModelError, match="gone.onnx cannot be read .*name an .onnx file"):
        read_model_file(tmp_path / "gone.onnx")
    with pytest.raises(ModelError, match="bare.onnx has no model card .*hand-pose-train export"):
        read_model_file(write_tiny_model(tmp_path / "bare.onnx", card=None))
