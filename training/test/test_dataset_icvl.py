"""The ICVL reader, on files in the dataset's format."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from depth_files import ball_image, seen_at, spread_joints

from hand_pose_training.datasets import icvl
from hand_pose_training.datasets.sample import DatasetError

PUBLISHED = Path(__file__).parents[3] / "shared/published/icvl/groundtruth.txt"
TRAINING = ["201403121135/image_0000.png", "22-5/201403121135/image_0000.png", "-45/201403121135/image_0001.png"]
JOINTS = spread_joints(16, (-0.02, 0.01, 0.35))


@pytest.fixture
def root(tmp_path):
    """Three training frames, one of them an original, and one test frame of each sequence; 32001 where nothing was seen."""
    write(tmp_path, "Training", "labels", TRAINING)
    for sequence in (1, 2):
        write(tmp_path, "Testing", f"test_seq_{sequence}", [f"test_seq_{sequence}/image_0000.png"])
    return tmp_path


def write(root, part, labels, names, images=None):
    u = JOINTS[:, 0] * 240.99 / JOINTS[:, 2] + 160
    v = JOINTS[:, 1] * 240.96 / JOINTS[:, 2] + 120
    row = " ".join(f"{value:.3f}" for value in np.column_stack([u, v, 1000 * JOINTS[:, 2]]).ravel())
    for name in names if images is None else images:
        path = root / part / "Depth" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), ball_image(icvl.CAMERA, JOINTS, background_mm=32001))
    (root / part / f"{labels}.txt").write_text("".join(f"{name} {row} \r\r\n" for name in names) + "\n\n")


def test_joints_lie_in_the_optical_frame_on_what_the_image_shows(root):
    sample = icvl.open_dataset(root, "test")[0]
    np.testing.assert_allclose(sample.joints, JOINTS, atol=5e-6)
    np.testing.assert_allclose(seen_at(sample.image, sample.camera, sample.joints), sample.joints[:, 2], atol=6e-4)
    assert sample.image.max() < 0.5 and (sample.image == 0).mean() > 0.9
    assert (sample.side, sample.cube_m) == ("left", 0.25)


def test_test_is_both_sequences_in_order(root):
    assert [s.name for s in icvl.open_dataset(root, "test")] == ["test_seq_1/image_0000.png", "test_seq_2/image_0000.png"]
    assert icvl.open_dataset(root, "test_seq_2").files == ["test_seq_2/image_0000.png"]


def test_originals_leave_out_the_rotated_copies(root):
    assert icvl.open_dataset(root, "train").files == TRAINING
    assert icvl.open_dataset(root, "train", originals=True).files == TRAINING[:1]


def test_labels_without_an_image_are_left_out_and_keep_their_centre(root, tmp_path):
    (root / "Training/Depth" / TRAINING[1]).unlink()
    centers = tmp_path / "center_train_refined.txt"
    centers.write_text("1 2 301\n1 2 302\n1 2 303\n")
    dataset = icvl.open_dataset(root, "train", center=centers)
    assert dataset.files == [TRAINING[0], TRAINING[2]]
    np.testing.assert_allclose([s.center for s in dataset], [[0.001, 0.002, 0.301], [0.001, 0.002, 0.303]])
    with pytest.raises(DatasetError, match="no such image"):
        icvl.open_dataset(root, "train", allow_missing=False)


def test_errors_name_the_file_and_the_remedy(root, tmp_path):
    with pytest.raises(DatasetError, match="ICVL has no split 'val'"):
        icvl.open_dataset(root, "val")
    labels = root / "Training/labels.txt"
    labels.write_text("201403121135/image_0000.png 1 2 3\n")
    with pytest.raises(DatasetError, match=r"labels\.txt, line 1: 3 numbers, not 48"):
        icvl.open_dataset(root, "train")
    labels.write_text("201403121135/image_0000.png 1 x\n")
    with pytest.raises(DatasetError, match=r"line 1: could not convert string to float: 'x'"):
        icvl.open_dataset(root, "train")
    labels.write_text("\n")
    with pytest.raises(DatasetError, match="no labels in it"):
        icvl.open_dataset(root, "train")
    labels.unlink()
    with pytest.raises(DatasetError, match=r"labels\.txt: no such file.*labicvl"):
        icvl.open_dataset(root, "train")
    centers = tmp_path / "centers.txt"
    centers.write_text("1 2 3\n")
    with pytest.raises(DatasetError, match="1 centres for 2 frames"):
        icvl.open_dataset(root, "test", center=centers)
    centers.write_text("1 2 3\n1 2\n")
    with pytest.raises(DatasetError, match=r"centers\.txt, line 2: 2 numbers, not 3"):
        icvl.open_dataset(root, "test", center=centers)
    cv2.imwrite(str(root / "Testing/Depth/test_seq_1/image_0000.png"), np.zeros((10, 20), np.uint16))
    with pytest.raises(DatasetError, match="20x10 pixels, not 320x240"):
        icvl.open_dataset(root, "test")[0]
    (root / "Testing/Depth/test_seq_1/image_0000.png").write_text("no image")
    with pytest.raises(DatasetError, match="not an image that can be decoded"):
        icvl.open_dataset(root, "test")[0]


@pytest.mark.skipif(not PUBLISHED.is_file(), reason=f"no published labels in {PUBLISHED}")
def test_published_labels_go_through_the_reader_unchanged(tmp_path):
    rows = PUBLISHED.read_text().split("\n")[:10]
    folder = tmp_path / "Testing/Depth/test_seq_1"
    folder.mkdir(parents=True)
    for i in range(10):
        (folder / f"image_{i:04d}.png").touch()
    (tmp_path / "Testing/test_seq_1.txt").write_text("".join(f"test_seq_1/image_{i:04d}.png {r}\n" for i, r in enumerate(rows)))
    joints = icvl.open_dataset(tmp_path, "test_seq_1").joints
    uvd = np.array([row.split() for row in rows], float).reshape(-1, 16, 3)
    np.testing.assert_allclose(icvl.CAMERA.project(joints), uvd[..., :2], atol=1e-3)
    middle = joints[:, icvl.skeleton("icvl16").index("middle_intermediate")]
    assert (middle[:, 1] < joints[:, 0, 1]).all()  # the first test frames hold the fingers up: y is down
