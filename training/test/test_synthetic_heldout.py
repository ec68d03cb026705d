"""Crops whose kinds are fixed by their number."""

from itertools import combinations

import numpy as np
import pytest

from hand_pose_training.data import fixed_crops
from hand_pose_training.synthetic.heldout import COMPANIONS, DISTANCE_M, SENSORS, VIEWS, QuotaCrops, Quotas, covered_joints
from hand_pose_training.synthetic.scene import Companion
from hand_pose_training.synthetic.sensors.faults import Sensor
from hand_pose_training.synthetic.sensors.optics import SensorKind
from hand_pose_training.synthetic.views import View

WHOLE = fixed_crops("heldout", 96).quotas


def columns(quotas: Quotas) -> dict[str, np.ndarray]:
    thirds = np.linspace(*DISTANCE_M, 4)[1:-1]
    named = {name: np.asarray(getattr(quotas, name)) for name in ("sensor", "companion", "view", "right")}
    return named | {"distance": np.digitize(quotas.distance_m, thirds)}


def test_the_held_out_set_has_its_quotas_exactly():
    assert len(WHOLE.sensor) == 2000 and WHOLE.present.all()
    for values, shares in ((WHOLE.sensor, SENSORS), (WHOLE.companion, COMPANIONS), (WHOLE.view, VIEWS)):
        for kind, share in shares.items():
            assert abs((values == kind).sum() - 2000 * share) <= 1
    assert (WHOLE.companion != Companion.NONE).sum() == 1000 and (WHOLE.view == View.EGOCENTRIC).sum() == 500
    assert WHOLE.right.sum() == 1000
    np.testing.assert_allclose(np.sort(WHOLE.distance_m), 0.25 + 0.95 * (np.arange(2000) + 0.5) / 2000)


def test_the_counts_that_are_printed_are_those_of_the_quotas():
    counts = WHOLE.counts()
    assert counts["sensor"] == {"structured_light": 667, "stereo": 666, "time_of_flight": 667}
    assert counts["companion"] == {"none": 1000, "object": 500, "second_hand": 500}
    assert counts["view"] == {"egocentric": 500, "any": 667, "facing": 500, "overhead": 333}
    assert counts["side"] == {"right": 1000, "left": 1000} and counts["presence"] == {"hand": 2000, "no_hand": 0}
    assert set(counts["distance_m"].values()) == {400} and len(counts["distance_m"]) == 5


@pytest.mark.parametrize("pair", list(combinations(columns(WHOLE), 2)), ids="-".join)
def test_quotas_are_independent_of_one_another(pair: tuple[str, str]):
    first, second = (columns(WHOLE)[name] for name in pair)
    for a in np.unique(first):
        for b in np.unique(second):
            expected = (first == a).mean() * (second == b).mean()
            assert ((first == a) & (second == b)).mean() == pytest.approx(expected, rel=0.1)


@pytest.mark.parametrize("count", [120, 500])
def test_the_first_so_many_hold_the_quotas_nearly(count: int):
    some = columns(WHOLE.first(count))
    for name, values in columns(WHOLE).items():
        for kind in np.unique(values):
            assert (some[name] == kind).mean() == pytest.approx((values == kind).mean(), abs=0.05)


def test_negatives_have_their_share():
    quotas = Quotas.of(1000, negatives=0.1)
    assert (~quotas.present).sum() == 100
    assert abs((quotas.sensor[~quotas.present] == SensorKind.STEREO).sum() - 33) <= 5


def test_crops_are_what_the_quotas_say():
    crops = fixed_crops("heldout", 48, crops=24)
    for i in range(len(crops)):
        sample, q = crops[i], crops.quotas
        assert (sample["sensor"], sample["companion"], sample["view"]) == (q.sensor[i], q.companion[i], q.view[i])
        assert bool(sample["right_side"]) == q.right[i] and bool(sample["object"]) == (q.companion[i] == Companion.OBJECT)
        assert crops.scene(i)[1].focus[2] == pytest.approx(q.distance_m[i], abs=0.002)
        assert sample["present"] == 1


def test_measuring_takes_sensors_that_training_never_draws_and_calibration_does_not():
    held_out, calibration = fixed_crops("heldout", 48, crops=6), fixed_crops("calibration", 48, crops=6)
    assert not any(isinstance(held_out.scene(i)[3], Sensor) for i in range(6))
    assert all(isinstance(calibration.scene(i)[3], Sensor) for i in range(6))


def test_a_subset_is_the_beginning_of_the_set():
    few, more = fixed_crops("heldout", 48, crops=3), fixed_crops("heldout", 48, crops=9)
    np.testing.assert_array_equal(few[2]["depth_crop"], more[2]["depth_crop"])


def test_what_lies_before_a_hand_covers_its_joints():
    crops: QuotaCrops = fixed_crops("heldout", 48, crops=40)
    alone = next(i for i in range(40) if crops.quotas.companion[i] == Companion.NONE and crops[i]["covered"] == 0)
    scene = crops.scene(alone)[1]
    # A sheet at half the way covers all, one behind the hand none.
    normal = np.array([0.0, 0.0, 1.0])
    scene.planes.append((normal, scene.joints[:, 2].max() + 0.1))
    assert covered_joints(scene) == 0
    scene.planes.append((normal, scene.joints[:, 2].min() / 2))
    assert covered_joints(scene) == 21
