"""DenseReg's baselines 1 to 3 and its hand detector: shapes, that they learn, and what counts for nothing."""

import pytest
import torch
from densereg_small import HOURGLASS, NUMBERS, crops
from learning import learn, losses_with_masked_joints_moved

from hand_pose_training.methods.densereg_baselines import (
    CoordinateRegression,
    CoordinateSettings,
    DetectionRegression,
    DetectionSettings,
    NumbersSettings,
)
from hand_pose_training.methods.densereg_detector import DetectorSettings, JointDetector, crop_center
from hand_pose_training.methods.method import Method


def coordinates() -> Method:
    return CoordinateRegression(CoordinateSettings(numbers=NUMBERS, backbone=HOURGLASS), joints=21)


def detection(regress: str = "coordinates") -> Method:
    return DetectionRegression(DetectionSettings(regress, tau_cells=3.0, numbers=NUMBERS, backbone=HOURGLASS), joints=21)


def detector() -> Method:
    return JointDetector(DetectorSettings(tau_cells=3.0, backbone=HOURGLASS), joints=21)


@pytest.mark.parametrize(
    ("make", "bound_m"), [(coordinates, 0.015), (detection, 0.015), (lambda: detection("depth"), 0.025)], ids=["1", "2", "3"]
)
def test_each_baseline_learns_a_few_hands(make, bound_m: float):
    torch.manual_seed(0)
    before, after = learn(make(), crops(8), 120, 4e-3)
    assert before > 0.040
    assert after < bound_m


def test_the_detector_learns_where_joints_are_in_the_image():
    torch.manual_seed(0)
    net, batch = detector(), crops(8)
    learn(net, batch, 120, 4e-3)
    with torch.no_grad():
        joints = net.predict(batch).joints
    assert (joints - batch["joints"])[..., :2].norm(dim=-1).mean() < 0.15
    assert (crop_center(joints) - crop_center(batch["joints"]))[:, :2].abs().max() < 0.13


def test_the_centre_is_the_median_of_the_joints():
    joints = torch.tensor([[[0.0, 0.0, 0.0], [0.2, -0.4, 0.1], [0.9, -0.5, 0.3]]])
    assert crop_center(joints)[0].tolist() == pytest.approx([0.2, -0.4, 0.1])


def test_baseline_3_takes_the_image_position_from_the_heat_maps():
    heat = torch.zeros(1, 21, 12, 12)
    heat[:, :, 3, 8] = 1
    found = detection("depth").decode(heat, torch.full((1, 21, 1), 0.4))
    assert found[0, 7].tolist() == pytest.approx([17 / 12 - 1, 7 / 12 - 1, 0.4])


def test_the_detectors_depth_is_that_of_the_surface():
    crop, heat = torch.ones(1, 1, 8, 8), torch.zeros(1, 1, 2, 2)
    crop[..., :4, :4], heat[..., 0, :] = -0.3, 1
    joints = JointDetector(DetectorSettings(backbone=HOURGLASS), joints=1).decode(crop, heat)
    assert joints[0, 0].tolist() == pytest.approx([0, -0.5, -0.3])


@pytest.mark.parametrize("make", [coordinates, detection, detector])
def test_crops_that_teach_nothing_and_joints_without_a_label_count_for_nothing(make):
    net, batch = make(), crops(2)
    batch["teaches"] = torch.tensor([1.0, 0.0])
    batch["joint_weight"][0, 4] = 0
    before, after = losses_with_masked_joints_moved(net, net(batch), batch)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_another_size_of_crops_is_named():
    with pytest.raises(ValueError, match=r"crops of 64 pixels for layers of model.numbers.size 48"):
        detection()({"depth_crop": torch.zeros(1, 1, 64, 64)})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: NumbersSettings(size=96, pools=4), r"numbers.size 96: 4 pools need a multiple of 64"),
        (lambda: DetectionSettings(regress="angles"), r"model.regress 'angles': one of coordinates, depth"),
    ],
)
def test_settings_that_make_no_sense_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
