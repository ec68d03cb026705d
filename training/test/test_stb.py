"""STB's reader on files in its own format: two frames a sequence, three cameras."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from color_dataset_files import hand, write_image

from hand_pose_ros.skeleton import HAND21
from hand_pose_training.datasets.rgb_augment import RgbAugmentSettings
from hand_pose_training.datasets.rgb_crops import RgbCrops, RgbCropSettings, joints_m
from hand_pose_training.datasets.sample import DatasetError
from hand_pose_training.datasets.stb import SPLITS, STREAMS, Stb, wrist_for_palm

# In the order of the file: palm, then little_mcp ... thumb_tip.
FRAMES = np.stack([hand(0, (0.0, 0.01, 0.5)), hand(1, (0.05, -0.02, 0.6))])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "labels").mkdir()
    for sequence in (*SPLITS["train"], *SPLITS["test"]):
        for camera in ("BB", "SK"):
            labels = {"handPara": 1000 * FRAMES.transpose(2, 1, 0)}  # 3 x 21 x N millimetres
            scipy.io.savemat(tmp_path / "labels" / f"{sequence}_{camera}.mat", labels)
        for stream in STREAMS:
            for number in range(2):
                write_image(tmp_path / "images" / sequence / f"{stream}_{number}.png", 640, 480)
    return tmp_path


def test_ten_sequences_train_and_two_test(root: Path):
    train, test = Stb(root), Stb(root, "test")
    assert (len(train), len(test)) == (20, 4)
    assert [s.name for s in test] == [f"{s}/SK_color_{i}" for s in ("B1Counting", "B1Random") for i in (0, 1)]
    assert {s.name.split("/")[0] for s in train} == {f"B{b}{p}" for b in range(2, 7) for p in ("Counting", "Random")}
    assert all(s.side == "left" for s in test)


def test_left_camera_by_hand(root: Path):
    sample = Stb(root, "test", stream="BB_left", wrist=False)[0]
    np.testing.assert_allclose(sample.joints, FRAMES[0])
    np.testing.assert_allclose(sample.camera.project(sample.joints[0]), [318.47345, 250.31296 + 822.79041 * 0.01 / 0.5])
    np.testing.assert_array_equal(sample.center, sample.joints[0])
    assert Stb(root, "test", wrist=False).skeleton.joint_names[:3] == ("palm", "little_mcp", "little_pip")


def test_the_right_camera_is_a_baseline_to_the_right(root: Path):
    left, right = (Stb(root, "test", stream=stream)[1] for stream in ("BB_left", "BB_right"))
    np.testing.assert_allclose(right.joints, left.joints - [0.120054, 0, 0])
    # The stereo disparity: focal length times baseline by depth.
    shift = left.camera.project(left.joints) - right.camera.project(right.joints)
    np.testing.assert_allclose(shift[:, 0], 822.79041 * 0.120054 / left.joints[:, 2])


def test_colour_labels_come_from_the_depth_camera(root: Path):
    sample = Stb(root, "test", wrist=False)[0]
    # The readme: x_depth = R x_colour + t. For so small a rotation R x = x + r x x to within 1e-4.
    rotation, translation = np.array([0.00531, -0.01196, 0.00301]), np.array([-0.0240381, -0.0004563, -0.0012326])
    back = sample.joints + np.cross(rotation, sample.joints) + translation
    np.testing.assert_allclose(back, FRAMES[0], atol=1e-4)
    # The colour camera lies 24 mm to the left of the depth camera, so points are further right for it.
    assert sample.joints[0, 0] > FRAMES[0, 0, 0] + 0.02
    assert sample.camera.fx == 607.92271 and sample.camera.cy == 236.42484


def test_the_palm_moves_to_the_wrist_and_joints_to_hand21(root: Path):
    frame = FRAMES[0]
    joints = wrist_for_palm(frame)
    # ring_mcp is the file's joint 5: the palm's centre is halfway between it and the wrist.
    np.testing.assert_allclose((joints[0] + frame[5]) / 2, frame[0])
    np.testing.assert_array_equal(joints[HAND21.index("thumb_cmc")], frame[17])
    np.testing.assert_array_equal(joints[HAND21.index("little_tip")], frame[4])
    np.testing.assert_array_equal(joints[HAND21.indices("middle_mcp", "middle_pip")], frame[[9, 10]])
    sample = Stb(root, "test", stream="BB_left")[0]
    np.testing.assert_allclose(sample.joints, joints)
    assert sample.cube_m == pytest.approx(10 * np.linalg.norm(frame[10] - frame[9]))
    assert Stb(root, "test", use_scale=False)[0].cube_m == 0.30


def test_the_window_is_square_around_the_joints(root: Path):
    sample = Stb(root, "test", margin=1.25)[0]
    pixels = sample.camera.project(sample.joints)
    width = 1.25 * np.ptp(pixels, axis=0).max()
    middle = (pixels.min(axis=0) + pixels.max(axis=0)) / 2
    np.testing.assert_allclose(sample.bbox, [*(middle - width / 2), *(middle + width / 2)])


def test_training_samples_come_back_in_metres(root: Path):
    data = Stb(root, "test")
    samples = list(RgbCrops(data, settings=RgbCropSettings(64, RgbAugmentSettings())))
    batch = {name: np.stack([s[name] for s in samples]) for name in samples[0]}
    np.testing.assert_allclose(joints_m(batch, batch["joints"]), [s.joints for s in data], atol=5e-7)
    assert np.abs(batch["joints"][..., 2]).max() > 0.05 and (batch["joints"][:, 0, 2] == 0).all()


def test_what_is_missing_is_named(root: Path):
    (root / "images/B1Random/SK_color_1.png").unlink()
    with pytest.raises(DatasetError, match=r"SK_color_1\.png.*zhjwustc"):
        Stb(root, "test")[3]
    (root / "labels/B1Random_SK.mat").unlink()
    with pytest.raises(DatasetError, match=r"B1Random_SK\.mat.*zhjwustc"):
        Stb(root, "test")


def test_labels_of_another_form_are_named(root: Path):
    file = root / "labels/B1Counting_SK.mat"
    scipy.io.savemat(file, {"handPara": np.zeros((2, 21, 4))})
    with pytest.raises(DatasetError, match="3 x 21 x frames"):
        Stb(root, "test")
    file.write_bytes(b"not a mat file")
    with pytest.raises(DatasetError, match=r"B1Counting_SK\.mat is no readable"):
        Stb(root, "test")


def test_wrong_choices(root: Path):
    with pytest.raises(DatasetError, match="SK_depth"):
        Stb(root, stream="SK_depth")
    with pytest.raises(DatasetError, match="no split"):
        Stb(root, "evaluation")
