"""Parameters on a command line: files and single settings, spelt as those of `ros2 run`."""

from __future__ import annotations

import argparse
from typing import Any

import yaml

from hand_pose_ros.live.parameter_file import IGNORED, load_yaml, read_values
from hand_pose_ros.live.parameters import ParameterError, Parameters

OFFLINE = Parameters(smoothing=0.0)  # replay and evaluation leave out, unless it is asked for, what is for the eye


def add_parameter_arguments(parser: argparse.ArgumentParser) -> None:
    """`--params-file` and `--set`, each as often as wanted."""
    parser.add_argument(
        "--params-file", action="append", default=[], metavar="FILE", help="ROS 2 parameter file (YAML); the last of several wins"
    )
    parser.add_argument(
        "--set",
        "-p",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME:=VALUE",
        help="one parameter, over those of the files",
    )


def read_parameters(
    arguments: argparse.Namespace, node: str, *, live: bool = True, defaults: Parameters | None = None
) -> Parameters:
    """The parameters that a command line asks for.

    :param node: fully qualified name, for the entries of the files
    :param live: of a live node; else OFFLINE holds where nothing is asked for
    :param defaults: what holds where nothing is asked for; None: the package's own
    :raises ParameterError: a file that cannot be read, an unknown name, a value that cannot be
    """
    values: dict[str, Any] = {}
    for file in arguments.params_file:
        values.update(read_values(file, node))
    defaults = defaults or (Parameters() if live else OFFLINE)
    return defaults.with_values({**values, **parse_settings(arguments.settings)})


def parse_settings(settings: list[str]) -> dict[str, Any]:
    """Values of settings of the form "name:=value" (value as in YAML); of several with one name the last wins.

    :raises ParameterError: text of another form; names and values are checked by `Parameters.with_values`
    """
    values = dict(_parse_setting(text) for text in settings)
    return {name: value for name, value in values.items() if name not in IGNORED}


def _parse_setting(text: str) -> tuple[str, Any]:
    name, separator, value = (part.strip() for part in text.partition(":="))
    if not separator or not name:
        raise ParameterError(f"{text!r} is no setting: write name:=value, for example max_hands:=2")
    field = Parameters.__dataclass_fields__.get(name)
    if field is not None and field.type == "str":
        return name, value.strip("\"'")  # a path or name as it stands, also "1" or "on"
    try:
        return name, load_yaml(value)
    except yaml.YAMLError:
        raise ParameterError(f"{text!r}: {value!r} is no value that YAML reads") from None
