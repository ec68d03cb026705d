"""A network that looks at each crop several times, turned by quarters, and answers with the mean: slower, nearer the truth."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from hand_pose_ros.geometry.crop import pack_symmetric, unpack_symmetric
from hand_pose_training.aggregation.adaptive_weighting import COLUMNS, ROWS, TRACE
from hand_pose_training.methods.method import Losses, Method, Prediction

QUARTERS = (0, 1, 3, 2)  # counter-clockwise quarter turns, in the order in which views are added
_FLOOR = 2e-3  # normalised units squared: about 6 mm of deviation in a cube of 250 mm


class Turned(Method):
    """A trained network of depth crops and what it says of `views` turns of each crop, turned back.

    Joints are the mean of the turns, each joint's answers weighted by the inverse of their expected squared error; its covariance
    is the mean of theirs and that of the answers about the mean. All turns of a batch are one batch of the network.

    :raises ValueError: the network's crops cannot be turned, or `views` is not 1 to 4
    """

    def __init__(self, net: Method, views: int) -> None:
        super().__init__(net.joints)
        if net.input_names != ("depth_crop",):
            raise ValueError(f"views are of networks with a depth crop as their input; this one has {', '.join(net.input_names)}")
        if not 1 <= views <= len(QUARTERS):
            raise ValueError(f"{views} views: 1 to {len(QUARTERS)}")
        self.net, self.views = net, views
        back = [_turn_back(quarters) for quarters in QUARTERS[:views]]
        covariances = [pack_symmetric(turn @ unpack_symmetric(np.eye(6)) @ turn.T) for turn in back]
        # Factors on the right of rows, (views, 1, 3, 3) and (views, 1, 6, 6).
        self.register_buffer("joints_back", torch.as_tensor(np.stack(back), dtype=torch.float32).mT[:, None])
        self.register_buffer("covariance_back", torch.as_tensor(np.stack(covariances), dtype=torch.float32)[:, None])

    @property
    def half_modules(self) -> tuple[nn.Module, ...]:
        return self.net.half_modules

    @property
    def tells_hand(self) -> bool:
        return self.net.tells_hand

    @property
    def picks_cells(self) -> bool:
        return self.net.picks_cells

    def forward(self, inputs: dict[str, Tensor]) -> Any:
        """What the network says of all turns of (N, 1, S, S), the batch of each after that of the one before."""
        crops = inputs["depth_crop"]
        return self.net.predict({"depth_crop": torch.cat([torch.rot90(crops, k, (-2, -1)) for k in QUARTERS[: self.views]])})

    def losses(self, output: Any, batch: dict[str, Tensor], progress: float) -> Losses:
        raise TypeError("views are of a trained network: train without them")

    def predict(self, inputs: dict[str, Tensor]) -> Prediction:
        found = Prediction(*(None if part is None else part.unflatten(0, (self.views, -1)) for part in self(inputs)))
        joints = found.joints @ self.joints_back
        support, hand = (None if part is None else part.mean(0) for part in (found.support, found.hand))
        if found.covariance is None:
            return Prediction(joints.mean(0), None, support, hand)
        covariance = found.covariance @ self.covariance_back
        weights = 1 / (sum(covariance[..., i] for i in TRACE)[..., None] + _FLOOR)
        weights = weights / weights.sum(0)
        mean = (weights * joints).sum(0)
        off = joints - mean
        about = torch.stack([off[..., row] * off[..., column] for row, column in zip(ROWS, COLUMNS)], dim=-1)
        return Prediction(mean, (weights * (covariance + about)).sum(0), support, hand)


def _turn_back(quarters: int) -> np.ndarray:
    """(3, 3) what takes normalised joints of a crop that `torch.rot90` has turned so many times to those of the crop."""
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    return np.linalg.matrix_power(quarter, quarters)
