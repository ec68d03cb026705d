"""The list of datasets, and opening one by its name."""

import json

import cv2
import numpy as np
import pytest
from depth_files import ball_image, spread_joints

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.cli import main
from hand_pose_training.datasets import hands2017
from hand_pose_training.datasets.catalog import CATALOG, entry, open_dataset
from hand_pose_training.datasets.sample import DatasetError

HAND = spread_joints(21, (0.0, 0.0, 0.5))


@pytest.fixture
def root(tmp_path):
    """The training split of HANDS 2017, one frame."""
    (tmp_path / "training/images").mkdir(parents=True)
    cv2.imwrite(str(tmp_path / "training/images/image_D00000001.png"), ball_image(hands2017.CAMERA, HAND))
    numbers = "\t".join(f"{value:.4f}" for value in (1000 * HAND).ravel())
    (tmp_path / "training/Training_Annotation.txt").write_text(f"image_D00000001.png\t{numbers}\n")
    return tmp_path


@pytest.mark.parametrize("name", CATALOG)
def test_every_dataset_says_where_it_is_and_misses_its_files_clearly(name, tmp_path):
    assert len(skeleton(CATALOG[name].skeleton)) in (14, 16, 21)
    assert "http" in CATALOG[name].where
    for split in CATALOG[name].frames:
        with pytest.raises(DatasetError, match="http"):
            open_dataset(name, tmp_path, split)
    with pytest.raises(DatasetError, match="no such folder.*http"):
        open_dataset(name, tmp_path / "nowhere", "train")


def test_opening_by_name(root):
    dataset = open_dataset("hands2017", root, "train", cube_m=0.2)
    np.testing.assert_allclose(dataset[0].joints, HAND, atol=1e-6)
    assert dataset[0].cube_m == 0.2


def test_unknown_names_and_options_are_named():
    with pytest.raises(
        DatasetError, match="unknown dataset 'mnist'; known: nyu, icvl, msra, hands2017, freihand, ho3d, rhd, stb"
    ):
        entry("mnist")
    with pytest.raises(DatasetError, match="msra has no option 'centre'; it has subject, center, cube_m, allow_missing"):
        open_dataset("msra", "/", "test", centre="x")


def test_the_command_lists_them(capsys):
    assert main(["datasets", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [d["name"] for d in listed] == list(CATALOG)
    assert listed[0]["frames"] == {"train": "72,757", "test": "8,252"}


def test_the_command_looks_into_a_folder(root, capsys):
    assert main(["datasets", "hands2017", str(root), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)[0]["found"]
    assert found["train"]["frames"] == 1 and found["train"]["joints_in_image"] == 21
    low, high = found["train"]["joints_depth_m"]
    assert found["train"]["image_depth_m"] == pytest.approx([low, high], abs=6e-4)
    assert "BoundingBox.txt: no such file" in found["test"]["error"]
    assert main(["datasets", "hands2017", str(root)]) == 0
    assert "found, train: frames 1, first image_D00000001.png" in capsys.readouterr().out


def test_the_command_fails_where_nothing_is_found(tmp_path, capsys):
    assert main(["datasets", "nyu", str(tmp_path)]) == 2
    assert "joint_data.mat: no such file" in capsys.readouterr().err
