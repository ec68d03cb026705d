"""The network for the hand's centre, and the files of centres that it writes for a dataset's reader."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from depth_files import ball_image, spread_joints
from learning import learn
from small import small_recipe
from test_dataset_nyu import write_depth, write_labels

from hand_pose_ros.skeleton import HAND21, HAND_CENTER
from hand_pose_training.backbones.scale_net import ScaleNet, ScaleNetSettings, middle
from hand_pose_training.cli import main
from hand_pose_training.data import DataSettings, joints_m, relabelled, stacked, to_tensors
from hand_pose_training.datasets import icvl, nyu
from hand_pose_training.datasets.centers import read_centers, write_centers
from hand_pose_training.datasets.depth_crops import CropSettings, DepthCrops
from hand_pose_training.fit import fit
from hand_pose_training.methods.center import CenterSettings, HandCenter
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.task import load_task

SMALL = CenterSettings(ScaleNetSettings(size=96, hidden=64))
FRAMES = {"train": 16, "test": 5}


def test_the_network_is_the_released_one():
    """Three branches of 5x5, 5x5 and 3x3 convolutions to 8 channels, 11 x 11, 11 x 11 and 8 x 8 cells, two layers of 1024."""
    settings = ScaleNetSettings()
    assert settings.cells() == (11, 11, 8)
    convolutions = 3 * ((25 * 8 + 8) + (25 * 64 + 8) + (9 * 64 + 8))
    cells = 8 * (121 + 121 + 64)
    expected = convolutions + (cells * 1024 + 1024) + (1024 * 1024 + 1024) + (1024 * 3 + 3)
    assert sum(p.numel() for p in HandCenter(CenterSettings(), joints=1).parameters()) == expected


def test_the_branches_see_the_middle():
    crop = torch.arange(64.0).view(1, 1, 8, 8)
    assert torch.equal(middle(crop, 0), crop)
    assert middle(crop, 1)[0, 0, 0].tolist() == [18, 19, 20, 21]
    assert middle(crop, 2).flatten().tolist() == [27, 28, 35, 36]


def test_another_size_is_refused():
    with pytest.raises(ValueError, match="crops of 96 pixels for model.backbone.size 128"):
        ScaleNet(ScaleNetSettings())(torch.zeros(1, 1, 96, 96))
    with pytest.raises(ValueError, match="backbone.size 64: a multiple of 4, at least 72"):
        ScaleNetSettings(size=64)


def test_it_learns_a_few_centers():
    torch.manual_seed(0)
    crops = stacked(SyntheticCrops(5, 16, SyntheticSettings(size=96, negatives=0.0, center_tail=1.0)))
    batch = to_tensors(relabelled(crops, HAND21, HAND_CENTER))
    before, after = learn(HandCenter(SMALL, joints=1), batch, steps=100, learning_rate=3e-3)
    assert before > 0.010
    assert after < 0.003


def test_what_has_no_label_counts_for_nothing():
    net = HandCenter(SMALL, joints=1)
    batch = {
        "joints": torch.tensor([[[0.1, 0.2, -0.2]], [[5.0, 5, 5]], [[5.0, 5, 5]], [[5.0, 5, 5]]]),
        "joint_weight": torch.tensor([[1.0], [0], [1], [1]]),
        "present": torch.tensor([1.0, 1, 0, 1]),
        "teaches": torch.tensor([1.0, 1, 1, 0]),
    }
    loss = net.losses(torch.zeros(4, 1, 3), batch, 0.0).terms["joint_loss"]
    assert float(loss) == pytest.approx(0.09)


@pytest.mark.parametrize("y_up", [True, False])
def test_a_file_of_centres_there_and_back(tmp_path, y_up: bool):
    centers = np.array([[0.0123456, -0.2, 0.7], [np.nan] * 3, [0.1, 0.05, 1.2]])
    write_centers(tmp_path / "centers.txt", centers, y_up)
    lines = (tmp_path / "centers.txt").read_text().splitlines()
    assert lines[1] == "invalid" and lines[0] == f"12.3456 {'200' if y_up else '-200'}.0000 700.0000"
    found = read_centers(tmp_path / "centers.txt", 3, nyu.CAMERA, y_up, "tests")
    np.testing.assert_allclose(found, centers, atol=1e-7)


@pytest.fixture
def root(tmp_path):
    """NYU in its own files; the second test frame shows nothing."""
    for split, frames in FRAMES.items():
        (tmp_path / "nyu" / split).mkdir(parents=True)
        joints = np.stack([spread_joints(36, (0.02 * i, 0, 0.7), i) for i in range(frames)])
        for i in range(frames):
            shown = joints[i] if (split, i) != ("test", 1) else joints[i, :0]
            image = ball_image(nyu.CAMERA, shown, 2001)
            if len(shown):
                u, v = nyu.CAMERA.project(joints[i].mean(axis=0)).astype(int)
                image[v - 40 : v + 40, u - 40 : u + 40] = 720  # the palm, large enough for a centre of mass
            write_depth(tmp_path / "nyu" / split / f"depth_1_{i + 1:07d}.png", image)
        write_labels(tmp_path / "nyu" / split / "joint_data.mat", joints)
    return tmp_path / "nyu"


def test_centres_of_a_trained_network_go_through_the_reader(root, tmp_path, capsys):
    options = {"center": "center_of_mass", "cube_m": 0.3}
    base = small_recipe(8, side="unknown")
    data = DataSettings(source="nyu", root=str(root), size=96, options=options)
    recipe = replace(base, method="center", skeleton="hand_center", model=SMALL, data=data)
    fit(recipe, tmp_path / "run")
    command = ["centers", str(tmp_path / "run/final.ckpt"), "--dataset", "nyu"]
    out = tmp_path / "centers.txt"
    assert main([*command, "--split", "test", "--out", str(out)]) == 0
    assert "centres of 4 of 5 frames, looked for about: centre of mass" in capsys.readouterr().out

    batch = stacked(DepthCrops(nyu.open_dataset(root, "test", **options), settings=CropSettings(96)))
    net = load_task(tmp_path / "run/final.ckpt").exported_net
    with torch.no_grad():
        expected = joints_m(batch, net.predict(to_tensors(batch)).joints.numpy())[:, 0]
    read = nyu.open_dataset(root, "test", center=out)
    assert [sample.name[-5] for sample in read] == list("1345")  # without the frame that shows nothing
    np.testing.assert_allclose([sample.center for sample in read], expected[[0, 2, 3, 4]], atol=1e-6)

    (root / "test/depth_1_0000004.png").unlink()  # its line stays
    assert main([*command, "--split", "test", "--option", "allow_missing=true", "--out", str(out)]) == 0
    assert [line == "invalid" for line in out.read_text().splitlines()] == [False, True, False, True, False]
    read = nyu.open_dataset(root, "test", center=out)
    np.testing.assert_allclose([sample.center for sample in read], expected[[0, 2, 4]], atol=1e-6)

    for arguments, message in (
        (["--dataset", "freihand", "--split", "training"], "freihand has no depth images"),
        (["--dataset", "msra", "--split", "test", "--option", "subject"], "write KEY=VALUE"),
        (["--dataset", "nyu", "--split", "test", "--out", str(tmp_path / "no/centers.txt")], "make it first"),
    ):
        line = ["centers", str(tmp_path / "run/final.ckpt"), "--out", str(out), *arguments]
        assert main(line) == 2
        assert message in capsys.readouterr().err


def test_a_network_of_right_hands_alone_is_refused(small_checkpoint, tmp_path, capsys):
    line = ["centers", str(small_checkpoint), "--dataset", "nyu", "--split", "test", "--out", str(tmp_path / "centers.txt")]
    assert main(line) == 2
    assert "hands of both sides" in capsys.readouterr().err


def test_frames_that_were_left_out_keep_their_places():
    joints = np.zeros((6, 16, 3), np.float32)
    whole = icvl.DepthDataset(
        "tiny", "train", icvl.skeleton("icvl16"), icvl.CAMERA, "", list("abcdef"), None, joints, np.ones(6), None, "", "tests"
    )
    some = whole.only(np.array([1, 1, 0, 1, 1, 1], bool)).only(np.array([0, 1, 1, 0, 1], bool))
    assert (some.rows.tolist(), some.frames, list(some.files)) == ([1, 3, 5], 6, ["b", "d", "f"])
    assert whole.rows is None
