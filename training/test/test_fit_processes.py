"""Two data-parallel processes, started by the command itself."""

import os
import subprocess
import sys
from pathlib import Path

import torch

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
