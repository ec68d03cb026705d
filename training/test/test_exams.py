"""What a model is measured on, and what its page and figures say of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_ho3d import root  # noqa: F401

from hand_pose_ros.skeleton import HAND21
from hand_pose_training.data import CUBE_M, fixed_set
from hand_pose_training.datasets.ho3d import Ho3d
from hand_pose_training.datasets.sample import DatasetError
from hand_pose_training.exams import calibration_and_test
from hand_pose_training.figures import figures_of
from hand_pose_training.model_page import recipe_path
from hand_pose_training.predict import write
from hand_pose_training.recipe import load_recipe
from hand_pose_training.recipes import CONFIGS


def test_frames_that_were_trained_on_are_called_so(root: Path):  # noqa: F811
    recipe = load_recipe(CONFIGS / "jar/ho3d.yaml", [f"data.root={root}", "data.size=64"])
    calibration, test = calibration_and_test(recipe, CUBE_M, "rgb_crop")
    assert test.name == "ho3d train, which was trained on, even ones of 2 frames taken evenly"
    assert calibration.name.startswith("ho3d train, which was trained on, odd")
    assert not replace(recipe.data, train_split="a", validation_split="b").validates_on_training_data


@pytest.mark.parametrize("name", ["densereg/baseline1", "jar/resnet50_afr", "awr/resnet50"])
def test_a_page_names_the_recipe_s_file(name: str):
    """Runs, files and models are called by the recipe's name, which has the folder's before the file's."""
    recipe = load_recipe(CONFIGS / f"{name}.yaml")
    assert recipe_path(recipe) == f"training/configs/{name}.yaml"
    assert recipe_path(replace(recipe, name="mine")) == "RECIPE.yaml"


def test_joints_without_a_label_count_neither_as_near_nor_as_far():
    batch = fixed_set("heldout", 48, crops=4)
    batch["joint_weight"][:, 3:] = 0
    outputs = {"joints": batch["joints"], "confidence": np.ones((4, 21))}
    (told,) = figures_of(batch, outputs, HAND21)["confidence"]["bins"]
    assert (told["joints"], told["share_within_20mm"]) == (4 * 3, 1.0)


def test_colour_predictions_go_to_npz(tmp_path: Path, root: Path):  # noqa: F811
    with pytest.raises(DatasetError, match="write .npz"):
        write(tmp_path / "found.txt", np.zeros((2, 21, 3)), ["a", "b"], Ho3d(root))
