"""TensorRT plans on disk: `<key>.plan`, and beside it `<key>.json` that says what it was built from.

A plan is code that the GPU's library runs, so what was not written by this cache, or was changed since, is not loaded.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import re
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from hand_pose_ros.inference.build_lock import BuildLock
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.plan_key import PlanKey

FOLDER_VARIABLE = "HAND_POSE_ENGINE_CACHE"
REMEDY = f"set the parameter engine_cache or the environment variable {FOLDER_VARIABLE} to a folder that can be written"
WRITER = "hand_pose_ros engine cache"
PLAN, SIDECAR, LOCK, TEMPORARY = ".plan", ".json", ".lock", ".tmp"
_OURS = re.compile(r"([0-9a-f]{32})(\.plan|\.json|\..*\.tmp)")  # the folder may hold a user's own files, too
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

log = logging.getLogger(__name__)


class CacheError(ModelError):
    """The cache's folder cannot be used; the text names it and the remedy."""


class _Unusable(Exception):
    """Why an entry is not loaded."""


class _Busy(Exception):
    """Another process builds this plan."""


@dataclass(frozen=True)
class Entry:
    """One plan of the cache.

    :param key: what it was built for
    :param model: the ONNX file that it was built from
    :param plan_bytes, plan_sha256: of the plan
    :param built: when, ISO 8601 in UTC
    :param build_s: seconds that it took
    """

    key: PlanKey
    model: str
    plan_bytes: int
    plan_sha256: str
    built: str
    build_s: float


def default_folder() -> Path:
    """$HAND_POSE_ENGINE_CACHE, else hand_pose_ros/engines in the user's cache folder (XDG: $XDG_CACHE_HOME or ~/.cache).

    Not in ROS_HOME: the node without ROS 2, the commands and the rclpy node share one cache.
    """
    if named := os.environ.get(FOLDER_VARIABLE):
        return Path(named).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(cache):
        return Path(cache) / "hand_pose_ros/engines"
    try:
        home = Path.home()
    except RuntimeError:  # a user whom the system does not know, as in a container with --user
        home = Path("/nonexistent")  # what Debian gives users without a home: a plan is built, but cannot be kept
    return home / ".cache/hand_pose_ros/engines"


class EngineCache:
    """The plans of one folder.

    :param folder: made when the first plan is built
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def load(self, key: PlanKey) -> bytes | None:
        """The plan, or None where there is none that can be trusted (then the log says why)."""
        try:
            return self._checked(key.digest)[1]
        except FileNotFoundError:
            return None
        except (_Unusable, OSError) as error:
            log.warning("%s is not used and will be built again: %s", self.path(key), error)
            return None

    def store(self, key: PlanKey, plan: bytes, *, model: Path, build_s: float) -> Entry:
        """Keep a plan: both files whole, or neither.

        :raises CacheError: the folder cannot be written or is full
        """
        entry = Entry(
            key=key,
            model=str(model.resolve()),
            plan_bytes=len(plan),
            plan_sha256=hashlib.sha256(plan).hexdigest(),
            built=datetime.now(timezone.utc).isoformat(timespec="seconds"),
            build_s=round(build_s, 3),
        )
        sidecar = json.dumps({"writer": WRITER, **asdict(entry)}, indent=1) + "\n"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(self.path(key), plan)
            _write(self.path(key, SIDECAR), sidecar.encode())
        except OSError as error:
            with suppress(CacheError):
                self.discard(key.digest)
            raise self._explained(error, len(plan)) from error
        return entry

    @contextmanager
    def building(self, digest: str, waiting: Callable[[str], None]) -> Iterator[BuildLock]:
        """Inside the block no other process builds this plan. It may have built it meanwhile: load it first.

        :param digest: of the plan's key
        :param waiting: see `BuildLock.acquire`
        :raises CacheError: the folder cannot be written
        """
        lock = BuildLock(self.folder / (digest + LOCK))
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire(waiting)
        except OSError as error:
            raise self._explained(error) from error
        try:
            # What a process that was killed while it wrote has left.
            for left in self.folder.glob(f"{digest}.*{TEMPORARY}"):
                left.unlink(missing_ok=True)
            yield lock
        finally:
            lock.release()

    def discard(self, digest: str) -> None:
        """Remove a plan, if it is there.

        :param digest: of the plan's key

        :raises CacheError: the folder cannot be written
        """
        try:
            for suffix in (SIDECAR, PLAN):
                (self.folder / (digest + suffix)).unlink(missing_ok=True)
        except OSError as error:
            raise self._explained(error) from error

    def sweep(self, digest: str) -> bool:
        """Remove what a process that was ended while it built has left; False where another is at it now.

        :raises CacheError: the folder cannot be written
        """
        try:
            with self.building(digest, _no_waiting):
                return True
        except _Busy:
            return False

    def entries(self) -> dict[str, Entry | str]:
        """What lies in the folder, by the key's digits; where it cannot be used, why instead.

        :raises CacheError: the folder cannot be read
        """
        found: dict[str, Entry | str] = {}
        try:
            names = sorted({match[1] for file in self.folder.iterdir() if (match := _OURS.fullmatch(file.name))})
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise CacheError(f"engine cache {self.folder} cannot be read ({error.strerror}): {REMEDY}") from error
        for digest in names:
            try:
                found[digest] = self._checked(digest)[0]
            except FileNotFoundError:
                found[digest] = "only a part of it was written"
            except (_Unusable, OSError) as error:
                found[digest] = str(error)
        return found

    def path(self, key: PlanKey, suffix: str = PLAN) -> Path:
        """One of the files of a plan."""
        return self.folder / (key.digest + suffix)

    def _checked(self, digest: str) -> tuple[Entry, bytes]:
        """:raises FileNotFoundError, OSError, _Unusable: it is not there, or not as it was written"""
        plan_file = self.folder / (digest + PLAN)
        try:
            sidecar = _read_trusted(self.folder / (digest + SIDECAR))
        except FileNotFoundError:
            if plan_file.exists():
                raise _Unusable("nothing beside it says what it was built from") from None
            raise
        entry = _entry(sidecar)
        if entry.key.digest != digest:
            raise _Unusable("it was built for something else")
        try:
            plan = _read_trusted(plan_file)
        except FileNotFoundError:
            raise _Unusable("its plan is missing") from None
        if len(plan) != entry.plan_bytes:
            raise _Unusable(f"it has {len(plan)} bytes where {entry.plan_bytes} were written")
        if hashlib.sha256(plan).hexdigest() != entry.plan_sha256:
            raise _Unusable("its sha256 is not the one that was written")
        return entry, plan

    def _explained(self, error: OSError, size: int = 0) -> CacheError:
        if error.errno in _FULL:
            what = f"is full: there is no room for a plan of {size / 1e6:.1f} MB" if size else "is full"
            return CacheError(f"engine cache {self.folder} {what} ({error.strerror}): free some space, or {REMEDY}")
        return CacheError(f"engine cache {self.folder} cannot be written ({error.strerror}): {REMEDY}")


def _no_waiting(note: str) -> None:
    raise _Busy(note)


def _entry(sidecar: bytes) -> Entry:
    try:
        values: dict[str, Any] = json.loads(sidecar)
        if values.pop("writer") != WRITER:
            raise _Unusable("it was not written by this cache")
        key = values.pop("key")
        if set(key) != {f.name for f in fields(PlanKey)}:
            raise _Unusable("it was written by another version of hand_pose_ros")
        return Entry(key=PlanKey(**key), **values)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _Unusable(f"what is beside it cannot be understood ({error!r})") from error


def _read_trusted(path: Path) -> bytes:
    """The content of a file that this user (or root, as when a container image was made) wrote and nobody else can."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _Unusable(f"{path.name} is a link") from None
        raise
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode):
            raise _Unusable(f"{path.name} is no file")
        if status.st_uid not in (os.geteuid(), 0):
            raise _Unusable(f"{path.name} belongs to another user (id {status.st_uid})")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise _Unusable(f"{path.name} can be written by other users")
        with os.fdopen(file, "rb", closefd=False) as opened:
            return opened.read()
    finally:
        os.close(file)


def _write(path: Path, data: bytes) -> None:
    """The whole file under its name, or nothing."""
    file, temporary = tempfile.mkstemp(prefix=f"{path.stem}.", suffix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(file, "wb") as opened:
            os.fchmod(file, 0o644)
            opened.write(data)
            opened.flush()
            os.fsync(file)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
