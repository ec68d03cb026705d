"""`hand-pose-train`: one subcommand a module; each module parses its own arguments."""

from __future__ import annotations

import argparse
import importlib
import sys

COMMANDS = {
    "fit": ("hand_pose_training.fit", "train a network by a recipe"),
    "evaluate": ("hand_pose_training.evaluate", "measure a model on held-out crops"),
    "export": ("hand_pose_training.export", "checkpoint to one ONNX file with its card"),
    "bench": ("hand_pose_training.bench", "time the pipeline beside AWR's released network in torch"),
    "synth": ("hand_pose_training.synthetic.preview", "look at synthetic crops"),
}


def main(argv: list[str] | None = None) -> int:
    """Entry point; returns the exit status. Errors meant for the user are one line on stderr, status 2."""
    argv = sys.argv[1:] if argv is None else argv
    parser = argparse.ArgumentParser(prog="hand-pose-train", description="Train, measure and export hand pose networks.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (module, help_text) in COMMANDS.items():
        command = commands.add_parser(name, help=help_text, description=help_text)
        if name in argv[:1]:
            importlib.import_module(module).add_arguments(command)
    args = parser.parse_args(argv)
    try:
        return importlib.import_module(COMMANDS[args.command][0]).run(args)
    except ValueError as error:
        print(f"hand-pose-train {args.command}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
