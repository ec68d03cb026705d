"""HO-3D's reader on files in its own format: two training frames (version 2 and 3 images), one of evaluation."""

import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from color_dataset_files import hand, write_image

from hand_pose_ros.skeleton import HAND21, remap
from hand_pose_training.datasets.ho3d import Ho3d
from hand_pose_training.datasets.sample import DatasetError

K = np.array([[617.343, 0.0, 312.42], [0.0, 617.343, 241.42], [0.0, 0.0, 1.0]])
# The wrist 2 cm right of the axis, 3 cm above it, 60 cm before the camera: OpenGL has y up and z backward.
OPENGL = hand(3, (0.02, 0.03, -0.6))


def write_meta(path: Path, **entries) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pickle.dumps(entries, 2))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "train.txt").write_text("ABF10/0000\nMC1/0012\n")
    (tmp_path / "evaluation.txt").write_text("AP10/0003\n")
    train = {"camMat": K, "handJoints3D": OPENGL, "handTrans": OPENGL[0], "objName": "021_bleach_cleanser", "objLabel": 12}
    write_meta(tmp_path / "train/ABF10/meta/0000.pkl", **train)
    write_image(tmp_path / "train/ABF10/rgb/0000.png", 640, 480)
    write_meta(tmp_path / "train/MC1/meta/0012.pkl", **train)
    write_image(tmp_path / "train/MC1/rgb/0012.jpg", 640, 480)
    write_meta(tmp_path / "evaluation/AP10/meta/0003.pkl", camMat=K, handJoints3D=OPENGL[0], handBoundingBox=[100, 80, 260, 200])
    write_image(tmp_path / "evaluation/AP10/rgb/0003.png", 640, 480)
    return tmp_path


def test_training_frames_turn_to_the_optical_frame(root: Path):
    data = Ho3d(root)
    assert [s.name for s in data] == ["ABF10/0000", "MC1/0012"]
    sample = data[0]
    np.testing.assert_allclose(sample.center, [0.02, -0.03, 0.6])
    np.testing.assert_allclose(sample.joints, OPENGL * [1, -1, -1])
    # 312.42 + 617.343 / 30 across, 241.42 - 617.343 / 20 down: above the axis.
    np.testing.assert_allclose(sample.camera.project(sample.joints[0]), [312.42 + 617.343 / 30, 241.42 - 617.343 / 20])
    assert sample.side == "right" and sample.cube_m == 0.30 and sample.image.shape == (480, 640, 3)


def test_joints_are_in_the_order_of_mano(root: Path):
    data = Ho3d(root)
    # jointsMapManoToSimple of the dataset's scripts: position in MANO's order of wrist, thumb, index, middle, ring, little.
    simple = [0, 13, 14, 15, 16, 1, 2, 3, 17, 4, 5, 6, 18, 10, 11, 12, 19, 7, 8, 9, 20]
    np.testing.assert_array_equal(remap(data[0].joints, data.skeleton, HAND21), data[0].joints[simple])


def test_the_training_window_is_square_around_the_projected_joints(root: Path):
    sample = Ho3d(root, margin=1.0)[0]
    pixels = sample.camera.project(sample.joints)
    u_min, v_min, u_max, v_max = sample.bbox
    width, height = np.ptp(pixels, axis=0)
    assert u_max - u_min == pytest.approx(max(width, height)) == pytest.approx(v_max - v_min)
    np.testing.assert_allclose([u_min + u_max, v_min + v_max], pixels.min(axis=0) + pixels.max(axis=0))


def test_evaluation_has_the_wrist_and_the_box(root: Path):
    sample = Ho3d(root, "evaluation")[0]
    assert sample.joints is None
    np.testing.assert_allclose(sample.center, [0.02, -0.03, 0.6])
    # 160 x 120 around (180, 140): 1.25 times 160 wide.
    assert sample.bbox == (80.0, 40.0, 280.0, 240.0)


def test_evaluation_labels_where_they_are(root: Path):
    (root / "evaluation_xyz.json").write_text(json.dumps([OPENGL.tolist()]))
    np.testing.assert_allclose(Ho3d(root, "evaluation")[0].joints, OPENGL * [1, -1, -1])
    (root / "evaluation_xyz.json").write_text("[]")
    with pytest.raises(DatasetError, match="0 frames"):
        Ho3d(root, "evaluation")


def test_what_is_missing_is_named(root: Path):
    (root / "train/ABF10/rgb/0000.png").unlink()
    with pytest.raises(DatasetError, match=r"0000\.jpg.*shreyashampali/ho3d"):
        Ho3d(root)[0]
    (root / "train/ABF10/meta/0000.pkl").unlink()
    with pytest.raises(DatasetError, match=r"0000\.pkl.*shreyashampali/ho3d"):
        Ho3d(root)[0]
    (root / "train.txt").unlink()
    with pytest.raises(DatasetError, match=r"train\.txt.*shreyashampali/ho3d"):
        Ho3d(root)


def test_a_frame_without_annotation_is_named(root: Path):
    write_meta(root / "train/ABF10/meta/0000.pkl", camMat=K, handJoints3D=None)
    with pytest.raises(DatasetError, match=r"0000\.pkl has no handJoints3D"):
        Ho3d(root)[0]
    write_meta(root / "train/ABF10/meta/0000.pkl", camMat=K, handJoints3D=OPENGL[0])
    with pytest.raises(DatasetError, match="21 joints"):
        Ho3d(root)[0]
    write_meta(root / "train/ABF10/meta/0000.pkl", camMat=K[:2], handJoints3D=OPENGL)
    with pytest.raises(DatasetError, match="3x3"):
        Ho3d(root)[0]


def test_a_list_of_another_form_is_named(root: Path):
    (root / "train.txt").write_text("0000\n")
    with pytest.raises(DatasetError, match=r"train\.txt: '0000'"):
        Ho3d(root)
