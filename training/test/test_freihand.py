"""FreiHAND's reader on files in its own format: two frames, four versions."""

import json
from pathlib import Path

import numpy as np
import pytest
from color_dataset_files import hand, write_image

from hand_pose_training.datasets.freihand import FreiHand
from hand_pose_training.datasets.sample import DatasetError

K = [[480.0, 0.0, 112.0], [0.0, 470.0, 110.0], [0.0, 0.0, 1.0]]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    xyz = [hand(0).tolist(), hand(1, (0.03, 0.0, 0.75)).tolist()]
    for name, content in (
        ("training_K", [K, K]),
        ("training_xyz", xyz),
        ("evaluation_K", [K, K]),
        ("evaluation_scale", [0.03] * 2),
    ):
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    for number in range(8):
        write_image(tmp_path / "training" / "rgb" / f"{number:08d}.jpg", 224, 224, (200, 20 * number, 60))
    for number in range(2):
        write_image(tmp_path / "evaluation" / "rgb" / f"{number:08d}.jpg", 224, 224)
    return tmp_path


def test_the_training_set_is_every_frame_in_four_versions(root: Path):
    data = FreiHand(root)
    assert [s.name for s in data] == [f"{i:08d}" for i in range(8)]
    # Image 5 is frame 1 of version 2 ("sample"): red, green 100, blue as written.
    sample = data[5]
    np.testing.assert_allclose(sample.image.mean(axis=(0, 1)), (200, 100, 60), atol=3)
    np.testing.assert_array_equal(sample.joints, hand(1, (0.03, 0.0, 0.75)))
    assert sample.side == "right" and sample.cube_m == 0.30


def test_camera_wrist_and_window_by_hand(root: Path):
    sample = FreiHand(root)[0]
    # The wrist (0.01, -0.02, 0.6): 112 + 480 / 60 = 120 across, 110 - 470 * 2 / 60 = 94.333 down: y points down.
    np.testing.assert_allclose(sample.camera.project(sample.joints[0]), [120.0, 110 - 47 / 3])
    np.testing.assert_array_equal(sample.center, [0.01, -0.02, 0.6])
    assert sample.center_source == "wrist, ground truth"
    assert FreiHand(root).skeleton.joint_names[:6] == ("wrist", "thumb_cmc", "thumb_mcp", "thumb_ip", "thumb_tip", "index_mcp")
    # 130 pixels in the middle of columns 0 to 223, whose outer edges are -0.5 and 223.5.
    assert sample.bbox == (46.5, 46.5, 176.5, 176.5)


def test_a_choice_of_versions(root: Path):
    assert [s.name for s in FreiHand(root, versions=["gs", "auto"])] == ["00000000", "00000001", "00000006", "00000007"]


def test_the_evaluation_set_has_no_labels_until_they_are_there(root: Path):
    data = FreiHand(root, "evaluation")
    assert len(data) == 2 and data[0].joints is None and data[0].center is None
    (root / "evaluation_xyz.json").write_text(json.dumps([hand(5).tolist(), hand(6).tolist()]))
    np.testing.assert_array_equal(FreiHand(root, "evaluation")[1].joints, hand(6))


def test_root_depths_of_a_file(root: Path):
    file = root / "bbox_root_freihand_output.json"
    file.write_text(json.dumps([{"image_id": i, "bbox": [0, 0, 9, 9], "root_cam": [0.1, 0.2, 0.7 + i]} for i in range(2)]))
    sample = FreiHand(root, "evaluation", root_file=file)[1]
    np.testing.assert_array_equal(sample.center, [0.1, 0.2, 1.7])
    assert "RootNet" in sample.center_source
    file.write_text("[]")
    with pytest.raises(DatasetError, match="0 frames"):
        FreiHand(root, "evaluation", root_file=file)


def test_what_is_missing_is_named(root: Path):
    (root / "training" / "rgb" / "00000003.jpg").unlink()
    with pytest.raises(DatasetError, match=r"00000003\.jpg.*lmb\.informatik"):
        FreiHand(root)[3]
    (root / "training_xyz.json").unlink()
    with pytest.raises(DatasetError, match=r"training_xyz\.json.*lmb\.informatik"):
        FreiHand(root)


def test_files_that_do_not_fit_are_named(root: Path):
    (root / "training_xyz.json").write_text(json.dumps([hand(0).tolist()]))
    with pytest.raises(DatasetError, match="1 frames.*has 2"):
        FreiHand(root)
    (root / "training_xyz.json").write_text(json.dumps([hand(0).tolist(), hand(1)[:20].tolist()]))
    with pytest.raises(DatasetError, match="frame 1.*21 joints"):
        FreiHand(root)[1]
    (root / "training_K.json").write_text("{")
    with pytest.raises(DatasetError, match=r"training_K\.json.*JSON"):
        FreiHand(root)


def test_wrong_choices(root: Path):
    with pytest.raises(DatasetError, match="no split 'test'"):
        FreiHand(root, "test")
    with pytest.raises(DatasetError, match="no version blue"):
        FreiHand(root, versions=["blue"])
    with pytest.raises(IndexError):
        FreiHand(root)[8]
