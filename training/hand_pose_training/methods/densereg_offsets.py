"""DenseReg's baseline 4 (section 4.1, figure 2c): offsets to the joints without S and V, with a masked loss."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from hand_pose_training.aggregation.mean_shift import at_projections, select
from hand_pose_training.backbones.hourglass import HourglassSettings
from hand_pose_training.backbones.hourglass_cascade import STRIDE, MaskedHead
from hand_pose_training.methods.densereg import DenseReg, MapSettings, mode_of_votes
from hand_pose_training.methods.method import Losses, Prediction
from hand_pose_training.representations.densereg_maps import map_loss
from hand_pose_training.representations.grid import cell_points


class OffsetRegression(DenseReg):
    """Offsets as shares of theta instead of S and V, learned within theta alone. R chooses the cells that vote, and weighs them:
    where they project to, or (unweighted) where they are. A dense map is R, then offsets joint by joint."""

    maps_a_joint = 4

    def head(self) -> nn.Module:
        return _OffsetHead(self.joints, self.settings.maps, self.settings.backbone)

    def losses(self, output: list[Tensor], batch: dict[str, Tensor], progress: float) -> Losses:
        target = self.form.encode(batch["joints"], *cell_points(batch["depth_crop"], STRIDE))
        near = ((target.s > 0) * batch["present"].view(-1, 1, 1, 1))[:, :, None]
        offset = (1 - target.s)[:, :, None] * target.v
        stages = [self.split(dense) for dense in output]
        terms = {
            "heat_2d_loss": sum(map_loss(heat, target.r, batch) for heat, _ in stages),
            "offset_loss": sum(map_loss(found, offset, batch, near) for _, found in stages),
        }
        with torch.no_grad():
            return Losses(terms, self.decode(batch["depth_crop"], output[-1]).joints)

    def split(self, dense: Tensor) -> tuple[Tensor, Tensor]:
        """Heat maps (N, J, S', S') and offsets (N, J, 3, S', S') in shares of theta, float32."""
        heat, offsets = dense.float().split([self.joints, 3 * self.joints], dim=1)
        return heat, offsets.unflatten(1, (self.joints, 3))

    def decode(self, depth_crop: Tensor, dense: Tensor) -> Prediction:
        """Mean shift over the votes of the cells with the highest R, in float32."""
        s, (heat, offsets) = self.settings, self.split(dense)
        points, foreground = cell_points(depth_crop, STRIDE)
        with torch.autocast(dense.device.type, enabled=False):
            votes = points.flatten(2)[:, None] + self.form.theta * offsets.flatten(3)
            chosen = select(votes, heat.flatten(2), foreground.flatten(2), s.mean_shift.candidates)
            weights = at_projections(heat, chosen.votes) if s.mean_shift.weighted else chosen.scores
            return mode_of_votes(chosen, weights, s.mean_shift, s.maps.cube_m)


class _OffsetHead(nn.Module):
    def __init__(self, joints: int, settings: MapSettings, blocks: HourglassSettings) -> None:
        super().__init__()
        s, channels = settings, blocks.channels
        self.heat = nn.Conv2d(channels, joints, 1)
        self.offsets = MaskedHead(channels + joints, 3 * joints, s.width, s.hidden, s.dropout, blocks)

    def forward(self, features: Tensor, depth: Tensor, foreground: Tensor) -> tuple[Tensor, None]:
        heat = self.heat(features)
        return torch.cat([heat, self.offsets(torch.cat([features, heat], dim=1), foreground)], dim=1), None
