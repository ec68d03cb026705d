"""`hand-pose model info`: the card as text and as JSON; bad files are said and the others still shown."""

import argparse
import json

import pytest
from tiny_model import write_tiny_model

from hand_pose_ros.inference import info


def run(*words) -> int:
    parser = argparse.ArgumentParser()
    info.add_arguments(parser)
    return info.run(parser.parse_args([str(w) for w in words]))


@pytest.fixture
def model(tmp_path):
    return write_tiny_model(tmp_path / "tiny.onnx")


def test_text(model, capsys):
    assert run(model) == 0
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert ["name", "tiny"] in lines
    assert ["depth_crop", "(N, 1, 96, 96)"] in lines
    assert ["mean_error_mm", "30.0"] in lines


def test_json_of_several_with_a_bad_one(model, tmp_path, capsys):
    missing = tmp_path / "missing.onnx"
    assert run(model, missing, "--json") == 1
    captured = capsys.readouterr()
    cards = json.loads(captured.out)
    assert list(cards) == [str(model)]
    assert cards[str(model)]["cube_m"] == 0.25
    assert cards[str(model)]["joint_names"][0] == "wrist"
    assert f"error: model {missing} does not exist" in captured.err
