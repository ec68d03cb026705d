"""A process of its own, and what it says: for the tests of the node, on either transport."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import threading
import time

START_S = 30


class LiveProcess:
    """A started process; its standard output and error are read as they come.

    :cvar warning: what a line of a warning or an error begins with; group 1 is what `warnings` gives
    """

    warning = re.compile(r"^((?:\S+ )?\[(?:WARN|WARNING|ERROR|FATAL)\] .*)$", re.MULTILINE)

    def __init__(self, command: list[str], environment: dict[str, str], cwd: str | os.PathLike | None = None) -> None:
        self.process = subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def log(self) -> str:
        """Everything that it has said so far."""
        return "".join(self._lines)

    def wait_for_log(self, text: str, timeout_s: float = START_S) -> None:
        """Until the log contains the text."""
        deadline = time.monotonic() + timeout_s
        while text not in self.log:
            assert time.monotonic() < deadline, f"no {text!r} within {timeout_s} s in:\n{self.log}"
            assert self._reader.is_alive() or text in self.log, f"ended with {self.process.poll()}:\n{self.log}"
            time.sleep(0.02)

    def warnings(self) -> list[str]:
        """Its warnings and errors."""
        return self.warning.findall(self.log)

    def wait(self, timeout_s: float = START_S) -> int:
        """Its exit status, when it has ended and all that it said is in the log."""
        status = self.process.wait(timeout_s)
        self._reader.join(timeout_s)
        return status

    def stop(self, number: int = signal.SIGINT) -> int:
        """Signal it, and its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.wait()

    def kill(self) -> None:
        """For the end of a test that may have failed: with the processes that it started."""
        if self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _read(self) -> None:
        for line in self.process.stdout:
            self._lines.append(line)
