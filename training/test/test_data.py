"""Which crops a run sees."""

from itertools import islice

import numpy as np
import pytest

from hand_pose_training.data import EndlessSampler, as_right_hands, fixed_set, training_loader
from hand_pose_training.synthetic.dataset import SyntheticSettings

SMALL = SyntheticSettings(size=32)


def test_processes_together_take_every_index_once():
    first, second = (list(islice(EndlessSampler(100, rank, 2), 4)) for rank in (0, 1))
    assert sorted(first + second) == list(range(100, 108))


def test_a_resumed_loader_goes_on_with_the_next_crops():
    whole = next(iter(training_loader(1, SMALL, 6)))
    rest = next(iter(training_loader(1, SMALL, 4, start=2)))
    assert np.array_equal(whole["depth_crop"][2:], rest["depth_crop"])
    assert np.array_equal(whole["joints"][2:], rest["joints"])


def test_training_may_not_take_the_seed_of_another_set():
    with pytest.raises(ValueError, match="2000001"):
        training_loader(2_000_001, SMALL, 4)


def test_fixed_sets_repeat_and_differ():
    heldout, again, calibration = (fixed_set(name, 32, crops=3) for name in ("heldout", "heldout", "calibration"))
    assert np.array_equal(heldout["depth_crop"], again["depth_crop"])
    assert not np.array_equal(heldout["depth_crop"], calibration["depth_crop"])
    assert (heldout["present"] == 1).all()


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
