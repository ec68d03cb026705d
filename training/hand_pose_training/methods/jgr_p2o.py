"""JGR-P2O (Fang et al., ECCV 2020) on depth crops: hourglasses -> joint graph reasoning -> offsets of every cell -> joints."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from hand_pose_ros.skeleton import Skeleton
from hand_pose_training.aggregation.adaptive_weighting import Aggregated, support, vote_covariance
from hand_pose_training.aggregation.pixel_voting import cell_votes, spatial_softmax, weighted_votes
from hand_pose_training.backbones.joint_graph import (
    Bones,
    JointGraphReasoning,
    ParameterizedGraph,
    SimilarityGraph,
    SkeletonGraph,
)
from hand_pose_training.backbones.voting_hourglass import (
    STRIDE,
    AttentionWeights,
    EqualWeights,
    VotingHourglass,
    VotingHourglassSettings,
)
from hand_pose_training.losses import joint_weights
from hand_pose_training.methods.method import Losses, Method, Prediction
from hand_pose_training.representations.grid import cell_points

GRAPHS = ("skeleton", "similarity", "parameterized")
WEIGHTS = ("joint_graph", "attention", "mean")
DECODINGS = ("offsets", "heat_maps")


@dataclass(frozen=True)
class JgrP2oSettings:
    """:param weights: where the weights of the votes come from: joint_graph, attention (Table 4) or mean (Table 2)
    :param graph: skeleton, similarity or parameterized (Table 1), where there is joint graph reasoning
    :param decoding: offsets (P2O), or heat_maps (Table 4): differentiable heat maps and depth maps
    :param offset_weight: beta of Eq. 9; 0 is without the offset loss (Table 2); there is none for heat maps
    :param huber_delta: where the Huber loss turns from square to linear, normalised units (0.01 in the released code)
    :param backbone: stacks and widths
    """

    weights: str = "joint_graph"
    graph: str = "skeleton"
    decoding: str = "offsets"
    offset_weight: float = 0.0001
    huber_delta: float = 0.01
    backbone: VotingHourglassSettings = field(default_factory=VotingHourglassSettings)

    def __post_init__(self) -> None:
        for key, known in (("weights", WEIGHTS), ("graph", GRAPHS), ("decoding", DECODINGS)):
            if (value := getattr(self, key)) not in known:
                raise ValueError(f"model.{key} {value!r}: one of {', '.join(known)}")


class JgrP2o(Method):
    """The method's network and its decoding."""

    Settings = JgrP2oSettings

    def __init__(self, settings: JgrP2oSettings, joints: int, bones: Bones) -> None:
        super().__init__(joints)
        s, c = settings, settings.backbone.channels
        self.settings = settings
        graphs = {
            "skeleton": lambda: SkeletonGraph(joints, bones),
            "similarity": lambda: SimilarityGraph(c),
            "parameterized": lambda: ParameterizedGraph(joints),
        }
        weighers = {
            "joint_graph": lambda: JointGraphReasoning(c, joints, graphs[s.graph]()),
            "attention": lambda: AttentionWeights(c, joints),
            "mean": lambda: EqualWeights(joints),
        }
        heat_maps = s.decoding == "heat_maps"
        self.backbone = VotingHourglass(s.backbone, weighers[s.weights], (2 if heat_maps else 3) * joints)
        # Iqbal et al. (ECCV 2018) learn how wide each joint's heat map is.
        self.sharpness = nn.Parameter(torch.ones(joints, 1, 1)) if heat_maps else None

    @classmethod
    def for_skeleton(cls, settings: JgrP2oSettings, skeleton: Skeleton) -> JgrP2o:
        return cls(settings, len(skeleton), skeleton.bone_indices)

    def forward(self, inputs: dict[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Dense map (N, 3 J or 2 J, S', S') and weights (N, J, P) of each stack."""
        return self.backbone(inputs["depth_crop"])

    def losses(self, output: list[tuple[Tensor, Tensor]], batch: dict[str, Tensor], progress: float) -> Losses:
        """Eq. 7 to 9: sums over joints, coordinates and cells, and (not printed; the released code) over the batch's crops."""
        s, labelled = self.settings, joint_weights(batch)[..., None]
        points, target = self._points(batch["depth_crop"]), batch["joints"]
        stages = [self.decode(dense, weights, points) for dense, weights in output]
        terms = {"joint_loss": sum(self._huber(found.joints, target, labelled) for _, found in stages)}
        if s.decoding == "offsets" and s.offset_weight > 0:
            # A cell's offset is wrong by as much as its vote.
            offsets = sum(self._huber(votes, target[..., None], labelled[..., None]) for votes, _ in stages)
            terms["offset_loss"] = s.offset_weight * offsets
        return Losses(terms, stages[-1][1].joints.detach())

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        points = self._points(inputs["depth_crop"])
        votes, found = self.decode(*self(inputs)[-1], points)
        closeness = 1 - (votes - points[:, None]).square().sum(2).sqrt()
        return Prediction(found.joints, vote_covariance(votes, found), support(closeness, found))

    def decode(self, dense: Tensor, weights: Tensor, points: Tensor) -> tuple[Tensor, Aggregated]:
        """One stack's dense map and weights -> the cells' votes (N, J, 3, P), and the joints.

        :param points: (N, 3, P), the cells; all of them vote, whether they show something or not
        """
        maps = dense.float().unflatten(1, (self.joints, -1))
        if self.settings.decoding == "offsets":  # Eq. 6
            votes = points[:, None] + maps.flatten(3)
            return votes, weighted_votes(votes, weights)
        votes = cell_votes(maps[:, :, 1])
        return votes, weighted_votes(votes, spatial_softmax(self.sharpness * maps[:, :, 0]))

    def _huber(self, found: Tensor, target: Tensor, weights: Tensor) -> Tensor:
        return (F.huber_loss(found, target.expand_as(found), reduction="none", delta=self.settings.huber_delta) * weights).sum()

    @staticmethod
    def _points(depth_crop: Tensor) -> Tensor:
        return cell_points(depth_crop, STRIDE)[0].flatten(2)
