"""The page that lies beside a detector's file, made from its card alone."""

from __future__ import annotations

import dataclasses
from typing import Any

import yaml

from hand_pose_ros.geometry.letterbox import frame_shape
from hand_pose_ros.inference.model_card import ModelCard
from hand_pose_training.detector.recipe import DetectorRecipe

LIMITS = (
    "Trained on synthetic frames only.",
    "Hands at 0.25 to 1.5 m, of which about half of the joints are seen, the centre inside the image.",
    "Cameras of 40 to 90 degrees across; distortion of wide lenses is not seen.",
)


def detector_page(card: ModelCard, recipe: DetectorRecipe) -> str:
    """Markdown text."""
    errors = card.errors
    height, width = frame_shape(card.input_size)
    rows = "\n".join(
        f"| {name.replace('_', ' ')} | {value} | {errors['limb_finder'][name]} |" for name, value in errors["detector"].items()
    )
    slices = "\n".join(
        f"| {name.replace('_', ' ')} | {v['hands']} | {v['detector_recall']} | {v['limb_finder_recall']} |"
        for name, v in errors["slices"].items()
        if v["hands"]
    )
    scores = "\n".join(f"| {v['from']} to {v['to']} | {v['places']} | {v['hands']} |" for v in errors["scores"] if v["places"])
    limits = "\n".join(f"- {limit}" for limit in LIMITS)
    settings = yaml.safe_dump(_plain(dataclasses.asdict(recipe)), sort_keys=False, default_flow_style=None, width=110)
    return f"""# {card.name}

Where hands are in a whole depth image: up to {card.candidates} places, each the mean of a hand's joints
(`{card.skeleton}`) and the probability that a hand is there. Input `{card.input_kind}`: {width} x {height} pixels that any
image is made small to, with the focal length. Both hands alike. Licence {card.license}. Code revision {card.revision}.

## Data
{card.trained_on}
The frames are made by `hand_pose_training.synthetic`; no recording of a person was used.

## Commands
    hand-pose-train fit-detector --config training/detector/{card.name}.yaml --out runs/{card.name}
    hand-pose-train export-detector runs/{card.name}/final.ckpt --out models/{errors["model"]}
    hand-pose-train detector-figures --model models/{errors["model"]} --json figures.json

## Figures
{errors["frames"]} {errors["set"]}; {errors["hands"]} hands of which enough is seen,
{errors["frames_without_hands"]} frames without any. Found: a place within {1000 * errors["found_within_m"]:.0f} mm of the
mean of the hand's joints. The limb finder (`perception/localize.py`) saw the same images. Milliseconds are CPU time of one
core, making the image small included.

| figure | detector | limb finder |
| --- | --- | --- |
{rows}

| recall by slice | hands | detector | limb finder |
| --- | --- | --- | --- |
{slices}

| score | places | of them hands |
| --- | --- | --- |
{scores}

## Limits
{limits}

## Recipe
```yaml
{settings}```
"""


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
