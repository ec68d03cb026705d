"""Builds TensorRT plans in a process of their own.

TensorRT's builder takes a core for seconds to minutes, asks only between its steps whether it should go on, keeps memory that it
took, and in the worst case ends its process. In a process of its own it can be ended at any time, and the node goes on.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

from hand_pose_ros.inference.build_progress import BuildProgress
from hand_pose_ros.inference.engine_cache import CacheError, EngineCache
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.plan_key import PlanKey
from hand_pose_ros.inference.tensorrt_build import BuildCancelled

WORKER = "hand_pose_ros.inference.build_worker"
_PACKAGE_ROOT = Path(__file__).resolve().parents[2]
_GRACE_S = 2.0  # for the worker to end before it is made to
_LOG_PERIOD_S = 5.0

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BuildRequest:
    """What is to be built.

    :param model: the ONNX file
    :param key: what the plan is for
    :param folder: of the cache
    :param device: index of the GPU, for TensorRT; TensorRT-RTX goes by the key's compute capability
    """

    model: str
    key: PlanKey
    folder: str
    device: int = 0

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> BuildRequest:
        """The request of a line that `to_json` made."""
        values = json.loads(text)
        return cls(**{**values, "key": PlanKey(**values["key"])})


@dataclass(frozen=True)
class BuiltPlan:
    """A plan.

    :param plan: to be given to TensorRT
    :param seconds: that the build took
    :param reused: another process had built it meanwhile
    :param not_kept: why it is not in the cache, "" where it is
    """

    plan: bytes
    seconds: float
    reused: bool
    not_kept: str


class PlanBuild:
    """A build under way. It ends when it is done, when `cancel` is called, and with this process or this object.

    :raises ModelError: no process can be started
    """

    def __init__(self, request: BuildRequest) -> None:
        self._request = request
        self._progress = BuildProgress()
        self._last_log = -_LOG_PERIOD_S
        self._outcome: dict[str, Any] = {}
        self._cancelled = False
        self._began = time.monotonic()
        self._ended = threading.Event()
        # The plan comes back through a file that has no name: also where the cache cannot keep it.
        self._plan = _nameless_file()
        self._process = _start(self._plan.fileno())
        self._finalizer = weakref.finalize(self, _end, self._process, self._plan)
        absolute = replace(request, model=os.path.abspath(request.model), folder=os.path.abspath(request.folder))
        with suppress(BrokenPipeError):  # it is gone already: its status says so below
            os.write(self._process.stdin.fileno(), absolute.to_json().encode() + b"\n")
        text = "process %d builds a TensorRT plan of %s for %s into %s"
        log.info(text, self.pid, absolute.model, request.key.place, absolute.folder)
        # The thread must not hold this object, else it would never be collected.
        arguments = weakref.ref(self), self._process, self._ended
        threading.Thread(target=_read, args=arguments, name="plan build", daemon=True).start()

    @property
    def pid(self) -> int:
        """The worker's process."""
        return self._process.pid

    @property
    def progress(self) -> BuildProgress:
        """How far it is."""
        return self._progress

    @property
    def done(self) -> bool:
        """Whether `result` returns at once."""
        return self._ended.is_set()

    def wait(self, timeout_s: float) -> bool:
        """Wait for the end, at most so long; `done`."""
        return self._ended.wait(timeout_s)

    def cancel(self) -> None:
        """End it; returns when its process is gone. Nothing is left half written."""
        if not self._ended.is_set():
            self._cancelled = True
            self._finalizer()
            self._ended.wait()
            with suppress(CacheError):
                EngineCache(Path(self._request.folder)).sweep(self._request.key.digest)

    def result(self) -> BuiltPlan:
        """The plan, waited for.

        :raises BuildCancelled: `cancel` was called
        :raises ModelError: it cannot be built; the text says why
        """
        self._ended.wait()
        if self._cancelled:
            raise BuildCancelled
        if "error" in self._outcome:
            raise ModelError(self._outcome["error"])
        if "built" not in self._outcome:
            raise ModelError(_died(self._request.model, self._process.returncode))
        self._plan.seek(0)
        return BuiltPlan(plan=self._plan.read(), **self._outcome["built"])

    def _hear(self, line: bytes) -> None:
        values = json.loads(line)
        if "progress" in values:
            self._progress = BuildProgress(*values["progress"])
            now = time.monotonic()
            if now - self._last_log >= _LOG_PERIOD_S:
                self._last_log = now
                text = "building a TensorRT plan of %s, %.0f s: %s"
                log.info(text, Path(self._request.model).name, now - self._began, self._progress)
        else:
            self._outcome = values


def _nameless_file() -> BinaryIO:
    """In memory; on the disk where Python has no call for that, as those of conda and uv, which are made for old systems."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("plan"), "w+b")
    try:
        return tempfile.TemporaryFile()
    except OSError as error:
        raise ModelError(
            f"no temporary file for a TensorRT plan can be made ({error}): set TMPDIR to a folder with room"
        ) from error


def _start(plan_file: int) -> subprocess.Popen:
    """The worker. Its input stays open: the end of it says that nobody waits any more."""
    paths = [str(_PACKAGE_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    try:
        return subprocess.Popen(
            [sys.executable, "-m", WORKER, str(plan_file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            pass_fds=(plan_file,),
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
            cwd=_PACKAGE_ROOT,  # Python looks for modules where it is started, too
            start_new_session=True,  # Ctrl-C in a terminal is for this process, which ends the other
        )
    except OSError as error:
        raise ModelError(f"no process to build a TensorRT plan can be started ({error}): set backend to onnxruntime") from error


def _read(build: weakref.ref[PlanBuild], process: subprocess.Popen, ended: threading.Event) -> None:
    """Read what the worker says until it ends."""
    try:
        with process.stdout as lines:
            for line in lines:
                owner = build()
                if owner is not None and line.endswith(b"\n"):  # else it was killed while it wrote
                    owner._hear(line)
                del owner
        process.wait()
    finally:  # else those who wait would do so for ever
        ended.set()


def _end(process: subprocess.Popen, plan: BinaryIO) -> None:
    """End the worker if it is still there."""
    plan.close()
    process.stdin.close()
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _died(model: str, status: int) -> str:
    if status >= 0:
        return f"the builder of a TensorRT plan for {model} ended with status {status}: the lines above say why"
    name = signal.Signals(-status).name
    hint = "the machine may have run out of memory: close other programs" if name == "SIGKILL" else "this is a fault of TensorRT"
    return f"the builder of a TensorRT plan for {model} was ended by {name}: {hint}, or set backend to onnxruntime"
