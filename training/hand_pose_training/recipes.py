"""`hand-pose-train list`: the recipes of the repository, one YAML file a published system."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

from hand_pose_ros.skeleton import skeleton
from hand_pose_training.methods.catalog import METHODS
from hand_pose_training.recipe import Recipe, RecipeError, load_recipe

CONFIGS = Path(__file__).parents[1] / "configs"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train list`."""
    parser.add_argument("--configs", type=Path, default=CONFIGS, help="folder of recipes (default: the repository's)")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train list`."""
    rows = [
        {
            "name": name,
            "method": recipe.method,
            "input_kind": METHODS[recipe.method].input_kind,
            "input_size": recipe.data.size,
            "joints": len(skeleton(recipe.skeleton)),
            "skeleton": recipe.skeleton,
            "about": about(args.configs / f"{name}.yaml"),
        }
        for name, recipe in recipes(args.configs)
    ]
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    width = max(len(row["name"]) for row in rows)
    for row in rows:
        print(f"{row['name']:{width}}  {row['input_kind']} {row['input_size']}, {row['skeleton']}: {row['about']}")
    return 0


def recipes(configs: Path = CONFIGS) -> Iterator[tuple[str, Recipe]]:
    """(name, recipe) of all, by name: the path under `configs` without its ending, for example "awr/resnet18".

    :raises RecipeError: no recipes there, or one that cannot be read
    """
    paths = sorted(configs.rglob("*.yaml"))
    if not paths:
        raise RecipeError(f"{configs}: no recipes there; name the folder training/configs of a checkout with --configs")
    for path in paths:
        yield path.relative_to(configs).with_suffix("").as_posix(), load_recipe(path)


def about(path: Path) -> str:
    """The first comment line of a recipe."""
    first = path.read_text().partition("\n")[0]
    return first.removeprefix("#").strip()
