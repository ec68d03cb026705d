"""Does a network learn? A few crops by heart."""

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
