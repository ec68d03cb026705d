"""`hand-pose-train compare` on a small recipe of its own folder."""

import json
import re

import pytest
from small_methods import HOURGLASS

from hand_pose_training import compare
from hand_pose_training.cli import main

RECIPE = f"""# A small one
name: tiny
method: awr
skeleton: nyu14
model: {{backbone: {{channels: {HOURGLASS.channels}, depth: 2, increase: 0, stem_channels: 8}}}}
data: {{source: nyu, size: 48}}
loop: {{processes: 1, bf16: false}}
"""


@pytest.fixture
def configs(tmp_path, monkeypatch):
    (tmp_path / "configs/awr").mkdir(parents=True)
    (tmp_path / "configs/awr/tiny.yaml").write_text(RECIPE)
    monkeypatch.setattr(compare, "CONFIGS", tmp_path / "configs")
    monkeypatch.setattr(compare, "CALIBRATION_CROPS", 40)
    monkeypatch.setattr(compare, "HELD_OUT_CROPS", 10)
    monkeypatch.setattr(compare, "RUNS", 3)
    return tmp_path


def test_a_recipe_is_trained_measured_timed_and_built(configs, capsys):
    assert main(["compare", "awr/tiny", "--samples", "64", "--out", str(configs / "out")]) == 0
    table = capsys.readouterr().out
    row = json.loads((configs / "out/awr/tiny/row.json").read_text())
    assert row["mean_error_mm"] > 0 and row["onnxruntime_ms"] > 0 and row["exports"] == "yes"
    assert f"| awr/tiny | {row['params_m']} |" in table
    (mean_pose_mm,) = re.findall(r"the mean pose, said of every held-out hand, is ([\d.]+) mm off", table)
    assert 35 < float(mean_pose_mm) < 65
    assert main(["compare", "awr/tiny", "--samples", "64", "--out", str(configs / "out")]) == 0  # nothing is done again
    assert capsys.readouterr().out == table


def test_a_recipe_may_be_changed(configs, capsys):
    out = configs / "out"
    assert main(["compare", "awr/tiny", "awr/tiny model.backbone.channels=24", "--samples", "0", "--out", str(out)]) == 0
    plain, wide = (json.loads((out / f"awr/{name}/row.json").read_text()) for name in ("tiny", "tiny_backbone.channels=24"))
    assert wide["params_m"] > 1.5 * plain["params_m"] and "mean_error_mm" not in wide
    assert "| awr/tiny backbone.channels=24 |" in capsys.readouterr().out


def test_an_unknown_recipe_is_named(configs, capsys):
    assert main(["compare", "awr/huge", "--out", str(configs / "out")]) == 2
    assert "no recipe awr/huge" in capsys.readouterr().err
