"""The MSRA reader, on files in the dataset's format."""

import numpy as np
import pytest
from depth_files import ball_image, seen_at, spread_joints

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets import msra
from hand_pose_training.datasets.sample import DatasetError


def frames_of(subject):
    return 2 if subject == 1 else 1


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """All nine subjects and 17 gestures; the second subject has two frames a gesture."""
    root = tmp_path_factory.mktemp("msra")
    for subject in range(9):
        for g, gesture in enumerate(msra.GESTURES):
            folder = root / f"P{subject}" / gesture
            folder.mkdir(parents=True)
            hands = [spread_joints(21, (0.01 * subject, -0.03, 0.35), g + f) for f in range(frames_of(subject))]
            rows = [" ".join(f"{v:.4f}" for v in (hand * (1000, -1000, -1000)).ravel()) for hand in hands]  # y up, z negative
            (folder / "joint.txt").write_text("\n".join([str(len(rows)), *rows]) + "\n")
            for f, hand in enumerate(hands):
                (folder / f"{f:06d}_depth.bin").write_bytes(packed(ball_image(msra.CAMERA, hand)))
    return root


def packed(depth_mm):
    """The box of the pixels that are not 0, behind its header."""
    rows, columns = np.nonzero(depth_mm)
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    header = np.array([320, 240, left, top, right, bottom], "<u4").tobytes()
    return header + depth_mm[top:bottom, left:right].astype("<f4").tobytes()


def test_joints_lie_in_the_optical_frame_on_what_the_image_shows(whole):
    dataset = msra.open_dataset(whole, "test", subject=1)
    sample = dataset[33]
    assert sample.name == "P1/Y/000001_depth.bin" and sample.side == "right"
    assert dataset.skeleton is skeleton("msra21")
    np.testing.assert_allclose(sample.joints, spread_joints(21, (0.01, -0.03, 0.35), 17), atol=1e-6)
    np.testing.assert_allclose(seen_at(sample.image, sample.camera, sample.joints), sample.joints[:, 2], atol=6e-4)


def test_one_subject_is_left_out(whole):
    train, test = (msra.open_dataset(whole, split, subject=1) for split in ("train", "test"))
    assert (len(test), len(train)) == (34, 8 * 17)
    assert {name.split("/")[0] for name in test.files} == {"P1"}
    assert {name.split("/")[0] for name in train.files} == {f"P{i}" for i in range(9) if i != 1}


def test_cubes_are_one_for_all_or_the_subjects_own(whole):
    assert set(msra.open_dataset(whole, "train", subject=0).cube_m) == {0.2}
    assert set(msra.open_dataset(whole, "test", subject=8, cube_m=None).cube_m) == {0.15}


def test_a_file_of_centres_has_y_up(whole, tmp_path):
    path = tmp_path / "center_test_0_refined.txt"
    path.write_text("10 20 330\n" * 17)
    np.testing.assert_allclose(msra.open_dataset(whole, "test", center=path)[16].center, [0.01, -0.02, 0.33])


def test_errors_name_the_file_and_the_remedy(whole, tmp_path):
    with pytest.raises(DatasetError, match="subject 9; splits train and test, subjects 0 to 8"):
        msra.open_dataset(whole, "test", subject=9)
    with pytest.raises(DatasetError, match=r"P0/1/joint\.txt: no such file.*jimmysuen"):
        msra.open_dataset(tmp_path, "test")
    folder = tmp_path / "P0/1"
    folder.mkdir(parents=True)
    (folder / "joint.txt").write_text("2\n" + "1 " * 63 + "\n")
    with pytest.raises(DatasetError, match="says '2' frames and has 1"):
        msra.open_dataset(tmp_path, "test")
    (folder / "joint.txt").write_text("1\n" + "1 " * 60 + "\n")
    with pytest.raises(DatasetError, match="line 2: 60 numbers, not 63"):
        msra.open_dataset(tmp_path, "test")


@pytest.mark.parametrize("keep", [-4, -1, 20, 0])
def test_a_truncated_image_is_refused(tmp_path, keep):
    data = packed(ball_image(msra.CAMERA, spread_joints(21, (0, 0, 0.35))))
    path = tmp_path / "000000_depth.bin"
    path.write_bytes(data[:keep])
    with pytest.raises(DatasetError, match="are not a header and the pixels of its box"):
        msra.read_depth(path)
