"""The soak command, for a few seconds."""

import json
import subprocess
import sys

import numpy as np
import pytest
from free_domain import free_domain
from live_node import ROOT

sys.path.insert(0, str(ROOT / "test/soak"))
from process_watch import slope_mb_per_hour


def test_a_short_soak_counts_every_frame_and_watches_the_node(tmp_path):
    with free_domain() as domain:
        command = [sys.executable, ROOT / "test/soak/soak.py", "--minutes", "0.05", "--warm-up-s", "1", "--rate", "20"]
        command += ["--domain-id", str(domain), "--json", tmp_path / "soak.json"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "soak.json").read_text())
    assert (figures["transport"], figures["sent"]) == ("dds", 60)
    assert figures["answered"] + figures["not_answered"] == 60 and figures["answered"] >= 50
    assert 50 < figures["memory_start_mb"] < 1000 and abs(figures["memory_end_mb"] - figures["memory_start_mb"]) < 20
    assert 0.01 < figures["cpu_share"] < 2
    assert 1 < figures["latency_p50_ms"] <= figures["latency_p99_ms"] < 1000
    assert "memory slope mb per hour" in done.stdout


def test_slope_of_memory():
    seconds = np.arange(0.0, 600.0, 10.0)
    assert slope_mb_per_hour(seconds, 150 + seconds / 1800) == pytest.approx(2.0)
    assert np.isnan(slope_mb_per_hour(seconds[:1], seconds[:1]))
