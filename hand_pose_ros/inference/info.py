"""`hand-pose model info FILE...`: what a model file says about itself."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from typing import Any

from hand_pose_ros.inference.engine import load_engine
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.share import ShareError, model_file
from hand_pose_ros.skeleton import skeleton


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `hand-pose model info`."""
    parser.add_argument("files", nargs="+", metavar="FILE", help="model files (.onnx), or names of the package's, as hand21_fast")
    parser.add_argument("--json", action="store_true", help="print JSON: one object with a key a file")


def run(args: argparse.Namespace) -> int:
    """Print the cards; 1 if a file cannot be used."""
    cards: dict[str, Any] = {}
    for file in args.files:
        try:
            cards[file] = model_info(file)
        except (ModelError, ShareError) as error:
            print(f"error: {error}", file=sys.stderr)
    if args.json:
        print(json.dumps(cards, indent=1))
    else:
        print("\n\n".join(as_text(file, card) for file, card in cards.items()))
    return 0 if len(cards) == len(args.files) else 1


def model_info(file: str) -> dict[str, Any]:
    """The card of a file that was checked against its graph, with the graph's shapes and the file's size.

    :raises ModelError: see `load_engine`
    :raises ShareError: see `model_file`
    """
    engine = load_engine(model_file(file))
    return {
        **asdict(engine.card),
        "joint_names": list(skeleton(engine.card.skeleton).joint_names),
        "input_shapes": engine.input_shapes,
        "output_shapes": engine.output_shapes,
        "file_mb": round(engine.path.stat().st_size / 1e6, 3),
    }


def as_text(file: str, info: dict[str, Any]) -> str:
    """One line a field, nested figures indented."""
    return "\n".join([file, *_lines(info, 1)])


def _lines(values: dict[str, Any], depth: int) -> list[str]:
    lines = []
    width = max((len(k) for k in values), default=0)
    for key, value in values.items():
        if isinstance(value, dict):
            lines += [f"{'  ' * depth}{key}", *_lines(value, depth + 1)]
        else:
            text = ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
            lines.append(f"{'  ' * depth}{key:<{width}}  {text}")
    return lines
