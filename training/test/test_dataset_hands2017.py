"""The reader of HANDS 2017, on files in the challenge's format."""

import cv2
import numpy as np
import pytest
from depth_files import ball_image, seen_at, spread_joints

from hand_pose_training.datasets import hands2017
from hand_pose_training.datasets.sample import DatasetError

HANDS = [spread_joints(21, (0.02, 0.03 * i, 0.5), i) for i in range(3)]
NAMES = [f"image_D{i:08d}.png" for i in range(1, 4)]


def label_lines(names, hands):
    return "".join(
        name + "\t" + "\t".join(f"{value:.4f}" for value in (1000 * hand).ravel()) + "\n" for name, hand in zip(names, hands)
    )


@pytest.fixture
def root(tmp_path):
    """Three frames a split; in a test frame another object is nearer than the hand, outside the frame's box."""
    for part in ("training", "frame"):
        (tmp_path / part / "images").mkdir(parents=True)
        for name, hand in zip(NAMES, HANDS):
            image = ball_image(hands2017.CAMERA, hand)
            if part == "frame":
                image[:] = 0
                image[200:241, 300:361] = 500
                image[20:100, 20:100] = 300
            cv2.imwrite(str(tmp_path / part / "images" / name), image)
    (tmp_path / "training/Training_Annotation.txt").write_text(label_lines(NAMES, HANDS))
    (tmp_path / "frame/BoundingBox.txt").write_text("".join(f"{name}\t280\t180\t100\t90\n" for name in NAMES))
    return tmp_path


def test_joints_lie_in_the_optical_frame_on_what_the_image_shows(root):
    dataset = hands2017.open_dataset(root, "train")
    assert len(dataset) == 3 and dataset.skeleton.joint_names[1] == "thumb_cmc"
    for sample, hand in zip(dataset, HANDS):
        np.testing.assert_allclose(sample.joints, hand, atol=1e-6)
        np.testing.assert_allclose(seen_at(sample.image, sample.camera, sample.joints), sample.joints[:, 2], atol=6e-4)


def test_test_frames_have_no_labels_and_are_centred_in_their_box(root):
    sample = hands2017.open_dataset(root, "test")[0]
    assert sample.joints is None and sample.bbox == (279.5, 179.5, 379.5, 269.5)
    expected = ((330 - 315.944855) * 0.5 / 475.065948, (220 - 245.287079) * 0.5 / 475.065857, 0.5)
    np.testing.assert_allclose(sample.center, expected, rtol=1e-6)
    assert sample.center_source == "centre of mass of the nearest object"


def test_labels_of_the_test_frames_in_any_order_and_lists_of_frames(root, tmp_path):
    labels, unseen = tmp_path / "labels.txt", tmp_path / "unseen.txt"
    labels.write_text(label_lines([f"frame/images/{NAMES[2]}", NAMES[0]], [HANDS[2], HANDS[0]]))
    unseen.write_text(f"{NAMES[2]}\n{NAMES[1]}\n")
    dataset = hands2017.open_dataset(root, "test", labels=labels, frames=unseen)
    assert dataset.files == NAMES[1:]
    assert np.isnan(dataset[0].joints).all()
    np.testing.assert_allclose(dataset[1].joints, HANDS[2], atol=1e-6)


def test_errors_name_the_file_and_the_remedy(root, tmp_path):
    with pytest.raises(DatasetError, match="HANDS 2017 has no split 'seen'"):
        hands2017.open_dataset(root, "seen")
    with pytest.raises(DatasetError, match="no labels to take the centres from"):
        hands2017.open_dataset(root, "test", center="ground_truth")
    labels = tmp_path / "labels.txt"
    labels.write_text(label_lines(["other.png"], HANDS))
    with pytest.raises(DatasetError, match="labels none of the test frames"):
        hands2017.open_dataset(root, "test", labels=labels)
    with pytest.raises(DatasetError, match=r"unseen\.txt: no such file"):
        hands2017.open_dataset(root, "test", frames=tmp_path / "unseen.txt")
    (root / "frame/BoundingBox.txt").unlink()
    with pytest.raises(DatasetError, match=r"BoundingBox\.txt: no such file.*hands17/challenge"):
        hands2017.open_dataset(root, "test")
    (root / "training/Training_Annotation.txt").write_text("")
    with pytest.raises(DatasetError, match="empty"):
        hands2017.open_dataset(root, "train")
    (root / "training/Training_Annotation.txt").write_text(label_lines(NAMES, HANDS))
    for name in NAMES:
        (root / "training/images" / name).unlink()
    with pytest.raises(DatasetError, match="no such image, nor 2 others of 3"):
        hands2017.open_dataset(root, "train", allow_missing=True)
