"""ROS 2 names without ROS 2: relative, private and absolute topics, and remapping rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

_TOKEN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class RosNameError(ValueError):
    """A topic, node or namespace that is no ROS 2 name; the text names it."""


@dataclass(frozen=True)
class NodeName:
    """Who the node is and what its topics are called.

    :param name: the node's name ("hand_pose")
    :param namespace: absolute namespace ("/" or "/robot1")
    :param rules: pairs (from, to) of fully qualified names; of several that fit the first holds, as in ROS 2
    """

    name: str
    namespace: str = "/"
    rules: tuple[tuple[str, str], ...] = ()

    @property
    def full_name(self) -> str:
        """ "/robot1/hand_pose"."""
        return expand(self.name, self.namespace, "")

    def topic(self, name: str) -> str:
        """The fully qualified topic that a name in the code stands for, after remapping."""
        full = expand(name, self.namespace, self.name)
        return next((target for source, target in self.rules if source == full), full)


def expand(name: str, namespace: str, node: str) -> str:
    """A relative ("hands"), private ("~/hands") or absolute ("/hands") name as an absolute one."""
    if name.startswith("~"):
        name = f"{namespace.rstrip('/')}/{node}{name[1:]}"
    elif not name.startswith("/"):
        name = f"{namespace.rstrip('/')}/{name}"
    if not all(_TOKEN.fullmatch(part) for part in name.split("/")[1:]):
        raise RosNameError(f"{name!r} is no ROS 2 name: letters, digits and _ between slashes, no digit first")
    return name


def parse_remaps(default_name: str, arguments: list[str]) -> NodeName:
    """The node's name and rules from remapping arguments as `ros2 run` takes them.

    :param arguments: "hands:=left/hands", "__ns:=/robot1", "__node:=hand_pose_left"; a rule may carry the node's name in
        front ("hand_pose:hands:=left/hands") and is then left out for other nodes; of several rules for one thing the first holds
    :raises RosNameError: an argument that is no rule
    """
    rules = [_parse_rule(argument) for argument in arguments]
    name = _first(rules, ("__node", "__name"), default_name) or default_name
    namespace = _first(rules, ("__ns",), name) or "/"
    if not _TOKEN.fullmatch(name):
        raise RosNameError(f"{name!r} is no node name: letters, digits and _, no digit first")
    if namespace != "/":
        if not namespace.startswith("/"):
            raise RosNameError(f"namespace {namespace!r} does not begin with a slash: write __ns:=/{namespace}")
        namespace = expand(namespace.rstrip("/"), "/", name)
    pairs = [(rule.source, rule.target) for rule in rules if rule.node in ("", name) and not rule.source.startswith("__")]
    full = tuple((expand(source, namespace, name), expand(target, namespace, name)) for source, target in pairs)
    return NodeName(name, namespace, full)


class _Rule(NamedTuple):
    """One rule; `node` is the node that it is for, or ""."""

    node: str
    source: str
    target: str


def _parse_rule(argument: str) -> _Rule:
    source, separator, target = argument.partition(":=")
    node, _, plain = source.rpartition(":")
    if not separator or not plain or not target:
        raise RosNameError(f"{argument!r} is no remapping: write from:=to, for example depth/image_rect:=/camera/depth/image_raw")
    return _Rule(node, plain, target)


def _first(rules: list[_Rule], sources: tuple[str, ...], node: str) -> str:
    """What the first rule for one of these sources says; "" without any."""
    return next((rule.target for rule in rules if rule.source in sources and rule.node in ("", node)), "")
