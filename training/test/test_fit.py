"""Training really learns, stops with its budget, and goes on where it stopped."""

import csv
from dataclasses import replace

import pytest
import torch
from learning import learn, losses_with_masked_joints_moved
from small import BATCH, small_recipe

from hand_pose_training.cli import main
from hand_pose_training.data import stacked, to_tensors
from hand_pose_training.fit import fit
from hand_pose_training.methods.awr import Awr
from hand_pose_training.optim import OptimSettings
from hand_pose_training.recipe import BudgetSettings, RecipeError
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings
from hand_pose_training.task import HandPoseTask, _seed, load_task


def crops(count: int, **settings) -> dict[str, torch.Tensor]:
    return to_tensors(stacked(SyntheticCrops(5, count, SyntheticSettings(size=48, negatives=0.0, **settings))))


def network() -> Awr:
    return small_recipe(8).network()


def test_both_supervisions_learn_a_few_hands():
    """Sixteen hands by heart: the error falls from that of a guess to a fraction of a finger's width."""
    torch.manual_seed(0)
    before, after = learn(network(), crops(16, right_hands=1.0), steps=250, learning_rate=4e-3)
    assert before > 0.040
    assert after < 0.008


def test_crops_without_a_hand_teach_closeness_alone():
    batch = crops(2)
    batch["present"] = torch.tensor([1.0, 0.0])
    dense = torch.zeros(2, 84, 12, 12, requires_grad=True)
    (gradient,) = torch.autograd.grad(network().dense_loss(dense + 0.5, batch), dense)
    assert gradient[0, :63].abs().sum() > 0
    assert gradient[1, :63].abs().sum() == 0
    assert gradient[1, 63:].abs().sum() > 0


def test_crops_that_teach_nothing_and_joints_without_a_label_count_for_nothing():
    net, batch = network(), crops(2)
    batch["teaches"] = torch.tensor([1.0, 0.0])
    batch["joint_weight"][0, 4] = 0
    before, after = losses_with_masked_joints_moved(net, net(batch), batch)
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_fit_stops_with_its_budget_and_logs(small_checkpoint):
    task = load_task(small_checkpoint)
    assert task.samples_seen == 32
    (log,) = small_checkpoint.parent.glob("csv/*/metrics.csv")
    rows = [row for row in csv.DictReader(log.open()) if row["samples"]]
    assert [float(row["samples"]) for row in rows] == [0, 8, 16, 24]
    assert all(float(row["loss"]) > 0 and float(row["mean_error_mm"]) > 0 for row in rows)
    assert list(small_checkpoint.parent.glob("tensorboard/*/events*"))


def test_resume_goes_on_with_new_crops_and_the_same_optimiser(small_checkpoint, tmp_path):
    task = fit(small_recipe(samples=48), tmp_path, resume=small_checkpoint)
    assert task.samples_seen == 48
    state = torch.load(tmp_path / "final.ckpt", weights_only=False)
    steps = {int(values["step"]) for values in state["optimizer_states"][0]["state"].values()}
    assert steps == {48 // BATCH}
    rows = [r for r in csv.DictReader(next(tmp_path.glob("csv/*/metrics.csv")).open()) if r["samples"]]
    assert [float(row["samples"]) for row in rows] == [32, 40]


def test_init_takes_the_weights_alone(small_checkpoint):
    other, task = load_task(small_checkpoint), HandPoseTask.from_recipe(small_recipe(64))
    task.start_from(other)
    assert task.samples_seen == 0 and task.elapsed_s == 0
    weights, expected = task.net.state_dict(), other.exported_net.state_dict()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_init_spends_its_own_budget_on_crops_that_the_other_run_did_not_see(small_checkpoint, tmp_path):
    """The other run saw 32 crops, more than this budget; a resume of this run goes on after both."""
    fit(small_recipe(samples=16), tmp_path / "tuned", init=small_checkpoint)
    task = load_task(tmp_path / "tuned/final.ckpt")
    assert (task.first_sample, task.samples_seen, task.all_samples) == (32, 16, 48)
    before = load_task(small_checkpoint).exported_net.state_dict()
    assert not all(torch.equal(before[name], value) for name, value in task.net.state_dict().items())
    again = fit(small_recipe(samples=24), tmp_path / "longer", resume=tmp_path / "tuned/final.ckpt")
    assert again.all_samples == 56 and next(iter(again.train_dataloader().sampler)) == 56


def test_a_seed_decides_a_run_and_a_resume_changes_nothing(tmp_path):
    """The same weights, to the last bit, of two runs and of one that goes on from a checkpoint after 24 of 32 crops."""
    recipe = small_recipe(samples=32)
    recipe = replace(recipe, data=replace(recipe.data, epoch_samples=24))
    whole, again = fit(recipe, tmp_path / "whole"), fit(recipe, tmp_path / "again")
    assert load_task(tmp_path / "whole/last.ckpt").samples_seen == 24
    resumed = fit(recipe, tmp_path / "resumed", resume=tmp_path / "whole/last.ckpt")
    assert same_weights(whole, again) and same_weights(whole, resumed)
    assert not same_weights(whole, fit(replace(recipe, seed=2), tmp_path / "other"))


def test_a_longer_run_goes_on_from_before_the_cool_down(tmp_path):
    """Two runs of one seed, to 32 crops and to 64, are the same until the shorter one cools down, after 24."""
    optim = OptimSettings(schedule="trapezoid", cooldown=0.25, warmup=0.0)
    base = small_recipe(32)
    base = replace(base, optim=optim, model=replace(base.model, dense_only=0.0))  # no other shares of the budget
    short, long = (replace(base, budget=BudgetSettings(samples=samples)) for samples in (32, 64))
    fit(short, tmp_path / "short")
    warm = tmp_path / "short" / "warm.ckpt"
    assert load_task(warm).samples_seen == 32 - BATCH
    assert same_weights(fit(long, tmp_path / "long"), fit(long, tmp_path / "resumed", resume=warm))


def test_a_run_starts_with_heads_of_its_own(small_checkpoint):
    """Heads beside the joints may differ from those of the run it starts from; a backbone of another width may not."""
    other, recipe = load_task(small_checkpoint), small_recipe(64)
    model = replace(recipe.model, hand_head=False, spread_head=True)
    task = HandPoseTask.from_recipe(replace(recipe, side="unknown", model=model))
    fresh = {name: value.clone() for name, value in task.net.state_dict().items()}
    task.start_from(other)
    for name, value in task.net.state_dict().items():
        assert torch.equal(value, fresh[name] if name.startswith("spread_heads.") else other.exported_net.state_dict()[name])
    wider = replace(recipe.model, backbone=replace(recipe.model.backbone, channels=24))
    with pytest.raises(RecipeError, match="network has another shape"):
        HandPoseTask.from_recipe(replace(recipe, model=wider)).start_from(other)


def same_weights(one: HandPoseTask, other: HandPoseTask) -> bool:
    """Those that learn, and their average."""
    weights = other.state_dict()
    return all(torch.equal(value, weights[name]) for name, value in one.state_dict().items())


def test_processes_drop_out_different_values():
    assert len({_seed(1, 0, 0), _seed(1, 0, 1), _seed(1, 8, 0), _seed(2, 0, 0)}) == 4


def test_a_loaded_recipe_can_be_changed_where_no_weights_depend_on_it(small_checkpoint):
    task = load_task(small_checkpoint, ["model.supervision=dense"])
    assert task.net.settings.supervision == "dense" and task.samples_seen == 32
    with pytest.raises(RecipeError, match="--model.backbone.channels=16 needs other weights"):
        load_task(small_checkpoint, ["model.backbone.channels=16"])


def test_average_is_what_is_exported(small_checkpoint):
    task = load_task(small_checkpoint)
    assert any(not torch.equal(a, b) for a, b in zip(task.net.parameters(), task.exported_net.parameters()))
    assert not task.exported_net.training


def test_a_run_is_not_overwritten(small_checkpoint, tmp_path, capsys):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: small\nmethod: awr\nbudget: {samples: 8}\n")
    assert main(["fit", "--config", str(recipe), "--out", str(small_checkpoint.parent)]) == 2
    assert "--resume last" in capsys.readouterr().err
    assert main(["fit", "--config", str(recipe), "--out", str(tmp_path), "--resume", "last"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_file_that_is_no_checkpoint_is_named(tmp_path, capsys):
    path = tmp_path / "broken.ckpt"
    path.write_bytes(b"not a checkpoint")
    assert main(["evaluate", "--model", str(path)]) == 2
    assert str(path) in capsys.readouterr().err
