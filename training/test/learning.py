"""Does a network learn, and from labels alone? A few crops by heart."""

from typing import Any

import torch

from hand_pose_training.losses import joint_error_m
from hand_pose_training.methods.method import Method


def learn(net: Method, batch: dict[str, torch.Tensor], steps: int, learning_rate: float) -> tuple[float, float]:
    """Mean joint error in metres before and after so many steps on one batch, by the method's own losses and decoding.

    The budget's progress goes from 0 to 1 over the steps. Both errors are of the network in training mode, whose batch
    statistics are those of this batch.
    """
    net.train()
    with torch.no_grad():
        before = float(joint_error_m(net.predict(batch).joints, batch))
    optimizer = torch.optim.AdamW((p for p in net.parameters() if p.requires_grad), lr=learning_rate)
    for step in range(steps):
        loss = sum(net.losses(net(batch), batch, step / steps).terms.values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return before, float(joint_error_m(net.predict(batch).joints, batch))


def losses_with_masked_joints_moved(
    net: Method, output: Any, batch: dict[str, torch.Tensor], progress: float = 1.0
) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
    """The loss terms of an output of the network for the batch, before and after a move of every joint that must count for
    nothing: without a label, or of a crop that does not teach or shows no hand. The batch keeps the moved joints."""
    before = net.losses(output, batch, progress).terms
    counts = batch["joint_weight"] * (batch["present"] * batch["teaches"])[:, None]
    assert (counts == 0).any() and (counts > 0).any()
    batch["joints"] += 0.3 * (counts == 0)[..., None]
    return before, net.losses(output, batch, progress).terms
