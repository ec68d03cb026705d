"""Loading models: a good one answers as computed by hand, a bad one is refused with a remedy."""

import logging
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from plan_builds import without_gpu
from tiny_model import OFFSETS, tiny_card, write_tiny_model

from hand_pose_ros import inference
from hand_pose_ros.inference.engine import EngineSettings, load_engine
from hand_pose_ros.inference.model_card import ModelError


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    return load_engine(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx"))


def test_card_and_shapes(engine):
    assert engine.card == tiny_card()
    assert engine.backend == "onnxruntime"
    assert engine.input_shapes == {"depth_crop": "(N, 1, 96, 96)"}
    assert engine.output_shapes == {"joints": "(N, 21, 3)", "covariance": "(N, 21, 6)", "confidence": "(N, 21)"}


def test_answers(engine):
    crops = np.ones((3, 1, 96, 96), np.float32)
    crops[1, 0, 48:72, 72:96] = 0.25  # a square centred in the window's right half, below the middle
    crops[2, 0, :, :] = -0.5
    out = engine.infer({"depth_crop": crops})
    assert {k: (v.shape, v.dtype) for k, v in out.items()} == {
        "joints": ((3, 21, 3), np.float32),
        "covariance": ((3, 21, 6), np.float32),
        "confidence": ((3, 21), np.float32),
    }
    np.testing.assert_allclose(out["joints"][1], np.add(OFFSETS, [0.75, 0.25, 0.25]), atol=1e-6)
    np.testing.assert_allclose(out["joints"][2], np.add(OFFSETS, [0, 0, -0.5]), atol=1e-4)
    np.testing.assert_allclose(out["confidence"], [[0.0] * 21, [0.9] * 21, [0.9] * 21], atol=1e-6)
    # The variance of a uniform square of width w is w^2 / 12 (w = 0.5 here, less a cell's own width 1/48).
    np.testing.assert_allclose(out["covariance"][1, 0, [0, 3]], (0.5**2 - (1 / 48) ** 2) / 12, rtol=1e-3)


def test_refused_batch_is_a_model_error(engine):
    with pytest.raises(ModelError, match="refused the batch"):
        engine.infer({"depth_crop": np.ones((1, 1, 64, 64), np.float32)})


def test_missing(tmp_path):
    with pytest.raises(ModelError, match="nothing.onnx does not exist: name an .onnx file"):
        load_engine(tmp_path / "nothing.onnx")
    with pytest.raises(ModelError, match="is a folder"):
        load_engine(tmp_path)


def test_without_onnx_runtime(tmp_path, monkeypatch):
    monkeypatch.delitem(sys.modules, "hand_pose_ros.inference.onnxruntime_engine", raising=False)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not there
    with pytest.raises(ModelError, match="ONNX Runtime cannot be imported .*: pip install 'onnxruntime>="):
        load_engine(write_tiny_model(tmp_path / "tiny.onnx"))


def test_corrupt(tmp_path):
    whole = write_tiny_model(tmp_path / "tiny.onnx").read_bytes()
    for content in (b"", b"not a model", whole[: len(whole) // 2]):
        (tmp_path / "cut.onnx").write_bytes(content)
        with pytest.raises(ModelError, match="(?s)cut.onnx.*(is no ONNX model.*copy it again|has no model card)"):
            load_engine(tmp_path / "cut.onnx")


def test_without_card(tmp_path):
    with pytest.raises(ModelError, match="bare.onnx has no model card .*hand-pose-train export"):
        load_engine(write_tiny_model(tmp_path / "bare.onnx", card=None))


@pytest.mark.parametrize(
    "options, said",
    [
        ({"card": tiny_card(size=64).to_json()}, r"input depth_crop is \(N, 1, 96, 96\), its card says \(N, 1, 64, 64\)"),
        ({"drop_output": "covariance"}, "has no output covariance, only joints, confidence"),
        ({"card": tiny_card(outputs=("joints", "covariance", "confidence", "presence")).to_json()}, "has no output presence"),
    ],
)
def test_disagreeing_with_its_card(tmp_path, options, said):
    with pytest.raises(ModelError, match=f"wrong.onnx disagrees with its model card: .*{said}.*export the model again"):
        load_engine(write_tiny_model(tmp_path / "wrong.onnx", **options))


def test_graphs_with_wrong_shapes_are_refused(tmp_path):
    model = onnx.load(write_tiny_model(tmp_path / "tiny.onnx"))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(model, tmp_path / "fixed.onnx")
    with pytest.raises(ModelError, match="fixed batch of 1"):
        load_engine(tmp_path / "fixed.onnx")

    model = onnx.load(tmp_path / "tiny.onnx")
    model.graph.input[0].name = "image"
    model.graph.node[0].input[0] = "image"
    onnx.save(model, tmp_path / "renamed.onnx")
    with pytest.raises(ModelError, match="its inputs are image, its card says depth_crop"):
        load_engine(tmp_path / "renamed.onnx")

    model = onnx.load(tmp_path / "tiny.onnx")  # 20 joints where its skeleton has 21
    for node in model.graph.node:
        if node.output[0] == "confidence":
            node.output[0] = "all21"
    first20 = helper.make_node("Gather", ["all21", "first20"], ["confidence"], axis=1)
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.arange(20), "first20"))
    model.graph.node.append(first20)
    model.graph.output[2].type.tensor_type.shape.dim[1].dim_value = 20
    onnx.save(model, tmp_path / "short.onnx")
    with pytest.raises(ModelError, match=r"output confidence of a batch of 2 is \(2, 20\), its card says \(2, 21\)"):
        load_engine(tmp_path / "short.onnx")


def test_back_ends(tmp_path, caplog):
    path = write_tiny_model(tmp_path / "tiny.onnx")
    with caplog.at_level(logging.INFO, "hand_pose_ros"):
        assert load_engine(path, "onnxruntime", threads=2).backend == "onnxruntime"
    assert "runs on onnxruntime, 2 CPU thread(s) (as asked)" in caplog.text
    with pytest.raises(ModelError, match="'cuda' is none of auto, onnxruntime, tensorrt"):
        load_engine(path, "cuda")
    with pytest.raises(ModelError, match="precision 'int4' is none of auto, fp32, fp16"):
        load_engine(path, settings=EngineSettings(precision="int4"))
    with pytest.raises(ModelError, match="threads 0"):
        load_engine(path, threads=0)


def test_the_package_s_text_names_its_files():
    files = {file.stem for file in Path(inference.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == set(re.findall(r"`(\w+)`", inference.__doc__)) - {"load_engine"}


@without_gpu
@pytest.mark.parametrize(
    ("block", "said"), [("cuda.bindings", "needs cuda-bindings"), ("", "needs (an NVIDIA GPU|cuda-bindings)")]
)
def test_without_tensorrt_auto_says_why_and_asking_for_it_is_an_error(tmp_path, caplog, monkeypatch, block, said):
    path = write_tiny_model(tmp_path / "tiny.onnx")
    if block:
        monkeypatch.setitem(sys.modules, block, None)  # as if it were not there
    with caplog.at_level(logging.INFO, "hand_pose_ros"):
        assert load_engine(path, "auto").backend == "onnxruntime"
    assert re.search(rf"runs on onnxruntime, 1 CPU thread\(s\) \(backend auto: backend tensorrt {said}", caplog.text)
    with pytest.raises(ModelError, match=f"backend tensorrt {said}.*onnxruntime"):
        load_engine(path, "tensorrt")


def test_precision_is_the_choice_of_a_file(tmp_path):
    path = write_tiny_model(tmp_path / "tiny.onnx")
    half = write_tiny_model(tmp_path / "tiny_fp16.onnx", card=tiny_card(precision="fp16").to_json())
    assert load_engine(path).path == path
    assert load_engine(path, settings=EngineSettings(precision="fp16")).path == half
    assert load_engine(half, settings=EngineSettings(precision="fp32")).path == path
