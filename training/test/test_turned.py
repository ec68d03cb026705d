"""Several looks at turned crops: turned back rightly, and averaged by what each is worth."""

from pathlib import Path

import numpy as np
import pytest
import torch

from hand_pose_ros.inference.model_file import read_model_file
from hand_pose_training import export
from hand_pose_training.cli import main
from hand_pose_training.methods.method import Prediction
from hand_pose_training.recipe import load_recipe
from hand_pose_training.task import load_task
from hand_pose_training.turned import QUARTERS, Turned

S = 8


class Brightest(torch.nn.Module):
    """Says where a crop's nearest pixel is, and of the covariance what it is told."""

    input_names, joints = ("depth_crop",), 1

    def __init__(self, covariance: list[list[float]]) -> None:
        super().__init__()
        self.covariance = torch.tensor(covariance)

    def predict(self, inputs: dict[str, torch.Tensor]) -> Prediction:
        crops = inputs["depth_crop"][:, 0]
        depth, cell = crops.flatten(1).min(1)
        row, column = cell // S, cell % S
        u, v = ((2 * at + 1) / S - 1 for at in (column, row))
        joints = torch.stack([u, v, depth], -1)[:, None]
        covariance = self.covariance.repeat_interleave(len(crops) // len(self.covariance), 0)[:, None]
        return Prediction(joints, covariance, joints[..., 0], torch.stack([u, v], -1))


def crops_with_a_point_at(*places: tuple[int, int]) -> dict[str, torch.Tensor]:
    crops = torch.ones(len(places), 1, S, S)
    for crop, (row, column) in zip(crops, places):
        crop[0, row, column] = -0.25
    return {"depth_crop": crops}


@pytest.mark.parametrize("views", [1, 2, 3, 4])
def test_all_turns_say_the_same_place_turned_back(views: int):
    inputs = crops_with_a_point_at((1, 6), (7, 0))
    found = Turned(Brightest([[1.0, 0, 0, 1, 0, 1]]), views).predict(inputs)
    assert found.joints[:, 0].tolist() == [pytest.approx([0.625, -0.625, -0.25]), pytest.approx([-0.875, 0.875, -0.25])]
    assert found.covariance[:, 0].tolist() == [pytest.approx([1, 0, 0, 1, 0, 1], abs=1e-6)] * 2


def test_covariances_are_turned_back_too():
    # A quarter turn takes the picture's u axis to its v axis; each look's covariance is told in its own axes.
    upright, turned = [4.0, 1, 0.5, 2, 0.25, 3], [2.0, -1, 0.25, 4, -0.5, 3]
    found = Turned(Brightest([upright, turned]), 2).predict(crops_with_a_point_at((1, 6)))
    assert found.covariance[0, 0].tolist() == pytest.approx(upright)


def test_the_surer_look_counts_more_and_what_they_differ_by_is_spread():
    class Off(Brightest):
        def predict(self, inputs: dict[str, torch.Tensor]) -> Prediction:
            found = super().predict(inputs)
            found.joints[1] = torch.tensor([[0.0, 0.0, 0.75]])  # the second look is a whole unit farther away
            return found

    # Three times the trace of the first look; the floor of 2e-3 is added to both: weights of 3 and 1.
    net = Off([[0.001, 0, 0, 0.001, 0, 0.002], [0.006, 0, 0, 0.004, 0, 0.004]])
    inputs = {"depth_crop": torch.ones(1, 1, S, S)}
    inputs["depth_crop"][0, 0, S // 2, S // 2] = -0.25
    first = Brightest([[1.0] * 6]).predict(inputs).joints[0, 0].tolist()
    found = Turned(net, 2).predict(inputs)
    weights = np.array([1 / 0.006, 1 / 0.016])
    weights /= weights.sum()
    mean = weights[0] * np.array(first) + weights[1] * np.array([0, 0, 0.75])
    assert found.joints[0, 0].tolist() == pytest.approx(mean.tolist(), abs=1e-6)
    # The second look's xx and yy change places on the way back.
    about_z = weights @ [(first[2] - mean[2]) ** 2, (0.75 - mean[2]) ** 2]
    assert float(found.covariance[0, 0, 5]) == pytest.approx(weights @ [0.002, 0.004] + about_z, abs=1e-6)
    about_x = weights @ [(first[0] - mean[0]) ** 2, mean[0] ** 2]
    assert float(found.covariance[0, 0, 0]) == pytest.approx(weights @ [0.001, 0.004] + about_x, abs=1e-6)


def test_an_exported_model_of_two_views_is_one_file_that_says_so(small_checkpoint: Path, tmp_path: Path, few_crops):
    out = tmp_path / "accurate.onnx"
    assert main(["export", str(small_checkpoint), "--out", str(out), "--name", "accurate", "--views", "2"]) == 0
    card = read_model_file(out).card
    assert card.errors["mean_error_mm"] > 0
    assert "Looks at each crop 2 times" in card.trained_on
    assert "--name accurate --views 2\n" in out.with_suffix(".md").read_text()


def test_views_that_cannot_be_are_refused(small_checkpoint: Path, tmp_path: Path, capsys):
    command = ["export", str(small_checkpoint), "--out", str(tmp_path / "a.onnx"), "--views"]
    assert main([*command, "5"]) == 2 and "--views 5: 5 views: 1 to 4" in capsys.readouterr().err
    points = load_recipe(Path(export.__file__).parents[1] / "configs/awr_points/nyu.yaml", []).network()
    with pytest.raises(ValueError, match="views are of networks with a depth crop"):
        Turned(points, 2)
    with pytest.raises(TypeError, match="train without them"):
        Turned(load_task(small_checkpoint).exported_net, 2).losses(None, {}, 0.0)
    assert len(set(QUARTERS)) == 4
