"""The NYU reader, on files in the dataset's format."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import scipy.io
from depth_files import ball_image, seen_at, spread_joints

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets import nyu
from hand_pose_training.datasets.sample import DatasetError

PUBLISHED = Path(__file__).parents[3] / "shared/published/nyu/groundtruth.txt"
FRAMES = 3


@pytest.fixture
def root(tmp_path):
    """A test split of three frames; 36 points on a grid, the last frame 10 cm further right; 2001 where nothing was seen."""
    folder = tmp_path / "nyu/test"
    folder.mkdir(parents=True)
    optical = np.stack([spread_joints(36, (0.1 * (i == 2), -0.05, 0.7), i) for i in range(FRAMES)])
    for i, joints in enumerate(optical):
        write_depth(folder / f"depth_1_{i + 1:07d}.png", ball_image(nyu.CAMERA, joints, background_mm=2001))
    write_labels(folder / "joint_data.mat", optical)
    return tmp_path / "nyu"


def write_depth(path, depth_mm):
    green, blue = depth_mm >> 8, depth_mm & 255
    red = np.full_like(blue, 77)  # the colour images' own business
    cv2.imwrite(str(path), np.stack([blue, green, red], axis=-1).astype(np.uint8))


def write_labels(path, optical):
    xyz = np.zeros((3, *optical.shape))
    xyz[0] = optical * (1000, -1000, 1000)  # y up
    xyz[1:] = 1.0  # other cameras
    scipy.io.savemat(path, {"joint_xyz": xyz, "joint_uvd": np.zeros_like(xyz), "joint_names": np.array(["F1_KNU3_A"], object)})


def test_joints_lie_in_the_optical_frame_on_what_the_image_shows(root):
    dataset = nyu.open_dataset(root, "test")
    assert len(dataset) == FRAMES and dataset.skeleton is skeleton("nyu14")
    for sample in dataset:
        assert sample.joints.shape == (14, 3) and sample.joints[0, 1] < -0.05  # above the axis, y down
        np.testing.assert_allclose(seen_at(sample.image, sample.camera, sample.joints), sample.joints[:, 2], atol=6e-4)
    assert dataset[2].name == "depth_1_0000003.png" and dataset[2].side == "right"


def test_the_far_value_is_background(root):
    image = nyu.open_dataset(root, "test")[0].image
    assert image.dtype == np.float32 and image.max() < 1.0 and (image == 0).mean() > 0.9


def test_the_evaluated_joints_are_the_dataset_s_indices(root):
    everything = nyu.open_dataset(root, "test", points="nyu36")[1].joints
    evaluated = nyu.open_dataset(root, "test")[1].joints
    np.testing.assert_array_equal(evaluated, everything[[0, 3, 6, 9, 12, 15, 18, 21, 24, 25, 27, 30, 31, 32]])


def test_cubes_of_the_protocol(tmp_path):
    (tmp_path / "test").mkdir()
    write_labels(tmp_path / "test/joint_data.mat", np.ones((2442, 36, 3)))
    (tmp_path / "test/depth_1_0002440.png").touch()
    (tmp_path / "test/depth_1_0002441.png").touch()
    dataset = nyu.open_dataset(tmp_path, "test", allow_missing=True)
    assert dataset.files == ["depth_1_0002440.png", "depth_1_0002441.png"]
    assert dataset.cube_m.tolist() == [0.300, 0.250]  # frame 2440, counted from 0, is the first of the small hand
    scaled = nyu.open_dataset(tmp_path, "test", cube_m=0.24, allow_missing=True)
    assert scaled.cube_m == pytest.approx([0.24, 0.20])


def test_centres_from_labels_a_file_and_the_image(root, tmp_path):
    labels = nyu.open_dataset(root, "test")
    np.testing.assert_allclose(labels[0].center, labels[0].joints.mean(axis=0), atol=1e-6)
    assert labels[0].center_source == "ground truth, mean of the joints"
    path = tmp_path / "center_test_refined.txt"
    path.write_text("-133.2 -12.8 761.9\ninvalid\n1 2 703\n")  # y up
    named = nyu.open_dataset(root, "test", center=path)
    assert [sample.name for sample in named] == ["depth_1_0000001.png", "depth_1_0000003.png"]
    np.testing.assert_allclose(named[0].center, [-0.1332, 0.0128, 0.7619])
    np.testing.assert_allclose(named[1].joints, labels[2].joints)
    assert named[0].center_source == "file center_test_refined.txt"
    pixels = tmp_path / "nyu_center_test.mat"  # the first frame's centre as A2J and as V2V-PoseNet publish it
    scipy.io.savemat(pixels, {"centre_pixel": np.array([[[217.14299152, 249.91393535, 761.99810791]]] * 3)})
    path.write_text("-133.28715515137 -12.867971420288 761.99810791016\n" * 3)
    one, other = (nyu.open_dataset(root, "test", center=file)[0].center for file in (pixels, path))
    np.testing.assert_allclose(one, other, atol=1e-9)
    block = np.full((480, 640), 2001, np.uint16)
    block[200:241, 300:361] = 700  # its middle is pixel (330, 220)
    write_depth(root / "test/depth_1_0000003.png", block)
    mass = nyu.open_dataset(root, "test", center="center_of_mass")
    assert mass[2].center_source == "centre of mass of the nearest object"
    np.testing.assert_allclose(mass[2].center, [10 * 0.7 / 588.03, -20 * 0.7 / 587.07, 0.7], rtol=1e-6)
    assert mass[0].center is None  # specks alone are no hand


def test_errors_name_the_file_and_the_remedy(root):
    with pytest.raises(DatasetError, match="no split 'val'; it has train, test"):
        nyu.open_dataset(root, "val")
    with pytest.raises(DatasetError, match=r"train/joint_data\.mat: no such file.*jonathantompson"):
        nyu.open_dataset(root, "train")
    with pytest.raises(DatasetError, match="with a view 4"):
        nyu.open_dataset(root, "test", view=4)
    with pytest.raises(DatasetError, match=r"no such file of centres.*center_of_mass"):
        nyu.open_dataset(root, "test", center="nowhere.txt")
    wrong = root / "centers.mat"
    scipy.io.savemat(wrong, {"centre": np.zeros((3, 1, 3))})
    with pytest.raises(DatasetError, match=r"centers\.mat: no array centre_pixel"):
        nyu.open_dataset(root, "test", center=wrong)
    (root / "test/depth_1_0000002.png").unlink()
    with pytest.raises(DatasetError, match=r"depth_1_0000002\.png: no such image, nor 0 others of 3"):
        nyu.open_dataset(root, "test")
    assert len(nyu.open_dataset(root, "test", allow_missing=True)) == 2
    cv2.imwrite(str(root / "test/depth_1_0000002.png"), np.zeros((480, 640), np.uint8))
    with pytest.raises(DatasetError, match="one channel"):
        nyu.open_dataset(root, "test")[1]
    (root / "test/joint_data.mat").write_bytes(b"not a mat file, but longer than one" * 10)
    with pytest.raises(DatasetError, match="no array joint_xyz"):
        nyu.open_dataset(root, "test")


@pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"no published labels in {PUBLISHED}")
def test_published_labels_go_through_the_reader_unchanged(tmp_path):
    """Published u, v, d -> a mat file with y up -> joints of the reader -> the same u, v, d."""
    uvd = np.loadtxt(PUBLISHED, max_rows=20).reshape(-1, 14, 3)
    x, y = (uvd[..., 0] - 320) * uvd[..., 2] / 588.03, (240 - uvd[..., 1]) * uvd[..., 2] / 587.07
    everything = np.ones((1, 20, 36, 3))
    everything[0][:, [0, 3, 6, 9, 12, 15, 18, 21, 24, 25, 27, 30, 31, 32]] = np.stack([x, y, uvd[..., 2]], axis=-1)
    (tmp_path / "test").mkdir()
    scipy.io.savemat(tmp_path / "test/joint_data.mat", {"joint_xyz": everything})
    for i in range(1, 21):
        (tmp_path / f"test/depth_1_{i:07d}.png").touch()
    joints = nyu.open_dataset(tmp_path, "test").joints
    np.testing.assert_allclose(nyu.CAMERA.project(joints), uvd[..., :2], atol=1e-3)
    np.testing.assert_allclose(1000 * joints[..., 2], uvd[..., 2], atol=1e-3)
