"""Short names for files and recordings, each of its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import count
from pathlib import Path

SUFFIXES = (".mcap", ".db3", ".onnx")


def short_names(paths: Sequence[Path]) -> list[str]:
    """The last part of each path, without the suffix of a file; with as many parts before it as tell equal ones apart.

    Parts are joined by "_", and what folders' names should not have becomes "_" too. What is still the same is numbered.
    """
    different = list(dict.fromkeys(paths))
    names = dict(zip(different, _names_of(different)))
    given: list[str] = []
    for name in (names[path] for path in paths):
        free = (name if number == 1 else f"{name}_{number}" for number in count(1))
        given.append(next(one for one in free if one not in given and (one == name or one not in names.values())))
    return given


def _names_of(paths: Sequence[Path]) -> list[str]:
    parts = [
        (*(p for p in path.parts[:-1] if p not in ("/", ".", "..")), path.stem if path.suffix in SUFFIXES else path.name)
        for path in paths
    ]
    names = [_safe(p[-1]) for p in parts]
    for depth in range(2, max(map(len, parts), default=1) + 1):
        names = [_safe("_".join(p[-depth:])) if names.count(name) > 1 else name for p, name in zip(parts, names)]
    return names


def _safe(name: str) -> str:
    return re.sub(r"[^\w.+-]", "_", name) or "_"
