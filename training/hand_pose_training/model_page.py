"""The page beside a model file: data, command, errors by slice, limits, from its card."""

from __future__ import annotations

import dataclasses
import subprocess
from pathlib import Path
from typing import Any

import yaml

from hand_pose_ros.inference.model_card import ModelCard
from hand_pose_ros.perception.inputs import crop_size
from hand_pose_ros.skeleton import skeleton
from hand_pose_training.recipe import Recipe
from hand_pose_training.recipes import recipes

_LIMITS = ("One hand a crop; a second hand in the cube, gloves and tools that hide most of the hand mislead it.",)
_SYNTHETIC_LIMITS = (
    "Trained on synthetic images alone; errors on a real camera are larger.",
    *_LIMITS,
    "Trained on hands from 0.25 to 1.5 m before the camera, measured from 0.25 to 1.2 m; of people from ten years old on.",
    "The crop's centre must be within about 15 mm of the mean of the joints, at most three times as much.",
)

DATA_TEXT = "The crops are made by `hand_pose_training.synthetic`; no recording of a person was used."
SIDE_TEXT = {
    "unknown": "both hands",
    "right": "joints of right hands; a left hand is its mirrored crop, and the model says which it is",
    "left": "joints of left hands; a right hand is its mirrored crop, and the model says which it is",
}


def limits_of(recipe: Recipe) -> tuple[str, ...]:
    """Where a model of this recipe does not work, one sentence each."""
    return _SYNTHETIC_LIMITS if recipe.data.source == "synthetic" else _LIMITS


def model_page(card: ModelCard, recipe: Recipe, options: str) -> str:
    """Markdown text.

    :param options: of the export's command line, each with a space before it
    """
    errors = card.errors
    settings = yaml.safe_dump(_plain(dataclasses.asdict(recipe)), sort_keys=False, default_flow_style=None, width=110)
    slices = "\n".join(
        f"| {name.replace('_', ' ')} | {v['crops']} | {v['mean_error_mm']} | {v['median_error_mm']} |"
        for name, v in errors["slices"].items()
        if v["crops"]
    )
    joints = "\n".join(f"| {name} | {error} |" for name, error in errors["joint_error_mm"].items())
    sigmas = "\n".join(
        f"| {name.replace('_', ' ')} | {100 * v['share']:.1f} | {100 * v['nominal_share']:.1f} |"
        for name, v in errors["joints_within_sigma"].items()
    )
    confidence = "\n".join(
        f"| {v['from']} to {v['to']} | {v['joints']} | {100 * v['share_within_20mm']:.1f} |" for v in errors["confidence"]["bins"]
    )
    limits = "\n".join(f"- {limit}" for limit in limits_of(recipe))
    seen = "trained on, too" if recipe.data.validates_on_training_data else "never trained on"
    size, revision, joint_count = crop_size(card), card.revision, len(skeleton(card.skeleton))
    return f"""# {card.name}

{card.method.upper()}, {joint_count} joints of `{card.skeleton}`; input `{card.input_kind}`, {size} x {size} pixels of a
{1000 * card.cube_m:.0f} mm cube; side: {SIDE_TEXT[card.side]}. Licence {card.license}. Code revision {revision}.

## Data
{card.trained_on}
{DATA_TEXT if recipe.data.source == "synthetic" else f"Recordings of people: the terms of {recipe.data.source} hold."}

## Commands
    hand-pose-train fit --config {recipe_path(recipe)} --out runs/{recipe.name}
    hand-pose-train export runs/{recipe.name}/final.ckpt --out models/{errors["model"]}{options}
    hand-pose-train evaluate --model models/{errors["model"]} --set heldout --center displaced --json figures.json

## Errors
{errors["crops"]} crops that were {seen} ({errors["set"]}). Centre: {errors["center"]}.
Errors are Euclidean, over all joints, in millimetres.{_quotas(errors)}

| figure | value |
| --- | --- |
| mean error | {errors["mean_error_mm"]} mm |
{_full_precision_row(errors)}| median error | {errors["median_error_mm"]} mm |
| frames with all joints within 20 mm | {100 * errors["good_frames_20mm"]:.1f} % |
| frames with all joints within 30 mm | {100 * errors["good_frames_30mm"]:.1f} % |
| area under the good-frame curve, 0 to 80 mm | {errors["good_frame_auc_0_80mm"]} |
{_side_rows(errors)}
| slice | crops | mean, mm | median, mm |
| --- | --- | --- | --- |
{slices}

| joint | mean, mm |
| --- | --- |
{joints}

Covariance: the share of joints within so many sigma of the answer.

| within | share, % | of a normal distribution, % |
| --- | --- | --- |
{sigmas}

Confidence: the probability that a joint is within 20 mm.

| confidence | joints | within 20 mm, % |
| --- | --- | --- |
{confidence}

## Limits
{limits}

## Recipe
```yaml
{settings}```
"""


def _quotas(errors: dict[str, Any]) -> str:
    """What synthetic crops are by their fixed quotas, a line a kind."""
    lines = ""
    for name, counts in errors.get("quotas", {}).items():
        told = ", ".join(f"{kind.replace('_', ' ')} ({count})" for kind, count in counts.items())
        lines += f"\n- quota of {name.replace('_m', ', m').replace('_', ' ')}: {told}"
    return lines


def _full_precision_row(errors: dict[str, Any]) -> str:
    return f"| mean error in fp32 | {errors['fp32_mean_error_mm']} mm |\n" if "fp32_mean_error_mm" in errors else ""


def _side_rows(errors: dict[str, Any]) -> str:
    if "given_side" not in errors:
        return ""
    return (
        f"| crops whose side it tells rightly | {100 * errors['side_right_share']:.1f} % |\n"
        f"| mean error where the true side is told | {errors['given_side']['mean_error_mm']} mm |\n"
        f"| median error where the true side is told | {errors['given_side']['median_error_mm']} mm |\n"
    )


def recipe_path(recipe: Recipe) -> str:
    """Where the recipe lies in the repository; "RECIPE.yaml" where it is none of the repository's."""
    found = [name for name, known in recipes() if known.name == recipe.name]
    return f"training/configs/{found[0]}.yaml" if found else "RECIPE.yaml"


def code_revision() -> str:
    """The checkout's commit, "+changes" if it has uncommitted ones, or "unknown" outside one."""
    folder = Path(__file__).parent
    try:
        commit = subprocess.run(
            ["git", "rev-parse", "--short=12", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
        )
        changes = subprocess.run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit.stdout.strip() + ("+changes" if changes.stdout.strip() else "")


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
