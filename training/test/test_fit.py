"""Training really learns, stops with its budget, and goes on where it stopped."""

import csv

import pytest
import torch
from small import BATCH, small_recipe

from hand_pose_training.cli import main
from hand_pose_training.fit import fit
from hand_pose_training.losses import dense_loss, joint_error_m, joint_loss
from hand_pose_training.methods.awr import Awr
from hand_pose_training.recipe import OptimSettings
from hand_pose_training.task import HandPoseTask, learning_rate, load_task


def crops(count: int, **settings) -> dict[str, torch.Tensor]:
    from dataclasses import replace

    from hand_pose_training.synthetic.dataset import SyntheticCrops

    source = SyntheticCrops(5, count, replace(small_recipe(8).data, negatives=0.0, **settings))
    samples = [source[i] for i in range(count)]
    return {key: torch.stack([torch.as_tensor(s[key]) for s in samples]) for key in samples[0]}


def test_both_supervisions_learn_a_few_hands():
    """Sixteen hands by heart: the error falls from that of a guess to a fraction of a finger's width."""
    torch.manual_seed(0)
    batch, net = crops(16, right_hands=1.0), Awr(small_recipe(8).model).train()
    optimizer = torch.optim.AdamW(net.parameters(), lr=4e-3)
    before = joint_error_m(net.predict(batch["depth_crop"]).joints, batch)
    for step in range(250):
        (dense,) = net(batch["depth_crop"]).dense
        loss = dense_loss(net, dense, batch, 0.01)
        if step >= 25:
            loss = loss + 10 * joint_loss(net.decode(batch["depth_crop"], dense), batch, 0.01)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    after = joint_error_m(net.decode(batch["depth_crop"], dense), batch)
    assert before > 0.040
    assert after < 0.008


def test_crops_without_a_hand_teach_closeness_alone():
    batch = crops(2)
    batch["present"] = torch.tensor([1.0, 0.0])
    net = Awr(small_recipe(8).model)
    dense = torch.zeros(2, 84, 12, 12, requires_grad=True)
    loss = dense_loss(net, dense, batch, 0.01) + joint_loss(net.decode(batch["depth_crop"], dense), batch, 0.01)
    (gradient,) = torch.autograd.grad(dense_loss(net, dense + 0.5, batch, 0.01), dense)
    assert loss.isfinite()
    assert gradient[0, :63].abs().sum() > 0
    assert gradient[1, :63].abs().sum() == 0
    assert gradient[1, 63:].abs().sum() > 0


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
    assert task.samples_seen == other.samples_seen and task.elapsed_s == 0
    weights, expected = task.net.state_dict(), other.exported_net.state_dict()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_average_is_what_is_exported(small_checkpoint):
    task = load_task(small_checkpoint)
    assert any(not torch.equal(a, b) for a, b in zip(task.net.parameters(), task.exported_net.parameters()))
    assert not task.exported_net.training


def test_learning_rate_warms_up_and_ends_at_zero():
    optim = OptimSettings(learning_rate=1e-3, warmup=0.1)
    assert learning_rate(optim, 0.05) == pytest.approx(5e-4)
    assert learning_rate(optim, 0.1) == pytest.approx(1e-3)
    assert learning_rate(optim, 0.55) == pytest.approx(5e-4)
    assert learning_rate(optim, 1.0) == pytest.approx(0.0, abs=1e-12)


def test_a_run_is_not_overwritten(small_checkpoint, tmp_path, capsys):
    recipe = tmp_path / "r.yaml"
    recipe.write_text("name: small\nbudget: {samples: 8}\n")
    assert main(["fit", str(recipe), "--out", str(small_checkpoint.parent)]) == 2
    assert "--resume last" in capsys.readouterr().err
    assert main(["fit", str(recipe), "--out", str(tmp_path), "--resume", "last"]) == 2
    assert "no such file" in capsys.readouterr().err


def test_a_file_that_is_no_checkpoint_is_named(tmp_path, capsys):
    path = tmp_path / "broken.ckpt"
    path.write_bytes(b"not a checkpoint")
    assert main(["evaluate", "--model", str(path)]) == 2
    assert str(path) in capsys.readouterr().err
