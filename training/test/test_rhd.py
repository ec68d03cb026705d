"""RHD's reader on files in its own format: two frames, the mask decides which hand."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from color_dataset_files import hand, write_image

from hand_pose_training.datasets.rhd import Rhd
from hand_pose_training.datasets.sample import DatasetError

K = np.array([[282.9, 0.0, 160.0], [0.0, 282.9, 160.0], [0.0, 0.0, 1.0]], np.float32)
LEFT, RIGHT = hand(1, (-0.1, 0.02, 0.7)), hand(2, (0.12, 0.0, 0.5))


def write_mask(path: Path, left: tuple[slice, slice], right: tuple[slice, slice]) -> None:
    mask = np.zeros((320, 320), np.uint8)
    mask[200:300, :] = 1  # the person
    mask[left], mask[right] = 17, 18  # a palm of the left hand, a thumb tip of the right
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), mask)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "training"
    frame = {"K": K, "xyz": np.concatenate([LEFT, RIGHT]).astype(np.float32), "uv_vis": np.zeros((42, 3))}
    folder.mkdir()
    (folder / "anno_training.pickle").write_bytes(pickle.dumps({0: frame, 1: frame, 2: frame}, 2))
    for number in range(3):
        write_image(folder / "color" / f"{number:05d}.png", 320, 320, (1, 2, 200))
    few, many = (slice(50, 60), slice(60, 70)), (slice(100, 140), slice(200, 220))
    write_mask(folder / "mask" / "00000.png", many, few)
    write_mask(folder / "mask" / "00001.png", few, many)
    write_mask(folder / "mask" / "00002.png", few, (slice(0, 10), slice(0, 10)))
    return tmp_path


def test_the_hand_with_more_pixels_is_the_sample(root: Path):
    left, right, equal = Rhd(root)
    assert (left.side, right.side, equal.side) == ("left", "right", "right")
    np.testing.assert_allclose(left.joints, LEFT, atol=1e-7)
    np.testing.assert_allclose(right.joints, RIGHT, atol=1e-7)
    np.testing.assert_allclose(right.center, (0.12, 0.0, 0.5), atol=1e-7)
    assert (left.name, tuple(left.image[0, 0])) == ("00000", (1, 2, 200))


def test_camera_axes_and_window_by_hand(root: Path):
    sample = Rhd(root, margin=1.25)[0]
    # (-0.1, 0.02, 0.7): 160 - 282.9 / 7 across, 160 + 282.9 * 2 / 70 down.
    np.testing.assert_allclose(sample.camera.project(sample.joints[0]), [160 - 282.9 / 7, 160 + 282.9 * 2 / 70], rtol=1e-6)
    # Mask columns 200 to 219, rows 100 to 139: middle (209.5, 119.5), 1.25 * 40 wide.
    assert sample.bbox == (184.5, 94.5, 234.5, 144.5)


def test_joints_go_from_tip_to_palm(root: Path):
    data = Rhd(root)
    assert data.skeleton.joint_names[:6] == ("wrist", "thumb_tip", "thumb_ip", "thumb_mcp", "thumb_cmc", "index_tip")
    # The scale's bone is keypoints 12 and 11 (the middle finger's mcp and pip); the cube is ten of it.
    assert data.skeleton.indices("middle_mcp", "middle_pip") == [12, 11]
    assert data[0].cube_m == pytest.approx(10 * np.linalg.norm(LEFT[12] - LEFT[11]), rel=1e-6)
    assert Rhd(root, use_scale=False)[0].cube_m == 0.30


def test_without_a_mask_of_the_hand_the_joints_say_where_it_is(root: Path):
    nothing = (slice(0, 0), slice(0, 0))
    write_mask(root / "training/mask/00000.png", nothing, nothing)
    sample = Rhd(root, margin=1.0)[0]
    pixels = sample.camera.project(sample.joints)
    assert sample.side == "right"
    assert sample.bbox[2] - sample.bbox[0] == pytest.approx(np.ptp(pixels, axis=0).max())


def test_what_is_missing_is_named(root: Path):
    (root / "training/mask/00001.png").unlink()
    with pytest.raises(DatasetError, match=r"mask/00001\.png.*RenderedHandpose"):
        Rhd(root)[1]
    with pytest.raises(DatasetError, match=r"anno_evaluation\.pickle.*RenderedHandpose"):
        Rhd(root, "evaluation")


def test_annotations_of_another_form_are_named(root: Path):
    file = root / "training/anno_training.pickle"
    file.write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(DatasetError, match="dict of frames"):
        Rhd(root)
    file.write_bytes(pickle.dumps({0: {"K": K, "xyz": LEFT}}))
    with pytest.raises(DatasetError, match="42 joints"):
        Rhd(root)[0]
