"""File names in the order a person expects: 2.png before 10.png."""

from __future__ import annotations

import re
from pathlib import Path


def natural_key(path: Path) -> list[tuple[int, int, str]]:
    """A sort key that compares runs of digits in the file name as numbers."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", path.name) if part]
