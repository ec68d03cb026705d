"""`hand-pose-train`: one subcommand a module; each module parses its own arguments."""

from __future__ import annotations

import argparse
import importlib
import re
import sys

COMMANDS = {
    "list": ("hand_pose_training.recipes", "the recipes: one a published system"),
    "params": ("hand_pose_training.params", "sizes and computation of the recipes' networks"),
    "fit": ("hand_pose_training.fit", "train a network by a recipe"),
    "evaluate": ("hand_pose_training.evaluate", "measure a model on held-out crops"),
    "track": ("hand_pose_training.tracking", "whether hands keep their ids in sequences of two hands"),
    "predict": ("hand_pose_training.predict", "a model's joints in every frame of a dataset"),
    "score": ("hand_pose_training.score.command", "measure predictions as a benchmark does"),
    "centers": ("hand_pose_training.centers", "write a file of hand centres, which a dataset's reader takes"),
    "submit": ("hand_pose_training.submissions.command", "write predictions as a benchmark's server takes them"),
    "datasets": ("hand_pose_training.datasets.command", "list the datasets that can be read, and look into one"),
    "compare": ("hand_pose_training.compare", "train, measure and time recipes under the same conditions"),
    "export": ("hand_pose_training.export", "checkpoint to one ONNX file with its card"),
    "fit-detector": ("hand_pose_training.detector.training", "train a detector of hands in whole depth images"),
    "export-detector": ("hand_pose_training.detector.export", "a detector's checkpoint to one ONNX file with its card"),
    "detector-figures": ("hand_pose_training.detector.figures", "measure a detector on held-out whole frames"),
    "bench": ("hand_pose_training.bench", "time the pipeline beside AWR's released network in torch"),
    "bench-gpu": ("hand_pose_training.gpu_bench.command", "time and compare TensorRT, torch and ONNX Runtime on a GPU"),
    "synth": ("hand_pose_training.synthetic.preview", "look at synthetic crops"),
}


# These also take every key of a recipe, as LightningCLI does: --optim.learning_rate=0.002
WITH_RECIPE = ("fit", "fit-detector", "export")
RECIPE_KEY = re.compile(r"--\w+(\.\w+)*=")


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit status. Errors meant for the user are one line on stderr, status 2."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="hand-pose-train", description="Train, measure and export hand pose networks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, help_text) in COMMANDS.items():
        command = commands.add_parser(name, help=help_text, description=help_text)
        if name in argv[:1]:
            importlib.import_module(module).add_arguments(command)
    args, rest = parser.parse_known_args(argv)
    args.overrides = [text.removeprefix("--") for text in rest]
    if unknown := [text for text in rest if args.command not in WITH_RECIPE or not RECIPE_KEY.match(text)]:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    try:
        return importlib.import_module(COMMANDS[args.command][0]).run(args)
    except ValueError as error:
        print(f"hand-pose-train {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
