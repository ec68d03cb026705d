"""A recipe small enough to train in seconds: 48x48 crops, 12x12 maps."""

from hand_pose_training.backbones.hourglass import HourglassSettings
from hand_pose_training.data import DataSettings
from hand_pose_training.methods.awr import AwrSettings
from hand_pose_training.optim import OptimSettings
from hand_pose_training.recipe import BudgetSettings, LoopSettings, Recipe
from hand_pose_training.synthetic.dataset import SyntheticSettings

BATCH = 8
BACKBONE = HourglassSettings(channels=32, depth=2, increase=16, stem_channels=8)


def small_recipe(samples: int, side: str = "right", **optim: float) -> Recipe:
    """Ends after `samples` crops, in one process."""
    return Recipe(
        name="small",
        method="awr",
        side=side,
        model=AwrSettings(hand_head=side == "right", right_hands=0.85 if side == "right" else 0.5, backbone=BACKBONE),
        data=DataSettings(size=48, synthetic=SyntheticSettings(right_hands=0.85 if side == "right" else 0.5)),
        optim=OptimSettings(**optim),
        budget=BudgetSettings(samples=samples),
        loop=LoopSettings(batch_size=BATCH, processes=1, bf16=False, log_steps=1),
    )
