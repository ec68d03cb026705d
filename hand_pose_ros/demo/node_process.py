"""`hand-pose node` as a process of its own, which never outlives the one that started it."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

import hand_pose_ros
from hand_pose_ros.demo.errors import DemoError

STOP_TIMEOUT_S = 5.0
_SHOWN_LINES = 12
_PR_SET_PDEATHSIG = 1
# Would let the node look for other machines, or give it another default than the demo's.
_LEFT_OUT = ("CYCLONEDDS_URI", "ROS_STATIC_PEERS", "ROS_AUTOMATIC_DISCOVERY_RANGE", "ROS_LOCALHOST_ONLY", "ROS_DOMAIN_ID")


class NodeProcess:
    """A running node, as a context manager; leaving the block ends it.

    :param arguments: of `hand-pose node`
    :param log: file for what it says
    """

    def __init__(self, arguments: list[str], log: Path) -> None:
        self.log = log
        environment = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT}
        package = str(Path(hand_pose_ros.__file__).parents[1])  # the node is of the same installation or checkout
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, [package, environment.get("PYTHONPATH", "")]))
        libc = ctypes.CDLL(None)  # loaded here: between fork and exec only the call itself is safe
        with log.open("wb") as stream:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "hand_pose_ros", "node", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                env=environment,
                # Ctrl-C in the terminal reaches this process alone, which ends the node; if it is killed, so is the node.
                start_new_session=True,
                preexec_fn=lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM),
            )

    def __enter__(self) -> NodeProcess:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def check(self) -> None:
        """
        :raises DemoError: the node has ended by itself; with the last lines it said
        """
        status = self.process.poll()
        if status is not None:
            raise DemoError(f"the node ended with status {status}; the end of {self.log}:\n{self.last_lines()}")

    def last_lines(self) -> str:
        """The end of what it said."""
        return "\n".join(self.log.read_text(encoding="utf-8", errors="replace").splitlines()[-_SHOWN_LINES:])

    def stop(self) -> None:
        """End it, first by asking. Harmless when it has ended."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                return
            self.process.send_signal(number)
            try:
                self.process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                continue
