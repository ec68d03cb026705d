"""Losses that methods share. All are means over what has a label: crops with a hand (`present`) that teach (`teaches`)."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


def joint_weights(batch: dict[str, Tensor]) -> Tensor:
    """(N, J): 1 for joints that teach where they are, else 0."""
    return batch["joint_weight"] * (batch["present"] * batch["teaches"])[:, None]


def joint_loss(joints: Tensor, batch: dict[str, Tensor], beta: float) -> Tensor:
    """Smooth L1 between found and true normalised joints (N, J, 3), mean over the coordinates of labelled joints.

    :param beta: where it turns from square to absolute, normalised units; 0 is L1
    """
    loss = F.smooth_l1_loss(joints, batch["joints"], beta=beta, reduction="none")
    return weighted_mean(loss, joint_weights(batch)[..., None].expand_as(loss))


def weighted_mean(values: Tensor, weights: Tensor) -> Tensor:
    """Sum of weighted values by the sum of weights (same shape), 0 where all weights are 0."""
    return (values * weights).sum() / weights.sum().clamp(min=1)


@torch.no_grad()
def joint_error_m(joints: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Mean joint error, metres as if every joint lay at the crop centre's depth (for the log)."""
    cube = batch["cube_m"].view(-1, 1).expand(-1, 3) / 2
    half = torch.where(batch["half_uvd"].isfinite(), batch["half_uvd"], cube)  # not known of a colour crop without its depth
    error = ((joints - batch["joints"]) * half[:, None]).norm(dim=-1)
    return weighted_mean(error, joint_weights(batch))


def hand_loss(logits: Tensor, batch: dict[str, Tensor], right_hands: float) -> Tensor:
    """Cross-entropy of presence over all crops plus that of the side over crops with a hand.

    :param logits: (N, 2) presence, right side
    :param right_hands: share of right hands in the data; both sides weigh the same in the loss whatever it is
    """
    present, right = batch["present"].view(-1), batch["right_side"].view(-1)
    presence = F.binary_cross_entropy_with_logits(logits[:, 0].float(), present)
    balance = 0.5 * (right / max(right_hands, 1e-3) + (1 - right) / max(1 - right_hands, 1e-3))
    side = F.binary_cross_entropy_with_logits(logits[:, 1].float(), right, reduction="none")
    return presence + (side * balance * present).sum() / present.sum().clamp(min=1)
