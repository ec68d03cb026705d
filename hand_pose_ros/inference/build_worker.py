"""The process that builds one plan: `python -m hand_pose_ros.inference.build_worker PLAN_FD`, started by engine_builder.py.

In: one line of JSON, a `BuildRequest`; the end of the input means that nobody waits any more. Out: lines of JSON, any number of
{"progress": [share, text]} and at last {"built": {"seconds", "reused", "not_kept"}} with the plan in PLAN_FD, or {"error": text}.
Whatever else is printed goes to stderr.
"""

from __future__ import annotations

import json
import logging
import os
import select
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hand_pose_ros.inference.build_lock import BuildLock
from hand_pose_ros.inference.build_progress import BuildProgress, PhaseTracker
from hand_pose_ros.inference.engine_builder import BuildRequest
from hand_pose_ros.inference.engine_cache import CacheError, EngineCache
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.plan_key import require_unchanged
from hand_pose_ros.inference.tensorrt_build import BuildCancelled, build_plan
from hand_pose_ros.inference.tensorrt_library import find_tensorrt

_SAY_PERIOD_S = 0.1
_NICE = 10  # the node that answers meanwhile, and the rest of the robot, come first

Told = Callable[[BuildProgress], None]


def main() -> int:
    """Build what is asked for; 1 if it cannot be built, 130 if nobody waits for it."""
    plan_file = int(sys.argv[1])
    os.nice(_NICE)
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # TensorRT's own libraries may print
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="[%(levelname)s] %(message)s")
    request = BuildRequest.from_json(sys.stdin.buffer.readline())
    try:
        plan, outcome = build(request, _Throttled(lines))
    except BuildCancelled:
        return 130
    except ModelError as error:
        print(json.dumps({"error": str(error)}), file=lines)
        return 1
    with os.fdopen(plan_file, "wb") as file:
        file.write(plan)
    print(json.dumps({"built": outcome}), file=lines)
    return 0


def build(request: BuildRequest, told: Told) -> tuple[bytes, dict[str, Any]]:
    """The plan, from the cache if another process was faster, and what is said about it.

    :raises ModelError: it cannot be built
    :raises BuildCancelled: nobody waits any more
    """
    cache = EngineCache(Path(request.folder))
    began = time.monotonic()
    plan, lock, not_kept = None, None, ""

    def waiting(note: str) -> None:
        if _abandoned():
            raise BuildCancelled
        told(BuildProgress(0.0, f"waiting for {note}" if note else "waiting for another process that builds it"))

    with ExitStack() as stack:
        try:
            lock = stack.enter_context(cache.building(request.key.digest, waiting))
            plan = cache.load(request.key)
        except CacheError as error:
            not_kept = str(error)
        reused = plan is not None
        if plan is None:
            plan = _compile(request, told, lock)
        seconds = round(time.monotonic() - began, 3)
        if lock is not None and not reused:
            try:
                cache.store(request.key, plan, model=Path(request.model), build_s=seconds)
            except CacheError as error:
                not_kept = str(error)
    return plan, {"seconds": seconds, "reused": reused, "not_kept": not_kept}


def _compile(request: BuildRequest, told: Told, lock: BuildLock | None) -> bytes:
    key, model = request.key, Path(request.model)
    library = find_tensorrt([key.flavour])
    if library.version != key.version:
        raise ModelError(f"{key.flavour} is {library.version} now and was {key.version} at the start: start again")
    require_unchanged(model, key)
    # TensorRT measures on the GPU itself; TensorRT-RTX says at once if it has nothing for this kind of GPU.
    target = {"device": request.device} if key.flavour == "tensorrt" else {"compute_capability": key.compute_capability}

    def both(progress: BuildProgress) -> None:
        told(progress)
        if lock is not None:
            lock.tell(str(progress))

    both(BuildProgress(0.0, "reading the model"))
    return build_plan(library, model, max_batch=key.max_batch, progress=PhaseTracker(both), cancelled=_abandoned, **target)


def _abandoned() -> bool:
    """Whether the input has ended: the process that asked for the plan is gone or wants it no more."""
    return bool(select.select([0], [], [], 0)[0])


class _Throttled:
    """Progress as lines, not more of them than anybody reads."""

    def __init__(self, lines: Any) -> None:
        self._lines = lines
        self._last = -_SAY_PERIOD_S

    def __call__(self, progress: BuildProgress) -> None:
        now = time.monotonic()
        if now - self._last >= _SAY_PERIOD_S or progress.share >= 1.0:
            self._last = now
            print(json.dumps({"progress": [progress.share, progress.text]}), file=self._lines)


if __name__ == "__main__":
    sys.exit(main())
