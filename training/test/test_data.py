"""Which crops a run sees."""

from itertools import islice

import numpy as np
import pytest

from hand_pose_ros.skeleton import HAND21, skeleton
from hand_pose_training.data import (
    DataSettings,
    EndlessSampler,
    Prepared,
    as_right_hands,
    endless_loader,
    fixed_crops,
    fixed_set,
    relabelled,
    training_crops,
)

SMALL = DataSettings(size=32)


def test_processes_together_take_every_index_once():
    first, second = (list(islice(EndlessSampler(100, rank, 2), 4)) for rank in (0, 1))
    assert sorted(first + second) == list(range(100, 108))


def test_a_resumed_loader_goes_on_with_the_next_crops():
    crops, _, epoch = training_crops(1, SMALL, "depth_crop")
    assert epoch == 100_000
    whole = next(iter(endless_loader(crops, 6)))
    rest = next(iter(endless_loader(crops, 4, start=2)))
    assert np.array_equal(whole["depth_crop"][2:], rest["depth_crop"])
    assert np.array_equal(whole["joints"][2:], rest["joints"])


def test_training_may_not_take_the_seed_of_another_set():
    with pytest.raises(ValueError, match="2000001"):
        training_crops(2_000_001, SMALL, "depth_crop")


def test_samples_get_the_networks_inputs_and_complete_labels():
    def upside_down(crops: np.ndarray) -> dict[str, np.ndarray]:
        return {"upside_down": crops[..., ::-1, :]}

    crops, source, _ = training_crops(1, SMALL, "depth_crop")
    sample = Prepared(crops, source, HAND21, upside_down, "depth_crop")[3]
    assert np.array_equal(sample["upside_down"][0], crops[3]["depth_crop"][0, ::-1])
    assert sample["joint_weight"].tolist() == [1.0] * 21 and sample["teaches"] == 1


def test_labels_for_another_skeleton_go_by_name():
    batch = fixed_set("heldout", 32, crops=2)
    batch["joint_weight"][1, HAND21.index("thumb_tip")] = 0
    nyu14 = skeleton("nyu14")
    found = relabelled(batch, HAND21, nyu14)
    assert found["joints"].shape == (2, 14, 3)
    assert np.array_equal(found["joints"][:, nyu14.index("index_tip")], batch["joints"][:, HAND21.index("index_tip")])
    weights = dict(zip(nyu14.joint_names, found["joint_weight"].T.tolist()))
    assert weights["index_tip"] == [1, 1] and weights["thumb_tip"] == [1, 0] and weights["palm"] == [0, 0]
    assert np.isfinite(found["joints"]).all()


def test_the_hand_center_is_the_mean_of_the_labelled_joints():
    batch = fixed_set("heldout", 32, crops=2)
    batch["joint_weight"][0, 1:] = 0
    batch["joint_weight"][1] = 0
    found = relabelled(batch, HAND21, skeleton("hand_center"))
    assert np.allclose(found["joints"][0, 0], batch["joints"][0, 0])
    assert found["joint_weight"].tolist() == [[1], [0]]


def test_fixed_sets_repeat_and_differ():
    heldout, again, calibration = (fixed_set(name, 32, crops=3) for name in ("heldout", "heldout", "calibration"))
    assert np.array_equal(heldout["depth_crop"], again["depth_crop"])
    assert not np.array_equal(heldout["depth_crop"], calibration["depth_crop"])
    assert (heldout["present"] == 1).all()


def test_familiar_crops_have_the_quotas_of_held_out_ones_and_training_s_sensors():
    familiar, heldout = (fixed_crops(name, 32, crops=6) for name in ("familiar", "heldout"))
    assert familiar.quotas.counts() == heldout.quotas.counts()
    kinds = [{type(crops.scene(i)[3]).__name__ for i in range(6)} for crops in (familiar, heldout)]
    assert kinds[0] == {"Sensor"} and kinds[1] <= {"DotPattern", "WindowMatcher", "PhasorCamera"}


def test_unknown_set_lists_the_known_ones():
    with pytest.raises(ValueError, match="heldout, calibration, validation"):
        fixed_set("test", 32)


def test_left_hands_become_right_ones_by_mirroring():
    batch = fixed_set("heldout", 32, crops=8)
    mirrored = as_right_hands(batch)
    left = batch["right_side"] == 0
    assert left.any() and not left.all()
    assert np.array_equal(mirrored["depth_crop"][left], batch["depth_crop"][left][..., ::-1])
    assert np.array_equal(mirrored["joints"][left] * [-1, 1, 1], batch["joints"][left])
    assert np.array_equal(mirrored["joints"][~left], batch["joints"][~left])
    assert (mirrored["right_side"] == 1).all()
