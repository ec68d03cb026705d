"""Adaptive weighting regression (Huang et al., AAAI 2020) on depth crops: backbone -> dense maps -> weighted votes -> joints.

Cells are those of an image here, of a grid in awr_voxels.py, and points in awr_points.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hand_pose_training.aggregation.adaptive_weighting import Aggregated, adaptive_weighting, support, vote_covariance
from hand_pose_training.aggregation.nearest import nearest_candidates
from hand_pose_training.backbones.dense import BackboneSettings, dense_backbone
from hand_pose_training.backbones.hand_head import HandHead
from hand_pose_training.backbones.hourglass import HourglassSettings, StackedHourglass
from hand_pose_training.backbones.spread_head import SpreadHead, spread_loss
from hand_pose_training.losses import hand_loss, joint_loss, joint_weights
from hand_pose_training.methods.method import Losses, Method, Prediction
from hand_pose_training.representations.grid import cell_points
from hand_pose_training.representations.heatmap import HeatmapDepth, HeatmapDepthOffset
from hand_pose_training.representations.offset2d import Offset2DDepth, Offset2DDepthOffset
from hand_pose_training.representations.offset3d import Offset3D
from hand_pose_training.representations.pose import Pose

REPRESENTATIONS = {
    "P": Pose,
    "H1": HeatmapDepth,
    "H2": HeatmapDepthOffset,
    "O1": Offset2DDepth,
    "O2": Offset2DDepthOffset,
    "O3": Offset3D,
}
SUPERVISIONS = ("dense", "joint", "both")


@dataclass(frozen=True)
class AwrSettings:
    """:param representation: P, H1, H2, O1, O2 or O3 (section 2.2, Table 1)
    :param supervision: of the dense maps, of the joints, or both. "dense" decodes by the best candidates, which is not learned
    :param kernel_size: k of Eq. 2, normalised units (Table 4)
    :param temperature: factor on the scores before the softmax (30 in the released code; not printed; 1 suits P)
    :param dense_only: of both: share of the budget, at the start, with dense supervision alone (section 2.3: works better
        than both from the start)
    :param joint_weight: of the joint loss against the dense loss
    :param huber_beta: where smooth L1 turns from square to absolute, normalised units (0.01 in the released code)
    :param hand_head: the network also says whether it sees a hand, and whether a right one (not in the paper)
    :param hand_weight: of the loss of the hand head against the dense loss
    :param right_hands: share of right hands in the data; both sides weigh the same in the loss of the hand head
    :param spread_head: the votes' covariance is corrected by what the network sees (not in the paper)
    :param spread_weight: of its loss, through which nothing but the spread head learns
    :param backbone: `kind: hourglass` or `kind: resnet`
    """

    representation: str = "O3"
    supervision: str = "both"
    kernel_size: float = 1.0
    temperature: float = 30.0
    dense_only: float = 0.15
    joint_weight: float = 10.0
    huber_beta: float = 0.01
    hand_head: bool = False
    hand_weight: float = 0.1
    right_hands: float = 0.5
    spread_head: bool = False
    spread_weight: float = 0.1
    backbone: BackboneSettings = field(default_factory=HourglassSettings)

    def __post_init__(self) -> None:
        if self.representation not in REPRESENTATIONS:
            raise ValueError(f"model.representation {self.representation!r}: one of {', '.join(REPRESENTATIONS)}")
        if self.supervision not in SUPERVISIONS:
            raise ValueError(f"model.supervision {self.supervision!r}: one of {', '.join(SUPERVISIONS)}")


class AwrOutput(NamedTuple):
    """One a stack: dense maps (N, C, ...cells); the features (N, C', ...cells) that they are made of; with hand heads logits
    (N, 2) of presence and right side."""

    dense: list[Tensor]
    features: list[Tensor]
    hand: list[Tensor]


class Awr(Method):
    """The method's network and its decoding."""

    Settings = AwrSettings

    def __init__(self, settings: AwrSettings, joints: int) -> None:
        super().__init__(joints)
        self.settings = settings
        self.representation = REPRESENTATIONS[settings.representation](settings.kernel_size)
        self.backbone = dense_backbone(settings.backbone, self.representation.channels(joints))
        channels, stacks = self.backbone.channels, getattr(settings.backbone, "stacks", 1)
        self.hand_heads = nn.ModuleList(HandHead(channels) for _ in range(stacks * settings.hand_head))
        self.spread_heads = nn.ModuleList(SpreadHead(channels, joints) for _ in range(stacks * settings.spread_head))

    @property
    def tells_hand(self) -> bool:
        return len(self.hand_heads) > 0

    @property
    def picks_cells(self) -> bool:
        return self.settings.supervision == "dense" and self.representation.candidates > 0

    def stage(self, progress: float) -> int:
        """Of both supervisions the dense one alone (0), then both (1)."""
        return int(self.settings.supervision == "both" and progress >= self.settings.dense_only)

    def forward(self, inputs: dict[str, Tensor]) -> AwrOutput:
        dense, features = self.backbone(*(inputs[name] for name in self.input_names))
        return AwrOutput(dense, features, [head(seen) for head, seen in zip(self.hand_heads, features)])

    def losses(self, output: AwrOutput, batch: dict[str, Tensor], progress: float) -> Losses:
        s, terms = self.settings, {}
        joints = [self.decode(batch, dense) for dense in output.dense]
        if s.supervision != "joint":
            terms["dense_loss"] = sum(self.dense_loss(dense, batch) for dense in output.dense)
        if s.supervision == "joint" or self.stage(progress):
            terms["joint_loss"] = s.joint_weight * sum(joint_loss(found, batch, s.huber_beta) for found in joints)
        if self.hand_heads:
            terms["hand_loss"] = s.hand_weight * sum(hand_loss(hand, batch, s.right_hands) for hand in output.hand)
        if self.spread_heads:
            found = [self._prediction(batch, output, stack) for stack in range(len(output.dense))]
            losses = (spread_loss(f.covariance, f.joints - batch["joints"], joint_weights(batch)) for f in found)
            terms["spread_loss"] = s.spread_weight * sum(losses)
        return Losses(terms, joints[-1].detach())

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        return self._prediction(inputs, self(inputs))

    def _prediction(self, inputs: dict[str, Tensor], output: AwrOutput, stack: int = -1) -> Prediction:
        found, votes, scores = self._aggregate(inputs, output.dense[stack])
        covariance, agreement = vote_covariance(votes, found), support(scores, found)
        if self.spread_heads:
            covariance = self.spread_heads[stack](output.features[stack], found.joints, covariance, agreement)
        return Prediction(found.joints, covariance, agreement, output.hand[stack] if self.hand_heads else None)

    def keep_stacks(self, stacks: int) -> None:
        """Leaves out all stacks but the first so many, which then give the answer.

        :raises ValueError: there are not so many, or the backbone has no stacks
        """
        have = len(self.backbone.hourglasses) if isinstance(self.backbone, StackedHourglass) else 0
        if not 1 <= stacks <= have:
            raise ValueError(f"{stacks} stacks to keep of a backbone with {have}")
        self.backbone.keep_stacks(stacks)
        self.hand_heads, self.spread_heads = self.hand_heads[:stacks], self.spread_heads[:stacks]

    def decode(self, inputs: dict[str, Tensor], dense: Tensor) -> Tensor:
        """One stack's dense map -> normalised joints (N, J, 3)."""
        return self._aggregate(inputs, dense)[0].joints

    def cells(self, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """The cells' points (N, 3, ...cells), and which of them learn and vote (N, 1, ...cells)."""
        points, foreground = cell_points(inputs["depth_crop"], self.backbone.stride)
        return points, torch.ones_like(foreground) if self.representation.everywhere else foreground

    def dense_loss(self, dense: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Smooth L1 (heat maps: squared error) between a dense map and its labels, mean over labelled cells and channels.

        A crop without a hand (`present` 0) teaches score 0 on all its cells and nothing about the values.
        """
        form = self.representation
        points, cells = self.cells(batch)
        crops, taught = (cells.flatten(1) * batch["teaches"][:, None]).nonzero(as_tuple=True)
        found = dense.flatten(2).transpose(1, 2)[crops, taught].float()
        present, labelled = batch["present"][crops, None], batch["joint_weight"][crops]
        target = form.encode(batch["joints"][crops], points.flatten(2).transpose(1, 2)[crops, taught])
        values = form.values * self.joints
        loss = F.smooth_l1_loss(found[:, :values], target[:, :values], beta=self.settings.huber_beta, reduction="none")
        total = (loss * present * labelled.repeat_interleave(form.values, 1)).sum()
        if form.scores_taught:
            kind = F.mse_loss if form.heat else partial(F.smooth_l1_loss, beta=self.settings.huber_beta)
            total = total + (kind(found[:, values:], target[:, values:] * present, reduction="none") * labelled).sum()
        return total / max(found.numel(), 1)

    def _aggregate(self, inputs: dict[str, Tensor], dense: Tensor) -> tuple[Aggregated, Tensor, Tensor]:
        points, cells = self.cells(inputs)
        votes, scores = self.representation.decode(dense, points)
        if self.settings.supervision == "dense":
            found = nearest_candidates(votes, scores, cells.flatten(2), self.representation.candidates)
        else:
            found = adaptive_weighting(votes, scores, cells.flatten(2), self.settings.temperature)
        return found, votes, scores
