"""What the votes' spread and closeness are worth: covariance, confidence, presence and side that mean what they say.

Fitted on the calibration crops, which are neither trained on nor held out, and folded into the exported graph. A network
without votes gets each joint's covariance and confidence as constants.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from hand_pose_ros.geometry.crop import pack_symmetric, unpack_symmetric
from hand_pose_training.aggregation.adaptive_weighting import TRACE
from hand_pose_training.data import joints_m
from hand_pose_training.methods.method import Prediction
from hand_pose_training.sides import choose

CONFIDENT_WITHIN_M = 0.020
_TWO_SIGMA = 0.7385  # share of a 3D normal distribution within two sigma
_FREEDOM = 8  # degrees of the t distribution
_VARIANCES = np.isin(np.arange(6), TRACE)


@dataclass(frozen=True)
class Linear:
    """weights (F,) and bias, () or (J,), on features."""

    weights: np.ndarray
    bias: np.ndarray


@dataclass(frozen=True)
class Calibration:
    """Constants of the exported graph.

    :param floor: (J, 6) added to the votes' covariance, normalised units squared; without votes it is the covariance
    :param scale: logarithm of the factor on the sum, on `joint_features`
    :param confidence: on `joint_features`
    :param presence, right_side: on `hand_features`; None without a hand head
    """

    floor: np.ndarray
    scale: Linear
    confidence: Linear
    presence: Linear | None = None
    right_side: Linear | None = None


class CalibratedOutputs(nn.Module):
    """Prediction -> covariance (N, J, 6) normalised, confidence (N, J), and with a hand head presence and right_side (N,)."""

    def __init__(self, calibration: Calibration) -> None:
        super().__init__()
        self.register_buffer("floor", _tensor(calibration.floor))
        self.outputs = [calibration.scale, calibration.confidence]
        if calibration.presence is not None:
            self.outputs += [calibration.presence, calibration.right_side]
        for i, linear in enumerate(self.outputs):
            self.register_buffer(f"weights{i}", _tensor(linear.weights))
            self.register_buffer(f"bias{i}", _tensor(linear.bias))

    def forward(self, found: Prediction) -> tuple[torch.Tensor, ...]:
        joint, hand = joint_features(found), hand_features(found)
        values = [
            (features * getattr(self, f"weights{i}")).sum(-1) + getattr(self, f"bias{i}")
            for i, features in zip(range(len(self.outputs)), (joint, joint, hand, hand))
        ]
        votes = self.floor if found.covariance is None else found.covariance + self.floor
        covariance = torch.exp(values[0])[..., None] * votes
        return (covariance, *map(torch.sigmoid, values[1:]))


def joint_features(found: Prediction) -> torch.Tensor:
    """(N, J, F): each joint's own log spread of votes and support, then the hand's features. Without votes the latter alone."""
    hand = hand_features(found)[:, None] + 0 * found.joints[..., :1]
    if found.covariance is None:
        return hand
    return torch.cat([_log_spread(found)[..., None], found.support[..., None], hand], dim=-1)


def hand_features(found: Prediction) -> torch.Tensor:
    """(N, F): the joints' mean log spread of votes and mean support, and the logits of the hand head where there is one.

    A network that knows right hands alone gives a left one votes that disagree: their spread tells the side better than
    the hand head does. A network with neither votes nor hand head has the feature 0, on which nothing depends.
    """
    parts = [] if found.hand is None else [found.hand.to(found.joints.dtype)]
    if found.covariance is not None:
        parts = [_log_spread(found).mean(1, keepdim=True), found.support.mean(1, keepdim=True), *parts]
    return torch.cat(parts or [0 * found.joints[:, :1, 0]], dim=-1)


def calibrate(plain: dict[str, np.ndarray], mirrored: dict[str, np.ndarray] | None, batch: dict[str, np.ndarray]) -> Calibration:
    """Fits the constants on what the network says of the calibration crops.

    :param plain: `evaluate.raw_outputs` of all crops
    :param mirrored: of a network of one side, the looks at the mirror images, mirrored back (`sides.look_mirrored`)
    :param batch: the crops, stacked; those without a hand count as "not within 20 mm"
    """
    present, right, taken, presence, right_side = batch["present"] > 0.5, batch["right_side"] > 0.5, plain, None, None
    if "hand" in plain:
        looks = [(plain, right)] if mirrored is None else [(plain, right), (mirrored, ~right)]
        features = [hand_features(_prediction(outputs)) for outputs, _ in looks]
        presence = _fit_probability(torch.cat(features), np.concatenate([present] * len(looks)))
        shown_right = np.concatenate([shown[present] for _, shown in looks])
        right_side = _fit_probability(torch.cat([rows[torch.as_tensor(present)] for rows in features]), shown_right)
        if mirrored is not None:
            says_right, says_left = (_score(rows, right_side) for rows in features)
            taken = choose(plain, mirrored, says_left > says_right)
    residual = (taken["joints"] - batch["joints"])[present].astype(float)
    features = joint_features(_prediction(taken))
    if "votes_covariance" in taken:
        votes = taken["votes_covariance"][present].astype(float)
        floor, scale = _fit_covariance(residual, votes, features[torch.as_tensor(present)])
    else:
        floor, scale = _constant_covariance(residual, features.shape[-1])
    error = np.linalg.norm(joints_m(batch, taken["joints"]) - joints_m(batch, batch["joints"]), axis=-1)
    within = (error <= CONFIDENT_WITHIN_M) & present[:, None]
    confidence = _fit_probability(features, within, balanced=False)
    return Calibration(floor, scale, confidence, presence, right_side)


def squared_mahalanobis(residual: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """r^T C^-1 r of residuals (..., 3) under covariances (..., 6)."""
    solved = np.linalg.solve(unpack_symmetric(covariance), residual[..., None])[..., 0]
    return (residual * solved).sum(-1)


def _fit_covariance(residual: np.ndarray, votes: np.ndarray, features: torch.Tensor) -> tuple[np.ndarray, Linear]:
    """Floor (J, 6) and scale of the covariance exp(scale) (C + floor) of residuals (N, J, 3) whose votes have the
    covariance C (N, J, 6).

    Fitted by the likelihood of a multivariate t distribution, which a few gross errors do not rule, then scaled so that the
    ellipsoid of two sigma holds its share of a normal distribution.
    """
    joints, eye = residual.shape[1], torch.eye(3, dtype=torch.double)
    rows, spread = torch.as_tensor(residual), torch.as_tensor(unpack_symmetric(votes))
    standard, mean, deviation = _standardised(features)
    weights = torch.zeros(features.shape[-1], dtype=torch.double, requires_grad=True)
    bias = torch.zeros(joints, dtype=torch.double, requires_grad=True)
    log_floor = torch.full((joints,), float(np.log(np.median(votes[..., TRACE]) + 1e-6)), dtype=torch.double, requires_grad=True)

    def parts() -> tuple[torch.Tensor, torch.Tensor]:
        matrix = spread + torch.exp(log_floor)[:, None, None] * eye
        log_scale = standard @ weights + bias
        squared = (rows * torch.linalg.solve(matrix, rows[..., None])[..., 0]).sum(-1) * torch.exp(-log_scale)
        return squared, torch.logdet(matrix) + 3 * log_scale

    def loss() -> torch.Tensor:
        squared, log_determinant = parts()
        likelihood = 0.5 * log_determinant + 0.5 * (_FREEDOM + 3) * torch.log1p(squared / _FREEDOM)
        return likelihood.mean() + 1e-3 * weights.square().sum()

    _minimise(loss, [weights, bias, log_floor])
    with torch.no_grad():
        bias += torch.log(torch.quantile(parts()[0].flatten(), _TWO_SIGMA) / 4)
    floor = torch.exp(log_floor).detach().numpy()[:, None] * _VARIANCES
    return floor, _unstandardised(weights, bias, mean, deviation)


def _constant_covariance(residual: np.ndarray, features: int) -> tuple[np.ndarray, Linear]:
    """Second moments (J, 6) of residuals (N, J, 3), which gross errors do not rule: of the half nearest to 0 of each joint;
    and the scale (a constant) by which the ellipsoid of two sigma holds its share."""
    inner = np.square(residual).sum(-1) <= np.median(np.square(residual).sum(-1), axis=0)
    moments = np.einsum("nj,nja,njb->jab", inner, residual, residual) / inner.sum(0)[:, None, None]
    floor = pack_symmetric(moments + 1e-9 * np.eye(3))
    squared = squared_mahalanobis(residual, np.broadcast_to(floor, (*residual.shape[:2], 6)))
    return floor, Linear(np.zeros(features), np.log(np.quantile(squared, _TWO_SIGMA, axis=0) / 4))


def _fit_probability(features: torch.Tensor, truth: np.ndarray, balanced: bool = True) -> Linear:
    """Logistic regression of truth (N,) or (N, J) on features (..., F), one bias a joint, by L-BFGS on standardised features.

    :param balanced: true and false weigh the same however many there are
    """
    target = torch.as_tensor(truth).double()
    share = target.mean().clamp(1e-3, 1 - 1e-3)
    balance = 0.5 * (target / share + (1 - target) / (1 - share)) if balanced else torch.ones_like(target)
    standard, mean, deviation = _standardised(features)
    weights = torch.zeros(features.shape[-1], dtype=torch.double, requires_grad=True)
    bias = torch.zeros(features.shape[1:-1], dtype=torch.double, requires_grad=True)

    def loss() -> torch.Tensor:
        entropy = nn.functional.binary_cross_entropy_with_logits(standard @ weights + bias, target, weight=balance)
        return entropy + 1e-4 * (weights.square().sum() + bias.square().mean())

    _minimise(loss, [weights, bias])
    return _unstandardised(weights, bias, mean, deviation)


def _minimise(loss: Callable[[], torch.Tensor], variables: list[torch.Tensor]) -> None:
    optimizer = torch.optim.LBFGS(variables, max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = loss()
        value.backward()
        return value

    optimizer.step(closure)


def _standardised(features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    rows = features.flatten(0, -2)
    mean, deviation = rows.mean(0), rows.std(0) + 1e-9
    return (features - mean) / deviation, mean, deviation


def _unstandardised(weights: torch.Tensor, bias: torch.Tensor, mean: torch.Tensor, deviation: torch.Tensor) -> Linear:
    scaled = (weights / deviation).detach()
    return Linear(scaled.numpy(), (bias.detach() - (scaled * mean).sum()).numpy())


def _score(features: torch.Tensor, linear: Linear) -> np.ndarray:
    return features.numpy() @ linear.weights + linear.bias


def _prediction(outputs: dict[str, np.ndarray]) -> Prediction:
    names = ("joints", "votes_covariance", "support", "hand")
    return Prediction(*(torch.as_tensor(outputs[name]).double() if name in outputs else None for name in names))


def _log_spread(found: Prediction) -> torch.Tensor:
    return torch.log(sum(found.covariance[..., i] for i in TRACE) + 1e-6)


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.as_tensor(np.asarray(values, np.float32))
