"""DDS domains for tests that run at the same time."""

from __future__ import annotations

import contextlib
import fcntl
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path

# Above, DDS ports lie where Linux takes ports for outgoing connections.
LAST_SAFE_DOMAIN = 100


@contextlib.contextmanager
def free_domain() -> Iterator[int]:
    """A domain id that no other test process on this machine holds."""
    for domain in random.sample(range(1, LAST_SAFE_DOMAIN), LAST_SAFE_DOMAIN - 1):
        with (Path(tempfile.gettempdir()) / f"hand_pose_test_domain_{domain}.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield domain
            return
    raise RuntimeError("all DDS domains are in use by other tests")
