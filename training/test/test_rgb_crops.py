"""Training samples of colour images: labels follow the picture through every draw, and metres come back."""

import numpy as np
import pytest
import torch

from hand_pose_ros.geometry.camera import Camera
from hand_pose_ros.skeleton import HAND21
from hand_pose_training.datasets.rgb_augment import RgbAugmentation, RgbAugmentSettings, draw
from hand_pose_training.datasets.rgb_crops import RgbCrops, RgbCropSettings, joints_m, rgb_sample, window_m
from hand_pose_training.datasets.sample import DatasetError, Sample

CAMERA = Camera(320, 240, 300.0, 310.0, 158.0, 121.0)
JAR = RgbAugmentSettings()
AS_IS = RgbAugmentation()
TRAINING = RgbCropSettings(8, JAR, shuffle=True)


def picture_with_dot(pixel: np.ndarray) -> np.ndarray:
    """(240, 320, 3) a soft white dot on black."""
    v, u = np.mgrid[:240, :320]
    dot = np.exp(-((u - pixel[0]) ** 2 + (v - pixel[1]) ** 2) / (2 * 4.0**2))
    return np.repeat((255 * dot).round().astype(np.uint8)[..., None], 3, axis=2)


def hand(root=(0.01, 0.02, 0.5)) -> np.ndarray:
    return np.asarray(root) + np.random.default_rng(3).uniform(-0.07, 0.07, size=(21, 3)) * (np.arange(21)[:, None] > 0)


def sample_of(labels: np.ndarray, image: np.ndarray | None = None, **changes) -> Sample:
    values = {
        "name": "0",
        "image": np.zeros((240, 320, 3), np.uint8) if image is None else image,
        "camera": CAMERA,
        "joints": labels,
        "center": labels[0],
        "center_source": "wrist, ground truth",
        "cube_m": 0.3,
        "side": "right",
        "bbox": (80.0, 60.0, 240.0, 200.0),
    }
    return Sample(**{**values, **changes})


class Frames:
    """Frames that are told apart by their root's depth."""

    name, split, skeleton = "frames", "train", HAND21

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        return sample_of(hand((0, 0, 0.5 + index / 100)))


def test_how_wide_windows_are():
    """160 px of a camera with fx 300 at 0.5 m and at 0.6 m: 0.267 m and 0.32 m; an unknown depth counts for nothing."""
    samples = [sample_of(hand((0, 0, z))) for z in (0.5, 0.6, 0.6)] + [sample_of(hand(), joints=None, center=None)]
    half = np.stack([rgb_sample(sample, 8, AS_IS, 21)["half_uvd"] for sample in samples])
    assert window_m({"half_uvd": half}) == pytest.approx(160 / 300 * 0.6, abs=1e-4)
    assert window_m({"half_uvd": half[3:]}) == 0


def test_a_sample_without_augmentation_by_hand():
    joints = np.tile([0.01, 0.02, 0.5], (21, 1))
    joints[5] = (0.04, 0.02, 0.53)
    out = rgb_sample(sample_of(joints), 256, AS_IS, 21)
    # Window: middle (160, 130), half width 80. Wrist at pixel 158 + 300 * 0.01 / 0.5 = 164, 121 + 310 * 0.02 / 0.5 = 133.4.
    np.testing.assert_allclose(out["joints"][0], [4 / 80, 3.4 / 80, 0], atol=1e-6)
    pixel = (158 + 300 * 0.04 / 0.53, 121 + 310 * 0.02 / 0.53)
    np.testing.assert_allclose(out["joints"][5], [(pixel[0] - 160) / 80, (pixel[1] - 130) / 80, 0.03 / 0.15], atol=1e-6)
    np.testing.assert_allclose(out["half_uvd"], [80 * 0.5 / 300, 80 * 0.5 / 310, 0.15], atol=1e-7)
    assert out["rgb_crop"].shape == (3, 256, 256)
    assert (out["right_side"], out["present"], out["root_z"]) == (1, 1, 0.5)
    assert all(value.dtype == np.float32 for value in out.values())


@pytest.mark.parametrize("seed", range(8))
def test_a_dot_drawn_at_a_joint_lies_at_the_joints_label(seed: int):
    joints = hand()
    image = picture_with_dot(CAMERA.project(joints[7]))
    out = rgb_sample(sample_of(joints, image), 256, draw(JAR, np.random.default_rng(seed)), 21)
    brightness = out["rgb_crop"].mean(axis=0)
    cells = (2 * np.arange(256) + 1) / 256 - 1
    found = [(brightness.sum(axis=0) * cells).sum(), (brightness.sum(axis=1) * cells).sum()] / brightness.sum()
    np.testing.assert_allclose(found, out["joints"][7, :2], atol=0.3 * 2 / 256)  # 0.3 of a crop's pixel


@pytest.mark.parametrize("seed", range(4))
def test_metres_come_back_from_an_augmented_sample(seed: int):
    joints = hand()
    out = rgb_sample(sample_of(joints, cube_m=0.41), 256, draw(JAR, np.random.default_rng(seed)), 21)
    batch = {name: value[None] for name, value in out.items()}
    np.testing.assert_allclose(joints_m(batch, batch["joints"])[0], joints, atol=2e-7)
    tensors = {name: torch.from_numpy(value) for name, value in batch.items()}
    np.testing.assert_allclose(joints_m(tensors, tensors["joints"])[0].numpy(), joints, atol=2e-7)


def test_a_hand_half_as_far_and_half_as_large_gives_the_same_joints_with_the_measured_root():
    joints = hand()
    batch = {name: value[None] for name, value in rgb_sample(sample_of(joints), 256, AS_IS, 21).items()}
    nearer = batch | {"root_z": batch["root_z"] / 2, "cube_m": batch["cube_m"] / 2}
    np.testing.assert_allclose(joints_m(nearer, batch["joints"])[0], joints / 2, atol=2e-7)


def test_draws_stay_in_their_ranges_and_reach_their_ends():
    joints = hand()
    rng = np.random.default_rng(0)
    draws = [rgb_sample(sample_of(joints), 8, draw(JAR, rng), 21)["to_image"] for _ in range(400)]
    half = np.array([np.hypot(*m[:, 0]) for m in draws])
    angle = np.degrees([np.arctan2(m[1, 0], m[0, 0]) for m in draws])
    shift = np.array([m[:, 2] for m in draws]) - (160, 130)
    for values, low, high in ((half, 72, 88), (angle, -180, 180), (shift, -10, 10)):
        reach = 0.03 * (high - low)
        assert low - 1e-3 <= values.min() < low + reach and high - reach < values.max() <= high + 1e-3


def test_colours_change_by_channel_within_a_fifth():
    white = np.full((240, 320, 3), 150, np.uint8)
    means = []
    for seed in range(60):
        out = rgb_sample(sample_of(hand(), white), 8, draw(RgbAugmentSettings(0, 0, 0, 0.2), np.random.default_rng(seed)), 21)
        means.append(out["rgb_crop"].mean(axis=(1, 2)) / (150 / 255))
    means = np.array(means)
    assert 0.8 <= means.min() < 0.82 and 1.18 < means.max() <= 1.2
    assert np.ptp(means, axis=1).max() > 0.2  # channels differ


def test_a_bright_picture_is_cut_at_one():
    bright = np.full((240, 320, 3), 250, np.uint8)
    pictures = [rgb_sample(sample_of(hand(), bright), 8, draw(JAR, np.random.default_rng(s)), 21)["rgb_crop"] for s in range(20)]
    assert max(p.max() for p in pictures) == 1.0


def test_joints_without_a_label_weigh_nothing():
    joints = hand()
    joints[4] = np.nan
    out = rgb_sample(sample_of(joints), 64, AS_IS, 21)
    assert out["joint_weight"].sum() == 20 and out["joint_weight"][4] == 0 and (out["joints"][4] == 0).all()
    held_back = rgb_sample(sample_of(hand(), joints=None, center=None), 64, AS_IS, 21)
    assert held_back["joints"].shape == (21, 3) and held_back["joint_weight"].sum() == 0 and np.isnan(held_back["root_z"])


def test_what_cannot_be_cropped_is_an_error():
    with pytest.raises(DatasetError, match="window"):
        rgb_sample(sample_of(hand(), bbox=None), 64, AS_IS, 21)
    with pytest.raises(DatasetError, match="root"):
        rgb_sample(sample_of(hand(), center=None), 64, AS_IS, 21)
    with pytest.raises(DatasetError, match="no frames"):
        RgbCrops(Frames(0))


def test_every_epoch_shows_every_frame_in_an_order_of_its_own():
    crops = RgbCrops(Frames(20), seed=1, length=40, settings=TRAINING)
    samples = [crops[i] for i in range(40)]
    frames = [[int(s["frame"]) for s in samples[:20]], [int(s["frame"]) for s in samples[20:]]]
    assert sorted(frames[0]) == sorted(frames[1]) == list(range(20))
    assert frames[0] != frames[1] and frames[0] != list(range(20))
    assert [float(s["root_z"]) for s in samples[:20]] == pytest.approx([0.5 + i / 100 for i in frames[0]])
    plain = RgbCrops(Frames(20), settings=RgbCropSettings(8))
    assert [int(s["frame"]) for s in plain] == list(range(20))


def test_a_crop_depends_on_seed_and_number_alone():
    first, again, other = (RgbCrops(Frames(5), seed=s, length=100, settings=TRAINING) for s in (1, 1, 2))
    again[3]
    np.testing.assert_array_equal(first[9]["to_image"], again[9]["to_image"])
    assert not np.array_equal(first[9]["to_image"], other[9]["to_image"])
    assert not np.array_equal(first[4]["to_image"], first[9]["to_image"])
