"""The detector's maps and peaks, computed by hand, and its losses."""

import numpy as np
import pytest
import torch

from hand_pose_training.detector.network import FAR_M, HandCenterNet, Maps, NetworkSettings, center_depth
from hand_pose_training.detector.targets import MAX_SPREAD, MIN_SPREAD, disk_spread, encode, losses, mirrored_elsewhere

SHAPE = (128, 160)
SMALL = NetworkSettings(stem=4, channels=(4, 4, 4, 4), blocks=(0, 0, 0, 0), decoder=4, candidates=3)
# Pixel 41.5 is the middle between pixels 40 to 43 of cell 10, pixel 62.5 that plus a quarter of cell 15's four.
HAND = np.array([[41.5, 62.5, 0.65]])


def batched(maps: dict[str, np.ndarray]) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(value)[None] for name, value in maps.items()}


def test_a_hand_s_maps():
    maps = encode(HAND, np.array([False]), 130.0, SHAPE)
    assert maps["heat"].shape == (32, 40) and maps["heat"].max() == maps["heat"][15, 10] == 1
    assert maps["offset"][:, 15, 10] == pytest.approx([0.0, 0.25])
    assert maps["offset"][:, 16, 9] == pytest.approx([1.0, -0.75])
    assert maps["depth"][15, 10] == np.float32(0.65)
    # 2 cm at 0.65 m and 130 px are 4 px, a cell: one cell aside the disk has exp(-1/2).
    assert maps["heat"][15, 11] == pytest.approx(np.exp(-0.5))
    assert maps["near"][15, 11] == pytest.approx(np.exp(-0.5)) and maps["near"][15, 13] == 0
    assert maps["counts"].all()


def test_disks_have_limits():
    assert disk_spread(np.array([0.65, 20.0, 0.01]), 130.0) == pytest.approx([1.0, MIN_SPREAD, MAX_SPREAD])


def test_of_two_hands_each_cell_belongs_to_the_one_whose_disk_is_higher():
    hands = np.array([[41.5, 61.5, 0.6], [53.5, 61.5, 0.8]])
    maps = encode(hands, np.array([False, False]), 130.0, SHAPE)
    assert maps["depth"][15, 11] == np.float32(0.6) and maps["depth"][15, 12] == np.float32(0.8)
    assert (maps["heat"] == 1).sum() == 2


def test_a_hand_that_counts_for_nothing_leaves_a_hole():
    hands = np.array([[41.5, 61.5, 0.6], [61.5, 61.5, 0.6]])
    maps = encode(hands, np.array([False, True]), 130.0, SHAPE)
    assert maps["heat"][15, 15] < 0.01 and maps["counts"][15, 15] == 0
    assert maps["counts"][15, 10] == 1 and maps["counts"][0, 0] == 1


def test_peaks_come_back_where_the_hand_was_put():
    net = HandCenterNet(SMALL)
    heat = torch.full((1, 1, 32, 40), -5.0)
    heat[0, 0, 15, 10], heat[0, 0, 15, 11], heat[0, 0, 3, 39] = 4.0, 3.9, 1.0
    place, surface = torch.zeros(1, 12, 32, 40), torch.zeros(1, 9, 32, 40)
    place[0, :2, 15, 10] = torch.tensor([0.0, 0.25])
    place[0, 2, 15, 10] = 0.5  # 5 cm behind what it sees
    surface[0, 4, 15, 10] = FAR_M - 0.6
    peaks = net.peaks(Maps(heat, place, surface))
    # The cell beside the highest one is no peak of its own.
    assert peaks.logit[0, :2].tolist() == [4.0, 1.0] and peaks.logit[0, 2] < 0
    u, v = (2 * 41.5 + 1) / 160 - 1, (2 * 62.5 + 1) / 128 - 1
    assert peaks.centers[0, 0].tolist() == pytest.approx([u, v, 0.65], abs=1e-6)
    assert peaks.centers[0, 1, 0].item() == pytest.approx(2 * 39.5 / 40 - 1)


def test_votes_for_the_depth_leave_out_cells_without_any():
    place, surface = torch.zeros(1, 12), torch.zeros(1, 9)
    surface[0, :2] = FAR_M - torch.tensor([0.5, 0.7])
    assert center_depth(place, surface).item() == pytest.approx(0.6)
    place[0, 3] = 1.0
    first = np.e / (np.e + 1)
    assert center_depth(place, surface).item() == pytest.approx(0.5 * first + 0.7 * (1 - first))


def test_the_nearest_surface_of_each_cell_and_its_neighbours():
    frame = torch.full((1, 1, *SHAPE), 2.0)
    frame[0, 0, :, 100:] = 0
    frame[0, 0, 60, 40] = 0.5
    surface = HandCenterNet(SMALL)(frame, torch.full((1, 1), 130.0)).surface[0]
    assert surface[4, 15, 10].item() == pytest.approx(FAR_M - 0.5)
    assert surface[:, 15, 11].tolist() == pytest.approx([1.0, 1.0, 1.0, FAR_M - 0.5, 1.0, 1.0, 1.0, 1.0, 1.0])
    assert surface[4, 15, 30].item() == 0 and surface[0, 0, 0].item() == 0


def test_a_mirrored_frame_elsewhere_has_the_maps_of_its_own_hand():
    scale = torch.tensor([1.25])
    turned = mirrored_elsewhere(
        batched(encode(HAND, np.array([False]), 130.0, SHAPE))
        | {"depth_frame": torch.rand(1, 1, *SHAPE), "focal_px": torch.full((1, 1), 130.0)},
        scale,
    )
    expected = encode(np.array([[159 - 41.5, 62.5, 0.65 * 1.25]]), np.array([False]), 130.0 * 1.25, SHAPE)
    for name, value in expected.items():
        where = expected["near"] > 0 if name in ("offset", "depth") else np.ones_like(value, bool)
        assert np.allclose(turned[name][0].numpy() * where, value * where, atol=1e-5), name
    assert turned["focal_px"].item() == 130 * 1.25


def test_losses_of_a_right_answer_are_small_and_of_a_wrong_one_large():
    truth = batched(encode(HAND, np.array([False]), 130.0, SHAPE))
    place, surface = torch.zeros(1, 12, 32, 40), torch.full((1, 9, 32, 40), FAR_M - 0.65)
    place[:, :2] = truth["offset"]
    right = losses(Maps(torch.where(truth["heat"] == 1, 8.0, -8.0)[:, None], place, surface), truth)
    assert sum(right.values()) < 0.01
    absent = losses(Maps(torch.full((1, 1, 32, 40), -8.0), place, surface), truth)
    assert absent["heat_loss"] == pytest.approx(8, abs=0.1)  # -log of its probability
    beside = losses(Maps(torch.where(truth["heat"] == 1, 8.0, -8.0)[:, None], 0 * place, surface - 0.1), truth)
    assert beside["depth_loss"].item() == pytest.approx(0.2 * (0.1 - 0.01) / 0.1, abs=1e-3)
    assert beside["offset_loss"] > 0.05
