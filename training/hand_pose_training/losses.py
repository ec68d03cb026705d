"""AWR's two supervisions: of the dense maps and, through the aggregation, of the joints."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from hand_pose_training.methods.awr import Awr
from hand_pose_training.representations.grid import cell_points


def dense_loss(net: Awr, dense: torch.Tensor, batch: dict[str, torch.Tensor], beta: float) -> torch.Tensor:
    """Smooth L1 between a dense map and its labels, mean over foreground cells and channels.

    A crop without a hand (`present` 0) teaches closeness 0 on all its cells and nothing about directions.
    """
    points, foreground = cell_points(batch["depth_crop"], net.backbone.stride)
    crops, rows, columns = foreground[:, 0].nonzero(as_tuple=True)
    found = dense.permute(0, 2, 3, 1)[crops, rows, columns].float()
    present = batch["present"][crops, None]
    target = net.representation.encode(batch["joints"][crops], points[crops, :, rows, columns]) * present
    loss = F.smooth_l1_loss(found, target, beta=beta, reduction="none")
    directions = 3 * net.settings.joints
    return ((loss[:, :directions] * present).sum() + loss[:, directions:].sum()) / max(loss.numel(), 1)


def joint_loss(joints: torch.Tensor, batch: dict[str, torch.Tensor], beta: float) -> torch.Tensor:
    """Smooth L1 between found and true normalised joints, mean over the coordinates of crops with a hand."""
    present = batch["present"].view(-1, 1, 1)
    loss = F.smooth_l1_loss(joints, batch["joints"], beta=beta, reduction="none") * present
    return loss.sum() / (present.sum() * joints[0].numel()).clamp(min=1)


@torch.no_grad()
def joint_error_m(joints: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Mean joint error over crops with a hand, metres as if every joint lay at the cube centre's depth (for the log)."""
    error = (joints - batch["joints"]).norm(dim=-1).mean(-1) * batch["cube_m"].view(-1) / 2
    present = batch["present"].view(-1)
    return (error * present).sum() / present.sum().clamp(min=1)


def hand_loss(logits: torch.Tensor, batch: dict[str, torch.Tensor], right_hands: float) -> torch.Tensor:
    """Cross-entropy of presence over all crops plus that of the side over crops with a hand.

    :param logits: (N, 2) presence, right side
    :param right_hands: share of right hands in the data; both sides weigh the same in the loss whatever it is
    """
    present, right = batch["present"].view(-1), batch["right_side"].view(-1)
    presence = F.binary_cross_entropy_with_logits(logits[:, 0].float(), present)
    balance = 0.5 * (right / max(right_hands, 1e-3) + (1 - right) / max(1 - right_hands, 1e-3))
    side = F.binary_cross_entropy_with_logits(logits[:, 1].float(), right, reduction="none")
    return presence + (side * balance * present).sum() / present.sum().clamp(min=1)
