"""What networks are calibrated and measured on, with the source of the crops' centres: crops that they were not trained on, or
what a recipe validates on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hand_pose_ros.skeleton import HAND21, skeleton
from hand_pose_training.data import Batch, fixed_crops, relabelled, stacked, validation_crops
from hand_pose_training.recipe import Recipe, RecipeError


@dataclass(frozen=True)
class Exam:
    """:param name: of the crops, for example "heldout"
    :param center: where the crops' centres come from
    :param crops: stacked, with the joints of the network's skeleton
    :param quotas: of synthetic ones, as `heldout.Quotas.counts` gives them
    """

    name: str
    center: str
    crops: Batch
    quotas: dict[str, Any] | None = None


def synthetic_exam(name: str, size: int, cube_m: float, joints: str, crop_kind: str, crops: int | None = None) -> Exam:
    """One of `data.SETS`.

    :param size: S, pixels an edge
    :param joints: name of the network's skeleton
    :param crops: how many (default: all)
    """
    fixed = fixed_crops(name, size, cube_m, crops, crop_kind)
    return Exam(name, fixed.settings.center_source, relabelled(stacked(fixed), HAND21, skeleton(joints)), fixed.quotas.counts())


def calibration_and_test(recipe: Recipe, cube_m: float, crop_kind: str) -> tuple[Exam, Exam]:
    """What a checkpoint of the recipe is calibrated on, and what its card's errors are of.

    Of a dataset these are every other frame of `validation_frames` of the validation split. Their name says so where
    they were trained on, too (HO-3D, whose other labels are held back).

    :raises DatasetError: the dataset is not there
    :raises RecipeError: the data label no frame with all joints of the skeleton
    """
    if recipe.data.source == "synthetic":
        calibration, test = (
            synthetic_exam(name, recipe.data.size, cube_m, recipe.skeleton, crop_kind) for name in ("calibration", "heldout")
        )
    else:
        batch, source, center = validation_crops(replace(recipe.data, holdout_every=0), crop_kind)
        batch = relabelled(batch, source, skeleton(recipe.skeleton))
        name = f"{recipe.data.source} {recipe.data.validation_split}"
        if recipe.data.validates_on_training_data:
            name += ", which was trained on"
        calibration, test = (
            Exam(f"{name}, {which} of {len(batch['present'])} frames taken evenly", center, _rows(batch, slice(start, None, 2)))
            for start, which in enumerate(("odd ones", "even ones"))
        )
    complete = (calibration.crops["joint_weight"] > 0).all(1) | (calibration.crops["present"] < 0.5)
    if not (complete & (calibration.crops["present"] > 0.5)).any():
        weights = calibration.crops["joint_weight"].max(0)
        missing = [joint for joint, weight in zip(skeleton(recipe.skeleton).joint_names, weights) if not weight]
        raise RecipeError(
            f"{calibration.name} has no frame with all joints of {recipe.skeleton} (never labelled: "
            f"{', '.join(missing) or 'none'}): calibrate on data that has them, see data.source"
        )
    return replace(calibration, crops=_rows(calibration.crops, complete)), test


def _rows(batch: Batch, rows: slice | np.ndarray) -> Batch:
    return {key: values[rows] for key, values in batch.items()}
