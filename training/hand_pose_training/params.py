"""`hand-pose-train params`: how large networks are, and how much they compute."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.flop_counter import FlopCounterMode

from hand_pose_training.data import to_tensors
from hand_pose_training.methods.catalog import METHODS
from hand_pose_training.recipe import Recipe, RecipeError
from hand_pose_training.recipes import recipes

# The skeletons that the papers' tables are of: 14 joints of NYU for depth, 21 for colour.
TABLE_SKELETONS = {"depth_crop": "nyu14", "rgb_crop": "freihand21"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Arguments of `hand-pose-train params`."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="recipes as `list` names them, for example awr/resnet18")
    parser.add_argument("--all", action="store_true", help="every recipe")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """`hand-pose-train params`."""
    known = dict(recipes())
    if unknown := [name for name in args.names if name not in known]:
        raise RecipeError(f"no recipe {', '.join(unknown)}; `hand-pose-train list` shows all")
    names = list(known) if args.all else args.names
    if not names:
        raise RecipeError("name recipes, or give --all")
    rows = [{"name": name, **size(known[name])} for name in names]
    if args.json:
        print(json.dumps(rows, indent=1))
        return 0
    width = max(map(len, names))
    for row in rows:
        print(f"{row['name']:{width}}  {row['params_m']:7.3f} M parameters  {row['gflops']:7.3f} GFLOPs")
    return 0


def size(recipe: Recipe) -> dict[str, Any]:
    """`params_m`: weights that learn or were learned, in millions; `gflops`: multiply-adds of convolutions and matrix products
    for one crop, decoding included, in 1e9, counted as fvcore does. AWR's Table 2 counts a multiply-add twice; JAR's 12.9 of 2.5D
    come about if deconvolutions count as convolutions of the larger map.

    Networks for hand21 and for the hand's centre keep their skeleton; the others are built for `TABLE_SKELETONS`.
    """
    kind = METHODS[recipe.method].crop_kind
    if recipe.skeleton not in ("hand21", "hand_center"):
        recipe = replace(recipe, skeleton=TABLE_SKELETONS[kind])
    crop = np.zeros((1, 3 if kind == "rgb_crop" else 1, recipe.data.size, recipe.data.size), np.float32)
    net = recipe.network().eval()
    inputs = to_tensors(net.inputs_of(crop))
    # Shapes alone decide: fake tensors have them and are not computed, which takes a fifth of the time.
    with FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad(), FlopCounterMode(display=False) as counter:
        net.predict(inputs)
    return {
        "params_m": round(sum(p.numel() for p in net.parameters()) / 1e6, 4),
        "gflops": round(counter.get_total_flops() / 2e9, 4),
    }
