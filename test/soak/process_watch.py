"""Memory and CPU time of another process, as Linux counts them."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np

MB = 1e6
_PERIOD_S = 1.0


def resident_mb(pid: int) -> float:
    """Resident memory of a process, in MB (1e6 bytes)."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / MB


def cpu_s(pid: int) -> float:
    """CPU time of a process in user and system mode, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def slope_mb_per_hour(seconds: np.ndarray, megabytes: np.ndarray) -> float:
    """Least squares line through memory over time, (N,) each; NaN for fewer than two samples."""
    return float(np.polyfit(seconds, megabytes, 1)[0] * 3600) if len(seconds) > 1 else float("nan")


class ProcessWatch:
    """Samples a process every second from the start of a with block to its end.

    :ivar seconds, megabytes: since the start, and resident memory then
    :ivar cpu_share: CPU time by wall time over the whole block, 1.0 is one core
    """

    def __init__(self, pid: int) -> None:
        self.seconds: list[float] = []
        self.megabytes: list[float] = []
        self.cpu_share = float("nan")
        self._pid = pid
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)

    def __enter__(self) -> ProcessWatch:
        self._began_s, self._began_cpu_s = time.monotonic(), cpu_s(self._pid)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()
        if self._alive():
            self.cpu_share = (cpu_s(self._pid) - self._began_cpu_s) / (time.monotonic() - self._began_s)

    def _sample(self) -> None:
        while self._alive():
            self.seconds.append(time.monotonic() - self._began_s)
            self.megabytes.append(resident_mb(self._pid))
            if self._ended.wait(_PERIOD_S):
                return

    def _alive(self) -> bool:
        return Path(f"/proc/{self._pid}/statm").exists() and resident_mb(self._pid) > 0
