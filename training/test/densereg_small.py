"""DenseReg small enough to learn a few hands in seconds: 48 x 48 crops, 12 x 12 maps, 80 mm and three cells about a joint."""

import torch

from hand_pose_training.backbones.hourglass import HourglassSettings
from hand_pose_training.data import stacked, to_tensors
from hand_pose_training.methods.densereg import MapSettings
from hand_pose_training.methods.densereg_baselines import NumbersSettings
from hand_pose_training.synthetic.dataset import SyntheticCrops, SyntheticSettings

HOURGLASS = HourglassSettings(channels=24, depth=2, increase=0, stem_channels=8)
MAPS = MapSettings(tau_cells=3.0, width=24, hidden=48, dropout=0.0)
NUMBERS = NumbersSettings(size=48, pools=2, hidden=64, dropout=0.0)


def crops(count: int) -> dict[str, torch.Tensor]:
    """Right hands."""
    settings = SyntheticSettings(size=48, negatives=0.0, right_hands=1.0)
    return to_tensors(stacked(SyntheticCrops(5, count, settings)))
