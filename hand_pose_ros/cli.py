"""`hand-pose`: one command, its subcommands written where the work is done."""

from __future__ import annotations

import argparse
import importlib
import sys

# Command -> (module with `add_arguments(parser)` and `run(arguments) -> int`, what it does).
COMMANDS = {
    ("node",): ("hand_pose_ros.live.dds.node", "the live node on the ROS 2 network, without ROS 2: depth images in, hands out"),
    ("replay",): ("hand_pose_ros.bags.replay", "run a recording, or a folder of depth images, through the pipeline"),
    ("record",): ("hand_pose_ros.bags.record", "record what a live node takes in and gives out, so that it can be repeated"),
    ("view",): (
        "hand_pose_ros.live.dds.view",
        "show what a live node sees and finds in the Rerun viewer (pip install rerun-sdk)",
    ),
    ("evaluate",): ("hand_pose_ros.evaluation.command", "score the hands of recordings against ground truth, side by side"),
    ("demo",): ("hand_pose_ros.demo.command", "play the recording that comes with the package to a live node, and measure it"),
    ("bench",): ("hand_pose_ros.bench", "time each stage of the pipeline on this machine"),
    ("engine",): ("hand_pose_ros.inference.engine_command", "build TensorRT plans, and see what the cache of them holds"),
    ("urdf",): ("hand_pose_ros.bags.urdf_command", "the hand as a URDF, sized as a hand that was measured"),
    ("model", "info"): ("hand_pose_ros.inference.info", "print the card of a model file"),
}
_PIP_NAMES = {"cv2": "opencv-python-headless", "yaml": "PyYAML", "imageio_ffmpeg": "imageio-ffmpeg", "rerun": "rerun-sdk"}


def main(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit status; 2 where it cannot be understood, as argparse has it."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        parsed = _parse(words)
        return parsed.run(parsed)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `hand-pose ... | head`
        sys.stderr.close()
        return 0
    except Exception as error:
        text = _remedy(error)
        if not text:
            raise
        print(f"hand-pose {words[0]}: {text}", file=sys.stderr)
        return 1


def _parse(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="hand-pose", description="3D hand pose from depth cameras.")
    groups = {(): parser.add_subparsers(metavar="COMMAND", required=True)}
    for path, (module_name, description) in COMMANDS.items():
        *group, name = path
        if tuple(group) not in groups:
            about = groups[()].add_parser(
                group[0], help=f"{group[0]} {name}: {description}", description=f"Commands about a {group[0]}."
            )
            groups[tuple(group)] = about.add_subparsers(metavar="COMMAND", required=True)
        command = groups[tuple(group)].add_parser(
            name, help=description, description=description[0].upper() + description[1:] + "."
        )
        # Only the command that is asked for is imported, so that help comes at once.
        if tuple(words[: len(path)]) == path:
            module = importlib.import_module(module_name)
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser.parse_args(words)


def _remedy(error: Exception) -> str:
    """What the user is told to mend; "" for faults of ours, which keep their traceback."""
    if isinstance(error, ModuleNotFoundError):
        package = (error.name or "hand_pose_ros").partition(".")[0]
        name = _PIP_NAMES.get(package, package)
        return "" if package == "hand_pose_ros" else f"needs the Python package {name}: pip install {name}"
    # The package's own errors and the system's say what to do.
    return str(error) if isinstance(error, OSError) or type(error).__module__.startswith("hand_pose_ros.") else ""
