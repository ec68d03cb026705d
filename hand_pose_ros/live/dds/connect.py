"""The options by which a command joins the ROS 2 wire without ROS 2, and what it joins with."""

from __future__ import annotations

import argparse
import logging
import platform
import signal
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hand_pose_ros.live.dds.network import RANGES, Discovery, DiscoveryError, domain_id_from_environment
from hand_pose_ros.live.names import NodeName, parse_remaps
from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

if TYPE_CHECKING:
    from hand_pose_ros.live.dds.peer import DdsPeer


def add_wire_arguments(parser: argparse.ArgumentParser, remap_help: str) -> None:
    """They are spelt as those of `ros2 run` where it has them."""
    parser.add_argument("--remap", "-r", dest="remaps", action="append", default=[], metavar="FROM:=TO", help=remap_help)
    parser.add_argument("--domain-id", type=int, metavar="ID", help="DDS domain (default: ROS_DOMAIN_ID, or 0)")
    parser.add_argument(
        "--discovery-range",
        choices=RANGES,
        help="whom the node finds: this machine (default), the subnet, or as cyclonedds is configured; "
        "without it CYCLONEDDS_URI, ROS_AUTOMATIC_DISCOVERY_RANGE and ROS_STATIC_PEERS are honoured",
    )
    parser.add_argument(
        "--ros-distro", choices=("humble", "jazzy"), help="the release of the ROS 2 machines (default: ROS_DISTRO, or jazzy)"
    )
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), default="info", help="least severity that is logged"
    )


@dataclass(frozen=True)
class Wire:
    """Where a command is to join.

    :param name: the node's name, with namespace and remaps
    """

    name: NodeName
    domain_id: int
    discovery: Discovery
    distro: str | None

    def __str__(self) -> str:
        return f"domain {self.domain_id}, {self.discovery}"

    @classmethod
    def from_arguments(cls, arguments: argparse.Namespace, default_name: str) -> Wire:
        """What the options of `add_wire_arguments` ask for; sets up the log.

        :raises RosNameError, DiscoveryError: they cannot be
        """
        name = parse_remaps(default_name, arguments.remaps)
        logging.basicConfig(
            level=arguments.log_level.upper(),
            stream=sys.stderr,
            format=f"[%(levelname)s] [%(created).3f] [{name.name}]: %(message)s",
        )
        domain_id = domain_id_from_environment() if arguments.domain_id is None else arguments.domain_id
        return cls(name, domain_id, Discovery.from_environment(arguments.discovery_range), arguments.ros_distro)

    def join(self, name: NodeName | None = None) -> DdsPeer:
        """The participant; `name` stands in for the wire's own.

        :raises DiscoveryError: it cannot join, or there is no cyclonedds here
        """
        try:
            from hand_pose_ros.live.dds.peer import DdsPeer
        except ImportError as error:
            raise DiscoveryError(_no_dds(error)) from error
        return DdsPeer(name or self.name, self.domain_id, library=RosbagsLibrary(self.distro), discovery=self.discovery)


def stop_on_signal() -> threading.Event:
    """An event that SIGINT and SIGTERM set."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _no_dds(error: ImportError) -> str:
    if platform.system() != "Linux" or platform.machine() not in ("x86_64", "AMD64"):
        machine = f"{platform.system()} {platform.machine()}"
        remedy = "use `ros2 launch hand_pose_ros hand_pose.launch.py` in a ROS 2 workspace"
        return f"the node without ROS 2 runs on x86-64 Linux only, and this is {machine}: {remedy}"
    return f"cyclonedds cannot be imported ({error}): pip install 'cyclonedds==11.0.1' with Python 3.10 to 3.13"
