"""DenseReg's baselines (section 4.1, figure 2): 1 coordinates, 2 detection and coordinates, 3 detection and depth.
4 is in densereg_offsets.py."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from hand_pose_training.aggregation.heat_peak import heat_peak
from hand_pose_training.backbones.batch_renorm import BatchRenormSettings, with_batch_renorm
from hand_pose_training.backbones.hourglass import HourglassSettings
from hand_pose_training.backbones.hourglass_cascade import DENSEREG, STRIDE, HourglassCascade, NumbersHead, stem
from hand_pose_training.losses import joint_weights
from hand_pose_training.methods.method import Losses, Method, Prediction
from hand_pose_training.representations.densereg_maps import DenseRegMaps, map_loss
from hand_pose_training.representations.grid import cell_points

REGRESSED = {"coordinates": 3, "depth": 1}


@dataclass(frozen=True)
class NumbersSettings:
    """The part that ends in numbers; none of it is printed.

    :param size: S, which the fully connected layers are made for; `data.size` must be the same
    :param pools: halvings of the map of S / 4
    :param hidden, dropout: of the fully connected layers
    """

    size: int = 128
    pools: int = 3
    hidden: int = 1024
    dropout: float = 0.5

    def __post_init__(self) -> None:
        if self.size % (STRIDE * 2**self.pools):
            raise ValueError(f"numbers.size {self.size}: {self.pools} pools need a multiple of {STRIDE * 2**self.pools}")

    def head(self, inputs: int, outputs: int, blocks: HourglassSettings) -> NumbersHead:
        """Features (N, inputs, S / 4, S / 4) -> (N, outputs)."""
        cells = self.size // (STRIDE * 2**self.pools)
        return NumbersHead(inputs, outputs, self.pools, cells, self.hidden, self.dropout, blocks)

    def check(self, crop: Tensor) -> Tensor:
        """The crop, when it has the size.

        :raises ValueError: another one
        """
        if crop.shape[-1] != self.size:
            raise ValueError(
                f"crops of {crop.shape[-1]} pixels for layers of model.numbers.size {self.size}: give both one value"
            )
        return crop


@dataclass(frozen=True)
class CoordinateSettings:
    """Baseline 1. `backbone` is the stem before the hourglasses, and the width of the blocks."""

    numbers: NumbersSettings = field(default_factory=NumbersSettings)
    backbone: HourglassSettings = DENSEREG
    renorm: BatchRenormSettings = field(default_factory=BatchRenormSettings)


class CoordinateRegression(Method):
    """Baseline 1: depth map -> coordinates, no hourglass."""

    Settings = CoordinateSettings

    def __init__(self, settings: CoordinateSettings, joints: int) -> None:
        super().__init__(joints)
        self.settings, blocks = settings, settings.backbone
        network = nn.Sequential(stem(blocks), settings.numbers.head(blocks.channels, 3 * joints, blocks))
        self.backbone = with_batch_renorm(network, settings.renorm)

    def forward(self, inputs: dict[str, Tensor]) -> Tensor:
        """Normalised joints (N, J, 3)."""
        crop = self.settings.numbers.check(inputs["depth_crop"])
        return self.backbone(crop).float().unflatten(1, (self.joints, 3))

    def losses(self, output: Tensor, batch: dict[str, Tensor], progress: float) -> Losses:
        return Losses({"coordinate_loss": number_loss(output, batch["joints"], batch)}, output.detach())

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        return Prediction(self(inputs))


@dataclass(frozen=True)
class DetectionSettings:
    """Baselines 2 and 3.

    :param regress: "coordinates" (2), or "depth" (3), which takes u and v from the heat maps
    :param tau_cells: radius of the disk around a joint, cells of the map
    :param number_weight: of the squared error of the numbers against that of the heat maps (not printed)
    """

    regress: str = "coordinates"
    tau_cells: float = 4.0
    number_weight: float = 10.0
    numbers: NumbersSettings = field(default_factory=NumbersSettings)
    backbone: HourglassSettings = DENSEREG
    renorm: BatchRenormSettings = field(default_factory=BatchRenormSettings)

    def __post_init__(self) -> None:
        if self.regress not in REGRESSED:
            raise ValueError(f"model.regress {self.regress!r}: one of {', '.join(REGRESSED)}")


class DetectionRegression(Method):
    """Baselines 2 and 3: hourglass -> heat maps; depth map, features and heat maps -> coordinates, or depths alone."""

    Settings = DetectionSettings

    def __init__(self, settings: DetectionSettings, joints: int) -> None:
        super().__init__(joints)
        self.settings, blocks = settings, settings.backbone
        self.values = REGRESSED[settings.regress]
        self.form = DenseRegMaps(theta=1.0, tau_cells=settings.tau_cells)

        def head() -> _DetectionHead:
            numbers = settings.numbers.head(1 + blocks.channels + joints, self.values * joints, blocks)
            return _DetectionHead(blocks.channels, joints, numbers)

        self.backbone = HourglassCascade(blocks, settings.renorm, head, outputs=joints)

    def forward(self, inputs: dict[str, Tensor]) -> list[tuple[Tensor, Tensor]]:
        """Heat maps (N, J, S', S') and numbers (N, J, 3 or 1) of each stack."""
        stages = self.backbone(self.settings.numbers.check(inputs["depth_crop"]))
        return [(heat, numbers.float().unflatten(1, (self.joints, self.values))) for heat, numbers in stages]

    def losses(self, output: list[tuple[Tensor, Tensor]], batch: dict[str, Tensor], progress: float) -> Losses:
        target = self.form.encode(batch["joints"], *cell_points(batch["depth_crop"], STRIDE)).r
        wanted, weight = batch["joints"][..., 3 - self.values :], self.settings.number_weight
        terms = {
            "heat_2d_loss": sum(map_loss(heat, target, batch) for heat, _ in output),
            f"{self.settings.regress}_loss": weight * sum(number_loss(numbers, wanted, batch) for _, numbers in output),
        }
        return Losses(terms, self.decode(*output[-1]).detach())

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        return Prediction(self.decode(*self(inputs)[-1]))

    def decode(self, heat: Tensor, numbers: Tensor) -> Tensor:
        """Normalised joints (N, J, 3)."""
        return numbers if self.values == 3 else torch.cat([heat_peak(heat), numbers], dim=-1)


class _DetectionHead(nn.Module):
    def __init__(self, channels: int, joints: int, numbers: NumbersHead) -> None:
        super().__init__()
        self.heat, self.numbers = nn.Conv2d(channels, joints, 1), numbers

    def forward(self, features: Tensor, depth: Tensor, foreground: Tensor) -> tuple[Tensor, Tensor]:
        heat = self.heat(features)
        return heat, self.numbers(torch.cat([depth, features, heat], dim=1))


def number_loss(found: Tensor, wanted: Tensor, batch: dict[str, Tensor]) -> Tensor:
    """Squared differences (N, J, ...) of labelled joints summed over joints, mean over the crops with a hand that teach."""
    weights = joint_weights(batch)
    crops = (batch["present"] * batch["teaches"]).sum().clamp(min=1)
    return ((found - wanted).square().sum(-1) * weights).sum() / crops
