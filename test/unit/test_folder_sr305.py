"""Real depth frames (19 of an Intel SR305, joints clicked by hand), where they are: they are not part of the repository."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from hand_pose_ros.cli import main

FRAMES = Path(__file__).parents[3] / "shared/real_depth/sr305"


def replayed(frames: Path, out: Path) -> dict[str, list]:
    """The hands of every frame by its name, the surest first. The frames are sampled sparsely: no tracking between them."""
    assert main(["replay", str(frames), "--out", str(out), "--no-tracking", "--no-video", "--overwrite"]) == 0
    lines = [json.loads(line) for line in (out / "joints.jsonl").read_text().splitlines()]
    return {line["frame"]: line["hands"] for line in lines}


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    if not FRAMES.is_dir():
        pytest.skip(f"no real frames in {FRAMES}")
    return replayed(FRAMES, tmp_path_factory.mktemp("sr305"))


@pytest.fixture(scope="module")
def found_in_mirror(tmp_path_factory):
    """The hands of the mirror images."""
    if not FRAMES.is_dir():
        pytest.skip(f"no real frames in {FRAMES}")
    mirrored = tmp_path_factory.mktemp("mirrored")
    for path in FRAMES.rglob("*.png"):
        copy = mirrored / path.relative_to(FRAMES)
        copy.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(copy), cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[:, ::-1])
    camera = yaml.safe_load((FRAMES / "camera.yaml").read_text())
    for matrix in ("camera_matrix", "projection_matrix"):
        camera[matrix]["data"][2] = camera["image_width"] - 1 - camera[matrix]["data"][2]
    (mirrored / "camera.yaml").write_text(yaml.safe_dump(camera))
    return replayed(mirrored, tmp_path_factory.mktemp("sr305_mirrored"))


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
    assert all(found[name] for name in clicked[1])
    assert all(len(found[name]) == 1 for name in clicked[1])  # in one of them the elbow below looks like a fist


def test_every_side_is_told_also_in_the_mirror(found, found_in_mirror, clicked):
    assert {frame["side"] for frame in clicked[1].values()} == {"right"}
    assert {found[name][0]["side"] for name in clicked[1]} == {"right"}
    assert {found_in_mirror[name][0]["side"] for name in clicked[1]} == {"left"}


def test_joints_are_near_the_clicked_ones(found, clicked):
    errors = pixel_errors(found, clicked)
    assert np.nanmedian(errors) <= 8.0
