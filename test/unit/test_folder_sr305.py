"""Real depth frames (19 of an Intel SR305, joints clicked by hand), where they are: they are not part of the repository."""

import json
from pathlib import Path

import numpy as np
import pytest

from hand_pose_ros.cli import main

FRAMES = Path(__file__).parents[3] / "shared/real_depth/sr305"


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    if not FRAMES.is_dir():
        pytest.skip(f"no real frames in {FRAMES}")
    out = tmp_path_factory.mktemp("sr305")
    # The frames are sampled sparsely: no tracking between them.
    assert main(["replay", str(FRAMES), "--out", str(out), "--no-tracking", "--no-video", "--overwrite"]) == 0
    lines = [json.loads(line) for line in (out / "joints.jsonl").read_text().splitlines()]
    return {line["frame"]: line["hands"] for line in lines}


@pytest.fixture(scope="module")
def clicked():
    described = json.loads((FRAMES / "joints_2d.json").read_text())
    return described["joint_names"], described["frames"]


def pixel_errors(found, clicked):
    """(frames, 21) pixels between answers and clicks; NaN where the click is a guess."""
    names, frames = clicked
    errors = []
    for name, frame in frames.items():
        joints = found[name][0]["joints"]
        answers = np.array([joints[joint]["uv_px"] for joint in names])
        distance = np.linalg.norm(answers - np.array(frame["uv"]), axis=1)
        errors.append(np.where(np.array(frame["visible"]) > 0, distance, np.nan))
    return np.array(errors)


def test_the_hand_is_found_in_every_frame(found, clicked):
    assert len(clicked[1]) == 19
    assert [name for name in clicked[1] if len(found[name]) != 1] == []


def test_joints_are_near_the_clicked_ones(found, clicked):
    errors = pixel_errors(found, clicked)
    assert np.nanmedian(errors) <= 12.0
