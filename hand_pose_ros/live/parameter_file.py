"""ROS 2 parameter files: which of their values are a node's, and the file that shows every parameter with its default."""

from __future__ import annotations

import dataclasses
import re
import textwrap
from pathlib import Path
from typing import Any

import yaml

from hand_pose_ros.live.parameters import ParameterError, Parameters

# Every ROS 2 node has it. This node's stamps are the images', so simulated time needs nothing of it.
IGNORED = {"use_sim_time"}
_LINE_LENGTH = 120


class _Loader(yaml.SafeLoader):
    """YAML 1.1, which PyYAML keeps to, takes a number without a point or without the sign of its exponent for text."""


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def read_values(path: Path | str, node: str) -> dict[str, Any]:
    """The values that a parameter file has for a node; of several fitting entries the later wins.

    :param node: fully qualified name, "/robot1/hand_pose"
    :return: parameter name -> value; nested groups are joined with dots
    :raises ParameterError: the file is missing or is no parameter file, or none of its entries is for this node
    """
    try:
        content = load_yaml(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise ParameterError(f"parameter file {path} cannot be read: {error.strerror or error}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ParameterError(f"parameter file {path} is no YAML: {error}") from error
    entries = list(_entries(content, "", str(path)))
    fitting = [values for pattern, values in entries if _fits(pattern, node)]
    if not fitting:
        named = ", ".join(pattern for pattern, _ in entries) or "no node at all"
        raise ParameterError(
            f"parameter file {path} has nothing for {node} (it names {named}): begin the entry with /** or {node}"
        )
    return {name: value for values in fitting for name, value in _flat(values) if name not in IGNORED}


def load_yaml(text: str) -> Any:
    """YAML as ROS 2 reads it: 1e-1 is a number."""
    return yaml.load(text, _Loader)


def default_yaml() -> str:
    """A parameter file with every parameter, its description and its default: the text of config/hand_pose.yaml."""
    lines = ["/**:", "  ros__parameters:"]
    for field in dataclasses.fields(Parameters):
        limits = field.metadata
        allowed = ""
        if limits["choices"]:
            allowed = f" One of: {', '.join(limits['choices'])}."
        elif limits["minimum"] is not None:
            allowed = f" From {limits['minimum']} to {limits['maximum']}."
        lines += textwrap.wrap(limits["description"] + allowed, _LINE_LENGTH, initial_indent="    # ", subsequent_indent="    # ")
        default = list(field.default) if isinstance(field.default, tuple) else field.default
        value = f'"{default}"' if isinstance(default, str) else str(default).lower()
        lines.append(f"    {field.name}: {value}")
    return "\n".join(lines) + "\n"


def _entries(content: Any, prefix: str, path: str) -> Any:
    """(node pattern, parameters) of a file; namespaces may be nested."""
    if not isinstance(content, dict):
        raise ParameterError(
            f"parameter file {path} is no ROS 2 parameter file: write\n/**:\n  ros__parameters:\n    max_hands: 2"
        )
    for key, value in content.items():
        if key == "ros__parameters":
            if value is not None and not isinstance(value, dict):
                raise ParameterError(
                    f"parameter file {path}: ros__parameters of {prefix or '/'} is {value!r}, not names with values"
                )
            yield prefix or "/**", value or {}
        else:
            yield from _entries(value, f"{prefix}/{str(key).strip('/')}", path)


def _fits(pattern: str, node: str) -> bool:
    """ROS 2's wildcards: * is one part of a name, ** any number of parts."""
    parts = [{"*": "/[^/]+", "**": "(?:/[^/]+)*"}.get(part, "/" + re.escape(part)) for part in pattern.strip("/").split("/")]
    return re.fullmatch("".join(parts), node) is not None


def _flat(values: dict[str, Any], prefix: str = "") -> Any:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
