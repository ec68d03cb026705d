"""Two data-parallel processes, started by the command itself."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from hand_pose_training.fit import process_count
from hand_pose_training.recipe import LoopSettings, RecipeError

RECIPE = """
name: small
method: awr
model: {backbone: {channels: 16, depth: 2, increase: 0, stem_channels: 8}}
data: {size: 48}
budget: {samples: 32}
loop: {batch_size: 8, processes: 2, bf16: true}
"""


def test_two_processes_share_the_samples(tmp_path: Path):
    recipe, out = tmp_path / "small.yaml", tmp_path / "run"
    recipe.write_text(RECIPE)
    command = [sys.executable, "-m", "hand_pose_training", "fit", "--config", str(recipe), "--out", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    state = torch.load(out / "final.ckpt", weights_only=False)
    assert state["run"]["samples_seen"] == 32
    assert state["global_step"] == 4
    assert not list(out.glob(".*.half"))


@pytest.mark.parametrize(
    ("batch", "nodes", "available", "processes"),
    [(32, 1, 16, 8), (32, 1, 6, 4), (32, 2, 8, 4), (40, 1, 16, 10), (32, 1, 1, 1), (7, 1, 4, 1)],
)
def test_as_many_processes_as_the_batch_goes_round(batch: int, nodes: int, available: int, processes: int):
    assert process_count(LoopSettings(batch_size=batch, nodes=nodes), available) == processes


@pytest.mark.parametrize(("batch", "processes"), [(40, 16), (16, 16), (8, 64)])
def test_a_batch_that_does_not_go_round_is_refused(batch: int, processes: int):
    with pytest.raises(RecipeError, match=f"loop.batch_size {batch} cannot be shared by {processes} processes"):
        process_count(LoopSettings(batch_size=batch, processes=processes), 4)
