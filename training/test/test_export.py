"""Export: one file that is the whole model, or none."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.model_file import read_model_file
from hand_pose_training import export
from hand_pose_training.cli import main
from hand_pose_training.data import fixed_set
from hand_pose_training.evaluate import evaluate
from hand_pose_training.export import Form, calibrated
from hand_pose_training.graph import ExportError, ExportGraph, check_parity, compact, in_half, to_onnx, write
from hand_pose_training.task import load_task


@pytest.fixture(scope="module")
def graph(small_checkpoint) -> ExportGraph:
    net = load_task(small_checkpoint).exported_net
    return ExportGraph(net, calibrated(net, "right", fixed_set("calibration", 48, crops=60))).eval()


@pytest.fixture(scope="module")
def crops() -> dict[str, np.ndarray]:
    return {"depth_crop": fixed_set("heldout", 48, crops=12)["depth_crop"]}


@pytest.fixture(scope="module")
def model(graph: ExportGraph, crops: dict[str, np.ndarray]) -> onnx.ModelProto:
    return to_onnx(graph, crops)


def test_the_graph_agrees_with_torch(model: onnx.ModelProto, graph: ExportGraph, crops: dict[str, np.ndarray]):
    check_parity(model, graph, crops)


def test_no_path_of_this_machine_is_in_the_file(model: onnx.ModelProto):
    assert str(Path(export.__file__).parents[1]).encode() not in model.SerializeToString()


def test_batch_norms_are_folded(model: onnx.ModelProto):
    assert "BatchNormalization" not in {node.op_type for node in model.graph.node}
    assert [i.type.tensor_type.shape.dim[0].dim_param for i in model.graph.input] == ["N"]


@pytest.mark.parametrize("factor", [1.01, float("nan")])
def test_a_graph_that_differs_is_refused(model: onnx.ModelProto, graph: ExportGraph, crops: dict[str, np.ndarray], factor: float):
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    head = max((w for w in changed.graph.initializer if w.dims[:1] == [84]), key=lambda w: len(w.dims))
    head.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(head) * np.float32(factor), head.name))
    with pytest.raises(ExportError, match="joints differ from torch by .*nothing was written"):
        check_parity(changed, graph, crops)


def test_half_precision_is_in_the_network_alone(graph: ExportGraph, crops: dict[str, np.ndarray]):
    half = in_half(graph)
    model = to_onnx(half, crops)
    check_parity(model, half, crops, "fp16")
    kinds = {value.name: value.type.tensor_type.elem_type for value in model.graph.value_info}
    by_op = {}
    for node in model.graph.node:
        by_op.setdefault(node.op_type, []).append(kinds.get(node.output[0]))
    full, halves = onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16
    assert by_op["Conv"].count(halves) == len(by_op["Conv"]) - 1  # the hand head's is the one in float32
    assert set(by_op["Softmax"]) == {full}
    assert {o.type.tensor_type.elem_type for o in model.graph.output} == {full}


def test_compact_weights_halve_the_file_and_hardly_change_the_answers(
    model: onnx.ModelProto, graph: ExportGraph, crops: dict[str, np.ndarray], tmp_path: Path
):
    small = onnx.ModelProto()
    small.CopyFrom(model)
    compact(small)
    onnx.checker.check_model(small, full_check=True)
    check_parity(small, graph, crops, "compact")
    weights = sum(len(t.raw_data) for t in model.graph.initializer if np.prod(t.dims) >= 256)
    assert weights > 100_000 and small.ByteSize() < model.ByteSize() - 0.45 * weights
    assert {value.type.tensor_type.elem_type for value in small.graph.output} == {onnx.TensorProto.FLOAT}


def test_a_name_and_compact_weights_are_on_the_page(small_checkpoint: Path, tmp_path: Path, few_crops, capsys):
    out = tmp_path / "fast.onnx"
    command = ["export", str(small_checkpoint), "--out", str(out), "--name", "fast", "--compact", "--stacks"]
    assert main([*command, "1"]) == 0
    assert read_model_file(out).card.name == "fast"
    page = out.with_suffix(".md").read_text()
    assert "runs/small/final.ckpt --out models/fast.onnx --name fast --compact --stacks 1\n" in page
    assert main([*command, "2"]) == 2 and "--stacks 2: 2 stacks to keep of a backbone with 1" in capsys.readouterr().err
    assert main([*command, "1", "--precision", "fp16"]) == 2 and "compact is for fp32 models" in capsys.readouterr().err


def test_an_empty_crop_gives_finite_outputs(graph: ExportGraph):
    with torch.no_grad():
        assert all(values.isfinite().all() for values in graph(torch.ones(1, 1, 48, 48)))


def test_half_precision_is_measured_and_refused_where_it_costs_too_much(small_checkpoint, tmp_path, few_crops, monkeypatch):
    out, really, made = tmp_path / "small_fp16.onnx", export.to_onnx, []
    monkeypatch.setattr(export, "to_onnx", lambda *arguments: made.append(really(*arguments)) or made[-1])
    card = export.export(small_checkpoint, out, form=Form("fp16"))
    figures = read_model_file(out).card.errors
    assert card.precision == read_model_file(out).card.precision == "fp16"
    assert abs(figures["mean_error_mm"] - figures["fp32_mean_error_mm"]) <= 0.2
    page = out.with_suffix(".md").read_text()
    assert f"| mean error in fp32 | {figures['fp32_mean_error_mm']} mm |" in page
    assert "--out models/small_fp16.onnx --precision fp16\n" in page
    monkeypatch.setattr(export, "HALF_LOSS_MM", -100.0)  # as if nothing were good enough
    again = iter(made)  # the same two graphs, which take seconds to make
    monkeypatch.setattr(export, "to_onnx", lambda *arguments: next(again))
    with pytest.raises(ExportError, match="half precision costs .* mm on held-out crops: nothing was written, use fp32"):
        export.export(small_checkpoint, tmp_path / "other_fp16.onnx", form=Form("fp16"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["small_fp16.md", "small_fp16.onnx"]


def test_export_writes_a_model_that_the_runtime_loads(small_checkpoint: Path, tmp_path: Path, capsys, few_crops):
    out = tmp_path / "models" / "small.onnx"
    assert main(["export", str(small_checkpoint), "--out", str(out), "--note", "Four steps."]) == 0
    engine = load_engine(out)
    assert engine.card.side == "right"
    assert engine.card.outputs == ("joints", "covariance", "confidence", "presence", "right_side")
    assert engine.card.errors["mean_error_mm"] > 0
    found = engine.infer({"depth_crop": np.ones((3, 1, 48, 48), np.float32)})
    assert found["joints"].shape == (3, 21, 3) and found["presence"].shape == (3,)
    page = out.with_suffix(".md").read_text()
    assert "32 crops, synthetic, seed 1. Four steps." in page and "mean error" in page and "## Limits" in page
    assert "- quota of sensor: structured light (8), stereo (8), time of flight (8)\n" in page and "--center displaced" in page
    assert sorted(path.name for path in out.parent.iterdir()) == ["small.md", "small.onnx"]

    figures = tmp_path / "figures.json"
    few = ["--crops", "10", "--center", "displaced"]
    assert main(["evaluate", "--model", str(out), "--set", "heldout", *few, "--json", str(figures)]) == 0
    written = json.loads(figures.read_text())
    assert written["crops"] == 10
    assert written["slices"]["right_hand"]["crops"] + written["slices"]["left_hand"]["crops"] == 10
    assert f"{written['mean_error_mm']:.2f} mm" in capsys.readouterr().out


def test_checkpoint_and_model_have_the_same_errors_where_the_side_is_told(small_checkpoint: Path, graph, model, tmp_path: Path):
    from hand_pose_ros.inference.model_card import ModelCard

    path = tmp_path / "m.onnx"
    card = ModelCard("m", "awr", "depth_crop", 48, 0.25, "hand21", outputs=graph.output_names, side="right")
    write(model, card, path)
    torch_figures, onnx_figures = (evaluate(file, "heldout", 20)["given_side"] for file in (small_checkpoint, path))
    assert torch_figures["mean_error_mm"] == pytest.approx(onnx_figures["mean_error_mm"], abs=0.02)


def test_what_weights_depend_on_cannot_be_changed_at_export(small_checkpoint: Path, tmp_path: Path, capsys):
    wide = "--model.backbone.channels=64"
    assert main(["export", str(small_checkpoint), "--out", str(tmp_path / "a.onnx"), wide]) == 2
    assert f"{wide} needs other weights" in capsys.readouterr().err


def test_a_missing_checkpoint_is_named(tmp_path: Path, capsys):
    assert main(["export", str(tmp_path / "none.ckpt"), "--out", str(tmp_path / "m.onnx")]) == 2
    assert "none.ckpt: no such file" in capsys.readouterr().err
    assert not (tmp_path / "m.onnx").exists()
