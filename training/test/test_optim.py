"""Learning rates over a run, by hand."""

import pytest
import torch

from hand_pose_training.optim import Clock, OptimSettings, Plateau, learning_rate, optimizer


def rate(progress: float, epoch: int = 0, plateaus: int = 0, **settings) -> float:
    return learning_rate(OptimSettings(learning_rate=1e-3, **settings), Clock(progress, epoch, plateaus))


def test_cosine_warms_up_and_ends_at_zero():
    assert rate(0.05, warmup=0.1) == pytest.approx(5e-4)
    assert rate(0.1, warmup=0.1) == pytest.approx(1e-3)
    assert rate(0.55, warmup=0.1) == pytest.approx(5e-4)
    assert rate(1.0, warmup=0.1) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "epoch", "plateaus", "expected"),
    [
        ({"schedule": "exponential", "decay": 0.96}, 2, 0, 0.96**2 * 1e-3),
        ({"schedule": "step", "decay": 0.1, "decay_epochs": 30}, 29, 0, 1e-3),
        ({"schedule": "step", "decay": 0.1, "decay_epochs": 30}, 30, 0, 1e-4),
        ({"schedule": "step", "decay": 0.1, "decay_epochs": 30}, 60, 0, 1e-5),
        ({"schedule": "step", "decay": 0.1, "decay_epochs": 30, "max_drops": 1}, 60, 0, 1e-4),
        ({"schedule": "plateau", "decay": 0.5}, 9, 2, 2.5e-4),
        ({"schedule": "constant"}, 50, 3, 1e-3),
    ],
)
def test_rates_that_fall_by_epochs(settings, epoch, plateaus, expected):
    assert rate(0.5, epoch, plateaus, warmup=0.0, **settings) == pytest.approx(expected)


def test_a_trapezoid_is_flat_until_its_cool_down():
    shape = {"schedule": "trapezoid", "warmup": 0.1, "cooldown": 0.2}
    rates = [rate(progress, **shape) for progress in (0.05, 0.1, 0.8, 0.9, 1.0)]
    assert rates == pytest.approx([5e-4, 1e-3, 1e-3, 5e-4, 0.0])
    with pytest.raises(ValueError, match="optim.cooldown 0: a share of the budget"):
        OptimSettings(cooldown=0)


def test_two_epochs_without_a_better_error_lower_the_rate():
    plateau = Plateau()
    for error_m, drops, since_best in [(0.02, 0, 0), (0.03, 0, 1), (0.02, 1, 2), (0.025, 1, 3), (0.01, 1, 0)]:
        plateau = plateau.after(error_m, patience=2)
        assert (plateau.drops, plateau.epochs_since_best) == (drops, since_best)


def test_a_new_stage_of_the_supervision_starts_with_the_first_rate():
    """Its errors are of another network, so to say: a worse one than the best before is no standstill."""
    standing = Plateau(0.02, epochs_since_best=4, since_drop=1, drops=3)
    assert standing.after(0.05, patience=2, stage=1) == Plateau(0.05, stage=1)
    assert Plateau(0.05, stage=1).after(0.06, patience=2, stage=1) == Plateau(0.05, 1, 1, 0, stage=1)


def test_adam_and_adamw_decay_weights_in_their_own_way():
    """One step from weight 1 with gradient 0: AdamW shrinks it by rate x decay, Adam takes a step of the rate's length."""
    for name, expected in (("adamw", 1 - 0.1 * 0.5), ("adam", 1 - 0.1)):
        weight = torch.nn.Parameter(torch.ones(1))
        chosen = optimizer(OptimSettings(optimizer=name, learning_rate=0.1, weight_decay=0.5), [weight])
        weight.grad = torch.zeros(1)
        chosen.step()
        assert float(weight.detach()) == pytest.approx(expected, abs=1e-6)
