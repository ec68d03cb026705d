"""Builds of plans in tests: real ones by TensorRT-RTX, which needs no GPU to build, and what to wait for."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hand_pose_ros.inference.cuda_device import find_device
from hand_pose_ros.inference.engine_builder import BuildRequest, PlanBuild
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.plan_key import PlanKey, key_of
from hand_pose_ros.inference.tensorrt_library import find_tensorrt

PLAN = b"a plan" * 1000  # stands for one where nothing loads it


def has_gpu() -> bool:
    """Whether CUDA finds one."""
    try:
        return bool(find_device(0))
    except ModelError:
        return False


needs_rtx = pytest.mark.skipif(
    importlib.util.find_spec("tensorrt_rtx") is None, reason="there is no tensorrt-rtx wheel for this platform or Python"
)
without_gpu = pytest.mark.skipif(has_gpu(), reason="what is said where there is no GPU")


def rtx_key(model: Path, compute_capability: str = "8.6") -> PlanKey:
    """The key of a plan for all GPUs of that compute capability."""
    return key_of(model, find_tensorrt(["tensorrt_rtx"]), None, compute_capability=compute_capability)


def any_key(model: Path, **changes) -> PlanKey:
    """A key of a TensorRT that nobody has."""
    values = {"flavour": "tensorrt", "version": "10.3.0", "gpu": "Orin", "compute_capability": "8.7", "driver": "12.6"}
    return PlanKey(**{"model_sha256": "ab" * 32, **values, "platform": "linux-aarch64", "precision": "fp32", **changes})


def request(model: Path, key: PlanKey, folder: Path) -> BuildRequest:
    return BuildRequest(str(model), key, str(folder))


def until(condition: Callable[[], bool], what: str, timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, f"waited in vain until {what}"
        time.sleep(0.02)


def until_it_waits(build: PlanBuild) -> None:
    until(lambda: build.progress.text.startswith("waiting for process"), "the build waits")


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def small_disk(folder: Path) -> list[str]:
    """The beginning of a command that sees a disk of 1 MiB at `folder`; skips where this user may not mount one."""
    mount = f"mount -t tmpfs -o size=1m full {folder}"
    own_mounts = ["unshare", "--map-root-user", "--mount", "sh", "-c"]
    if shutil.which("unshare") is None or subprocess.run([*own_mounts, mount], capture_output=True).returncode:
        pytest.skip("this user may not mount a small disk")
    return [*own_mounts, f'{mount} && exec "$@"', "sh"]


def script(text: str, *arguments: object) -> list[str]:
    """A command that runs Python text with these arguments and with what this process can import."""
    return [sys.executable, "-c", f"import sys\nsys.path[:0] = {sys.path!r}\n{text}", *map(str, arguments)]
