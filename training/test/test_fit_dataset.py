"""Training on a dataset's own files: epochs, a rate that falls at a plateau, validation on the other split."""

import csv
from dataclasses import replace

import numpy as np
import pytest
import torch
from depth_files import ball_image, spread_joints
from small import small_recipe
from test_dataset_nyu import write_depth, write_labels

from hand_pose_ros.inference.engine import load_engine
from hand_pose_training.backbones.resnet import Resnet, ResnetSettings
from hand_pose_training.callbacks import validation_error_m
from hand_pose_training.cli import main
from hand_pose_training.data import CUBE_M, DataSettings, training_crops, training_cube_m, validation_crops
from hand_pose_training.datasets import nyu
from hand_pose_training.datasets.centers import write_centers
from hand_pose_training.datasets.sample import DatasetError
from hand_pose_training.export import export
from hand_pose_training.fit import fit
from hand_pose_training.methods.awr import AwrSettings
from hand_pose_training.optim import OptimSettings
from hand_pose_training.predict import write
from hand_pose_training.recipe import BudgetSettings, Recipe, RecipeError
from hand_pose_training.score.files import read_poses
from hand_pose_training.task import load_task

FRAMES = {"train": 16, "test": 5}


@pytest.fixture
def recipe(tmp_path) -> Recipe:
    """Two frames a step; the rate halves after every epoch that is no better, which a rate of 0 makes of all but the first."""
    for split, frames in FRAMES.items():
        (tmp_path / "nyu" / split).mkdir(parents=True)
        joints = np.stack([spread_joints(36, (0, 0, 0.7), i) for i in range(frames)])
        for i in range(frames):
            write_depth(tmp_path / "nyu" / split / f"depth_1_{i + 1:07d}.png", ball_image(nyu.CAMERA, joints[i], 2001))
        write_labels(tmp_path / "nyu" / split / "joint_data.mat", joints)
    return replace(
        small_recipe(samples=8, side="unknown"),
        skeleton="nyu14",
        data=DataSettings(source="nyu", root=str(tmp_path / "nyu"), size=48, validation_frames=4),
        optim=OptimSettings(learning_rate=1e-30, schedule="plateau", decay=0.5, decay_epochs=1, warmup=0.0, average_decay=0.0),
        budget=BudgetSettings(epochs=4),
    )


def test_epochs_of_a_dataset_lower_the_rate_at_a_plateau(recipe: Recipe, tmp_path):
    fit(recipe, tmp_path / "run")
    task = load_task(tmp_path / "run/final.ckpt")
    assert task.samples_seen == 4 * FRAMES["train"]
    rows = list(csv.DictReader(next((tmp_path / "run").glob("csv/*/metrics.csv")).open()))
    rates = [float(row["learning_rate"]) for row in rows if row["learning_rate"]]
    assert rates[:4] == pytest.approx([1e-30] * 4)
    assert rates[-1] < 1e-30
    assert len([row for row in rows if row.get("validation_mean_error_mm")]) >= 4
    assert torch.load(tmp_path / "run/final.ckpt", weights_only=False)["run"]["plateau"]["drops"] > 0


def test_a_run_ends_early_when_nothing_gets_better_but_not_before_its_last_stage(recipe: Recipe, tmp_path):
    """Joint supervision begins after 5 of 50 epochs; two standing epochs after that end the run."""
    model = replace(recipe.model, supervision="both", dense_only=0.1)
    stopping = replace(recipe, model=model, budget=BudgetSettings(epochs=50, plateau_epochs=2))
    assert 6 <= fit(stopping, tmp_path / "run").samples_seen / FRAMES["train"] <= 9


def test_a_new_stage_begins_with_the_rate_of_the_beginning_at_once(recipe: Recipe, tmp_path):
    """And not at the end of its first epoch, when the error is looked at."""
    model = replace(recipe.model, supervision="both", dense_only=0.5)
    fit(replace(recipe, model=model, budget=BudgetSettings(epochs=8)), tmp_path / "run")
    rows = list(csv.DictReader(next((tmp_path / "run").glob("csv/*/metrics.csv")).open()))
    rates = {float(row["samples"]): float(row["learning_rate"]) for row in rows if row["learning_rate"]}
    stage, epoch = 4 * FRAMES["train"], FRAMES["train"]
    assert rates[stage - recipe.loop.batch_size] < 1e-30
    assert max(abs(rate / 1e-30 - 1) for at, rate in rates.items() if stage <= at < stage + epoch) < 1e-6


def test_each_split_has_a_file_of_centres(recipe: Recipe, tmp_path):
    for split in FRAMES:
        frames = nyu.open_dataset(recipe.data.root, split)
        write_centers(tmp_path / f"centers_{split}.txt", frames.centers, frames.y_up)
    short = replace(recipe, optim=OptimSettings(), budget=BudgetSettings(samples=8))

    def given(file: str) -> Recipe:
        return replace(short, data=replace(short.data, options={"center": str(tmp_path / file)}))

    with pytest.raises(
        DatasetError, match="centers_train.txt: 16 centres for 5 frames: .*write {split} in the place of its name"
    ):
        fit(given("centers_train.txt"), tmp_path / "one")
    fit(given("centers_{split}.txt"), tmp_path / "run")
    assert export(tmp_path / "run/final.ckpt", tmp_path / "nyu.onnx").errors["center"] == "file centers_test.txt"


def test_frames_that_are_held_out_are_watched_and_not_trained_on(recipe: Recipe):
    settings = replace(recipe.data, holdout_every=4, augment=None)
    crops, _, epoch = training_crops(1, settings, "depth_crop")
    trained = {tuple(crops[i]["center"]) for i in range(epoch)}
    watched, _, _ = validation_crops(settings, "depth_crop")
    assert (epoch, len(trained), len(watched["center"])) == (12, 12, 4)
    assert not trained & set(map(tuple, watched["center"]))
    frames = nyu.open_dataset(recipe.data.root, "train")
    assert np.allclose(watched["center"], frames.centers[::4])
    with pytest.raises(ValueError, match="holdout_every 1: 0 for none, or 2 or more"):
        replace(recipe.data, holdout_every=1)


def test_the_cube_of_a_model_is_that_of_training(recipe: Recipe, monkeypatch):
    """Most frames of NYU's test split are of a smaller hand, whose cube is smaller."""
    monkeypatch.setattr(nyu, "SMALL_HAND_FROM", 1)
    assert np.median(nyu.open_dataset(recipe.data.root, "test").cube_m) == pytest.approx(0.25)
    assert training_cube_m(recipe.data) == pytest.approx(0.3)
    assert training_cube_m(replace(recipe.data, options={"cube_m": 0.25})) == pytest.approx(0.25)
    assert training_cube_m(DataSettings()) == CUBE_M


def test_frames_without_anything_to_crop_about_are_left_out_of_predictions(recipe: Recipe, tmp_path, capsys):
    fit(replace(recipe, optim=OptimSettings(), budget=BudgetSettings(samples=8)), tmp_path / "run")
    export(tmp_path / "run/final.ckpt", tmp_path / "nyu.onnx")
    for i in range(1, 6):
        image = np.full((480, 640), 2001)
        image[200:280, 280:360] = 700 if i != 3 else 2001
        write_depth(tmp_path / f"nyu/test/depth_1_{i:07d}.png", image)
    command = ["predict", str(tmp_path / "nyu.onnx"), "--dataset", "nyu", "--root", recipe.data.root, "--split", "test"]
    assert main([*command, "--option", "center=center_of_mass", "--out", str(tmp_path / "found.npz")]) == 0
    names = np.load(tmp_path / "found.npz")["names"].tolist()
    assert names == [f"depth_1_{i:07d}.png" for i in (1, 2, 4, 5)]
    said = capsys.readouterr().out
    assert "1 frames are left out" in said and "edge of their cube: 0.3 m" in said


def test_a_text_of_predictions_is_as_its_benchmark_has_it(recipe: Recipe, tmp_path):
    """HANDS 2017 has x y z in millimetres, others pixels and millimetres."""
    frames = nyu.open_dataset(recipe.data.root, "test")
    joints = np.array([[[0.1, -0.05, 0.5]] * 21])
    write(tmp_path / "found.txt", joints, ["0"], replace(frames, name="hands2017"))
    assert np.loadtxt(tmp_path / "found.txt")[:3] == pytest.approx([100, -50, 500])
    assert read_poses(tmp_path / "found.txt", 21, "xyz", None).joints == pytest.approx(joints)


def test_a_checkpoint_needs_no_file_of_weights_that_its_run_began_with(recipe: Recipe, tmp_path):
    weights = tmp_path / "resnet18.pth"
    torch.save(Resnet(18).state_dict(), weights)
    model = AwrSettings(backbone=ResnetSettings(layers=18, stride=4, weights=str(weights)))
    began = replace(recipe, model=model, optim=OptimSettings(), budget=BudgetSettings(samples=8))
    fit(began, tmp_path / "run")
    weights.unlink()
    task = load_task(tmp_path / "run/final.ckpt", ["model.temperature=20"])
    assert task.recipe.model.backbone.weights == str(weights)  # still told
    with pytest.raises(ValueError, match="resnet18.pth: no such file"):
        fit(began, tmp_path / "again")


def test_a_plateau_needs_labels_to_be_told_by(recipe: Recipe, tmp_path):
    """A schedule that does not look at the error goes on."""
    write_labels(tmp_path / "nyu/test/joint_data.mat", np.full((FRAMES["test"], 36, 3), np.nan))
    blind = replace(recipe, data=replace(recipe.data, options={"center": "center_of_mass"}))
    with pytest.raises(RecipeError, match="nyu test has no labels to tell a plateau by"):
        fit(blind, tmp_path / "run")
    fixed = replace(blind, optim=OptimSettings(schedule="constant"), budget=BudgetSettings(epochs=1))
    task = fit(fixed, tmp_path / "fixed")
    assert np.isnan(validation_error_m(task, task.validation_crops()))


def test_a_missing_dataset_is_named(recipe: Recipe, tmp_path):
    with pytest.raises(DatasetError, match="nowhere"):
        fit(replace(recipe, data=replace(recipe.data, root=str(tmp_path / "nowhere"))), tmp_path / "run")


def test_a_model_of_a_dataset_is_measured_and_predicts_what_score_reads(recipe: Recipe, tmp_path, capsys):
    fit(replace(recipe, budget=BudgetSettings(samples=8)), tmp_path / "run")
    card = export(tmp_path / "run/final.ckpt", tmp_path / "nyu.onnx")
    assert card.skeleton == "nyu14" and card.errors["crops"] == 2
    assert card.errors["set"] == "nyu test, even ones of 4 frames taken evenly"
    assert "ground truth" in card.errors["center"]
    assert "the terms of nyu hold" in (tmp_path / "nyu.md").read_text()
    assert load_engine(tmp_path / "nyu.onnx").card.cube_m == pytest.approx(0.3)

    found, truth = tmp_path / "found.txt", tmp_path / "truth.txt"
    data = ["--dataset", "nyu", "--root", recipe.data.root, "--split", "test"]
    assert main(["predict", str(tmp_path / "nyu.onnx"), *data, "--out", str(found), "--ground-truth", str(truth)]) == 0
    assert "5 frames of nyu test" in capsys.readouterr().out
    rows = np.loadtxt(truth)
    assert rows.shape == (5, 42) and np.isfinite(np.loadtxt(found)).all()
    x, y, z = nyu.open_dataset(recipe.data.root, "test")[0].joints[3]
    assert rows[0, 9:12] == pytest.approx([588.03 * x / z + 320, 587.07 * y / z + 240, 1000 * z], abs=1e-2)
    assert main(["score", "--dataset", "nyu", str(truth), str(truth)]) == 0
    assert "0.000 mm" in capsys.readouterr().out
