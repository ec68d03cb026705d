"""A lock file that lets one process build a plan while the others wait and hear how far it is."""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

_POLL_S = 0.2
_LONGEST_NOTE = 200  # bytes


class BuildLock:
    """Held from `acquire` to `release`; the system lets it go when its process dies, so none is ever stale.

    :param path: the lock file; it is there as long as somebody holds it or waits
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def acquire(self, waiting: Callable[[str], None]) -> None:
        """Take the lock, waiting for it if need be.

        :param waiting: called several times a second with the holder's note; what it raises ends the waiting
        :raises OSError: the file cannot be made, or its file system has no locks
        """
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o644)
            try:
                _wait_for(file, waiting)
                # The one before removes the file when it is done: a lock on a file without a name locks nobody out.
                if _same_file(file, self._path):
                    self._file = file
                    return
            finally:
                if self._file != file:
                    os.close(file)

    def tell(self, note: str) -> None:
        """Leave word for those who wait, for example "43 %"."""
        text = f"process {os.getpid()}: {note}".encode()[:_LONGEST_NOTE].ljust(_LONGEST_NOTE)
        with suppress(OSError):  # a full disk: they wait without it
            os.pwrite(self._file, text, 0)

    def release(self) -> None:
        """Give the lock back and remove the file."""
        with suppress(OSError):  # it does no harm where it cannot be removed
            self._path.unlink(missing_ok=True)
        os.close(self._file)
        self._file = -1


def _wait_for(file: int, waiting: Callable[[str], None]) -> None:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except OSError as error:
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
        waiting(os.pread(file, _LONGEST_NOTE, 0).decode(errors="replace").strip())
        time.sleep(_POLL_S)


def _same_file(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), os.stat(path))
    except FileNotFoundError:
        return False
