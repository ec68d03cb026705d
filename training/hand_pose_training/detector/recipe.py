"""The recipe of a detector: YAML into frozen dataclasses, as `hand_pose_training.recipe` reads those of pose networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from hand_pose_training.data import TRAINING_SEEDS
from hand_pose_training.detector.frames import FrameSettings
from hand_pose_training.detector.network import NetworkSettings
from hand_pose_training.optim import OptimSettings
from hand_pose_training.recipe import BudgetSettings, LoopSettings, RecipeError, build, overridden


@dataclass(frozen=True)
class DetectorRecipe:
    """Everything that decides a training run.

    :param name: of the model; the run's folder and the model card take it
    :param seed: of the frames and the first weights
    :param reuse: times that a batch is learned from: frames take longer to make than to learn from. Each time but the first it
        is mirrored once more and at another distance than the time before
    :param elsewhere: range of the factor between the two distances
    """

    name: str
    seed: int = 1
    reuse: int = 2
    elsewhere: tuple[float, float] = (0.75, 1.33)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    frames: FrameSettings = field(default_factory=FrameSettings)
    optim: OptimSettings = field(default_factory=OptimSettings)
    budget: BudgetSettings = field(default_factory=lambda: BudgetSettings(samples=200_000))
    loop: LoopSettings = field(default_factory=LoopSettings)

    def __post_init__(self) -> None:
        if not 0 <= self.seed < TRAINING_SEEDS:
            raise RecipeError(
                f"seed {self.seed}: training seeds are 0 to {TRAINING_SEEDS - 1}; the ones above are for evaluation"
            )
        if self.reuse < 1:
            raise RecipeError(f"reuse {self.reuse}: a batch is learned from at least once")
        if self.budget.epochs or self.budget.plateau_epochs:
            raise RecipeError("budget: a detector's frames have no epochs; give budget.samples or budget.minutes")


def load_detector_recipe(path: Path, overrides: Sequence[str] = ()) -> DetectorRecipe:
    """Recipe of a YAML file; `overrides` are "a.b=value" with YAML values.

    :raises RecipeError: missing file, unknown key, wrong type
    """
    if not path.is_file():
        raise RecipeError(f"recipe {path}: no such file; detectors' are under training/detector")
    return build(DetectorRecipe, overridden(yaml.safe_load(path.read_text()) or {}, overrides), str(path))
