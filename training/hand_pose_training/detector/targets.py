"""What the detector's maps should be for known hands, and the losses (CenterNet, Zhou et al. 2019, equations 1 to 3)."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from hand_pose_training.detector.network import RESIDUAL_M, STRIDE, Maps

SPREAD_M, MIN_SPREAD, MAX_SPREAD = 0.02, 0.6, 2.5  # deviation of a hand's disk: metres, and its limits in cells
NEAR_PEAK = 0.3  # where the disk is higher, offsets and depth are learned
OFFSET_WEIGHT, DEPTH_WEIGHT = 0.2, 0.2


def disk_spread(depth: np.ndarray, focal_px: float) -> np.ndarray:
    """Deviation in cells of the disks of hands at these depths (M,), metres."""
    return np.clip(SPREAD_M * focal_px / np.asarray(depth) / STRIDE, MIN_SPREAD, MAX_SPREAD)


def encode(uvz: np.ndarray, ignored: np.ndarray, focal_px: float, shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Maps of one frame.

    :param uvz: (M, 3) of the hands' centres, pixels of the frame and metres
    :param ignored: (M,) bool, hands that may be found or not
    :param shape: H, W of the frame
    :return: `heat` (H', W') 1 in the cell of each centre, a disk around it; `counts` (H', W') 0 where nothing is learned of
        presence; `offset` (2, H', W') and `depth` (H', W') of the hand whose disk is highest; `near` (H', W') weight of both
    """
    height, width = shape[0] // STRIDE, shape[1] // STRIDE
    maps = {
        "heat": np.zeros((height, width), np.float32),
        "counts": np.ones((height, width), np.float32),
        "offset": np.zeros((2, height, width), np.float32),
        "depth": np.zeros((height, width), np.float32),
    }
    columns, rows = np.arange(width), np.arange(height)
    for (u, v, z), ignore, spread in zip(uvz, ignored, disk_spread(uvz[:, 2], focal_px)):
        x, y = (u + 0.5) / STRIDE - 0.5, (v + 0.5) / STRIDE - 0.5  # in cells
        column, row = round(float(x)), round(float(y))
        disk = np.exp(-((columns - column) ** 2 + (rows[:, None] - row) ** 2) / (2 * spread**2)).astype(np.float32)
        if ignore:
            maps["counts"][disk > 0.1] = 0
            continue
        mine = disk > maps["heat"]
        maps["heat"][mine] = disk[mine]
        maps["offset"][0][mine] = np.broadcast_to(x - columns, mine.shape)[mine]
        maps["offset"][1][mine] = np.broadcast_to((y - rows)[:, None], mine.shape)[mine]
        maps["depth"][mine] = z
    maps["counts"][maps["heat"] > NEAR_PEAK] = 1
    maps["near"] = np.where(maps["heat"] > NEAR_PEAK, maps["heat"], 0)
    return maps


def losses(maps: Maps, truth: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weighted terms whose sum is minimised; `truth` as of `encode`, batched."""
    heat, hands = truth["heat"], (truth["heat"] == 1).sum().clamp(min=1)
    near = truth["near"].sum().clamp(min=1)
    logit = maps.heat[:, 0]
    p = logit.sigmoid()
    found = (1 - p) ** 2 * functional.softplus(-logit) * (heat == 1)
    free = (1 - heat) ** 4 * p**2 * functional.softplus(logit) * (heat < 1)
    offset = (maps.offset - truth["offset"]).abs().sum(1)
    depth = functional.smooth_l1_loss(maps.depth, truth["depth"], beta=0.02, reduction="none") / RESIDUAL_M
    return {
        "heat_loss": ((found + free) * truth["counts"]).sum() / hands,
        "offset_loss": OFFSET_WEIGHT * (offset * truth["near"]).sum() / near,
        "depth_loss": DEPTH_WEIGHT * (depth * truth["near"]).sum() / near,
    }


def mirrored_elsewhere(batch: dict[str, Tensor], scale: Tensor) -> dict[str, Tensor]:
    """A batch as it would be if left and right were exchanged and everything stood at `scale` times its distance before a camera
    of as many times its focal length, which sees it at the same pixels and of the same size.

    :param scale: (N,)
    """
    turned = {name: value.flip(-1) if value.dim() > 2 else value for name, value in batch.items()}
    turned["offset"] = turned["offset"] * torch.tensor([-1.0, 1.0])[:, None, None]
    turned["depth_frame"] = turned["depth_frame"] * scale[:, None, None, None]
    turned["depth"] = turned["depth"] * scale[:, None, None]
    turned["focal_px"] = turned["focal_px"] * scale[:, None]
    return turned
