"""Batch re-normalisation: batch norm at first and afterwards, in between corrected by limits that open, with values by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from hand_pose_training.backbones.batch_renorm import BatchRenorm2d, BatchRenormSettings, with_batch_renorm

SETTINGS = BatchRenormSettings(r_max=3.0, d_max=5.0, warmup_steps=10, r_steps=40, d_steps=25, momentum=0.5)
# One channel with mean 3 and deviation 2.
BATCH = torch.tensor([1.0, 5.0, 1.0, 5.0]).view(2, 1, 1, 2)


def layer(step: int, mean: float = 0.0, variance: float = 1.0) -> BatchRenorm2d:
    """At that step, with those running statistics."""
    norm = BatchRenorm2d(1, SETTINGS, eps=1e-9)
    norm.num_batches_tracked.fill_(step)
    norm.running_mean.fill_(mean)
    norm.running_var.fill_(variance)
    return norm


@pytest.mark.parametrize(("step", "r_max", "d_max"), [(0, 1, 0), (10, 1, 0), (25, 2, 5), (40, 3, 5), (1000, 3, 5)])
def test_the_limits_open_after_the_warm_up(step, r_max, d_max):
    assert [limit.item() for limit in layer(step).limits()] == pytest.approx([r_max, d_max])


@pytest.mark.parametrize(
    ("step", "mean", "variance", "expected"),
    [
        (0, 1.0, 4.0, [-1, 1]),  # warm-up: batch norm
        (40, 2.0, 4.0, [-0.5, 1.5]),  # r = 2/2, d = 1/2: as with the running statistics
        (40, 0.0, 1.0, [1, 5]),  # r = 2/1, d = 3/1
        (25, 0.0, 0.25, [3, 7]),  # r = 4 is limited to 2, d = 6 to 5
        (40, 3.0, 100.0, [-1 / 3, 1 / 3]),  # r = 0.2 is limited to 1/3
    ],
)
def test_training_corrects_towards_the_running_statistics(step, mean, variance, expected):
    out = layer(step, mean, variance)(BATCH)
    assert out.flatten()[:2].tolist() == pytest.approx(expected, abs=1e-5)


def test_the_running_statistics_take_in_every_batch():
    norm = layer(40, mean=1.0, variance=2.0)
    norm(BATCH)
    assert (norm.running_mean.item(), norm.running_var.item(), norm.num_batches_tracked.item()) == (2.0, 3.0, 41)


def test_the_corrections_are_constants_for_the_gradient():
    """gamma's gradient is the sum of x_hat r + d; a shift of the whole batch, which x_hat does not see, has none."""
    norm, batch = layer(40), BATCH.clone().requires_grad_()
    (norm(batch) * torch.tensor([1.0, 0.0])).sum().backward()
    assert norm.weight.grad.item() == pytest.approx(2 * 1.0)
    assert batch.grad.sum().item() == pytest.approx(0, abs=1e-5)


def test_evaluation_is_batch_norm():
    torch.manual_seed(0)
    plain, norm = nn.BatchNorm2d(3).eval(), BatchRenorm2d(3, SETTINGS).eval()
    for name, values in plain.state_dict().items():
        values.copy_(torch.rand(3) + 0.5 if values.dim() else torch.tensor(1000))
        norm.state_dict()[name].copy_(values)
    batch = torch.randn(2, 3, 4, 4)
    assert torch.equal(norm(batch), plain(batch))


def test_every_batch_norm_is_replaced_and_folds_into_its_convolution():
    inner = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2, eps=0.1))
    net = with_batch_renorm(nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), inner), SETTINGS)
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    assert [(type(norm), norm.eps) for norm in norms] == [(BatchRenorm2d, 1e-5), (BatchRenorm2d, 0.1)]
    program = torch.onnx.export(net.eval(), (torch.zeros(2, 1, 8, 8),), opset_version=18, dynamo=True, verbose=False)
    assert "BatchNormalization" not in {node.op_type for node in program.model_proto.graph.node}


@pytest.mark.parametrize(
    ("values", "message"),
    [({"r_max": 0.5}, "r_max 0.5 must be at least 1"), ({"warmup_steps": 30_000}, "warmup_steps 30000: must be before")],
)
def test_settings_that_make_no_sense_are_refused(values, message):
    with pytest.raises(ValueError, match=message):
        BatchRenormSettings(**values)


def test_a_stationary_batch_ends_up_as_in_evaluation():
    norm = layer(1000)
    for _ in range(40):
        trained = norm(BATCH)
    assert np.allclose(trained.detach(), norm.eval()(BATCH).detach(), atol=1e-4)
