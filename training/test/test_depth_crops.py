"""Training samples from depth datasets: shapes, labels, determinism; nothing is trained."""

from pathlib import Path

import numpy as np
import pytest
from depth_files import ball_image, spread_joints
from torch.utils.data import DataLoader

from hand_pose_ros.geometry.crop import CubeCrop
from hand_pose_ros.skeleton import skeleton
from hand_pose_training.datasets import nyu
from hand_pose_training.datasets.augment import AugmentSettings
from hand_pose_training.datasets.depth_crops import CropSettings, DepthCrops
from hand_pose_training.datasets.depth_dataset import DepthDataset, cubes
from hand_pose_training.datasets.sample import DatasetError
from hand_pose_training.synthetic.dataset import SyntheticCrops, joints_m

HANDS = np.stack([spread_joints(14, (0.05, -0.02, 0.7 + 0.05 * i), i) for i in range(5)])
AUGMENTED = CropSettings(size=32, augment=AugmentSettings(stretch=0.1), shuffle=True)


def dataset(joints=HANDS, centers=True, side="right"):
    """Five frames whose images are made when they are read."""
    images = {f"{i}.png": ball_image(nyu.CAMERA, hand) / np.float32(1000) for i, hand in enumerate(HANDS)}
    return DepthDataset(
        name="tiny",
        split="train",
        skeleton=skeleton("nyu14"),
        camera=nyu.CAMERA,
        folder=Path("/"),
        files=list(images),
        read=lambda path: images[path.name].astype(np.float32),
        joints=joints,
        cube_m=cubes(5, 0.3),
        centers=HANDS.mean(axis=1) if centers else None,
        center_source="ground truth, mean of the joints",
        where="tests",
        side=side,
    )


def test_a_batch_has_the_shapes_of_the_synthetic_one():
    batch = next(iter(DataLoader(DepthCrops(dataset(), settings=CropSettings(size=48)), batch_size=4)))
    assert {name: tuple(value.shape) for name, value in batch.items()} == {
        "depth_crop": (4, 1, 48, 48),
        "joints": (4, 14, 3),
        "joint_weight": (4, 14),
        "present": (4,),
        "right_side": (4,),
        "cube_m": (4,),
        "half_uvd": (4, 3),
        "center": (4, 3),
        "camera": (4, 4),
        "distance_m": (4,),
        "frame": (4,),
    }
    assert all(value.dtype.is_floating_point and value.element_size() == 4 for value in batch.values())
    synthetic = SyntheticCrops(1, 1)[0]
    shared = batch.keys() & synthetic.keys()
    assert synthetic.keys() - shared == {"object", "view", "companion", "on_surface", "sensor"}
    assert all(batch[name].shape[2:] == synthetic[name].shape[1:] for name in shared - {"joints", "depth_crop"})


def test_joints_go_back_to_metres():
    batch = {name: value.numpy() for name, value in next(iter(DataLoader(DepthCrops(dataset()), batch_size=5))).items()}
    np.testing.assert_allclose(joints_m(batch, batch["joints"]), HANDS, atol=1e-6)
    crop = CubeCrop(nyu.CAMERA, HANDS[2].mean(axis=0), 0.3, 128)
    np.testing.assert_array_equal(batch["depth_crop"][2, 0], crop.extract(ball_image(nyu.CAMERA, HANDS[2]) / np.float32(1000)))


def test_a_sample_depends_on_seed_and_index_alone():
    one, other, third = (DepthCrops(dataset(), seed, 20, AUGMENTED) for seed in (3, 3, 4))
    for i in (13, 2, 13):
        assert all(np.array_equal(one[i][name], other[i][name]) for name in one[i])
    assert not np.array_equal(one[13]["joints"], third[13]["joints"])


def test_every_epoch_shows_every_frame_once_in_another_order_and_another_light():
    crops = DepthCrops(dataset(), 3, 15, AUGMENTED)
    epochs = np.array([crops[i]["frame"] for i in range(15)]).reshape(3, 5)
    assert (np.sort(epochs, axis=1) == np.arange(5)).all()
    assert len({tuple(epoch) for epoch in epochs}) > 1
    first, later = (crops[int(np.flatnonzero(epochs[e] == 0)[0]) + 5 * e] for e in (0, 1))
    assert not np.allclose(first["joints"], later["joints"])
    with pytest.raises(IndexError, match="sample 15 of 15"):
        crops[15]


def test_unknown_joints_weigh_nothing():
    joints = HANDS.copy()
    joints[1, 3] = np.nan
    sample = DepthCrops(dataset(joints), settings=CropSettings(augment=AugmentSettings()))[1]
    assert sample["joint_weight"].tolist() == [1] * 3 + [0] + [1] * 10
    assert np.isfinite(sample["joints"]).all() and (sample["joints"][3] == 0).all()


def test_frames_without_labels_or_without_a_centre():
    unlabelled = DepthCrops(dataset(joints=None, side="unknown"))[0]
    assert unlabelled["joint_weight"].sum() == 0 and unlabelled["present"] == 1 and unlabelled["right_side"] == 0.5
    empty = DepthCrops(dataset(centers=False, side="left"))[0]  # specks alone have no centre of mass
    assert empty["present"] == 0 and empty["joint_weight"].sum() == 0 and empty["right_side"] == 0
    assert (empty["depth_crop"] == 1).all() and np.isfinite(empty["joints"]).all()


def test_another_cube_than_the_protocols():
    sample = DepthCrops(dataset(), settings=CropSettings(cube_m=0.2))[0]
    assert sample["cube_m"] == np.float32(0.2) and (sample["half_uvd"] == np.float32(0.1)).all()


def test_a_dataset_without_frames_is_refused():
    with pytest.raises(DatasetError, match="tiny train has no frames"):
        DepthCrops(dataset().only(np.zeros(5, bool)))
