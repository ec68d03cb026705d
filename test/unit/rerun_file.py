"""Reads what a Rerun view wrote, with Rerun's own reader."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Entities = dict[str, list[tuple[float, dict[str, Any]]]]
NOT_INSTALLED = "rerun-sdk is not installed (pip install rerun-sdk): 170 MB, not by default"


def rerun_reader() -> Callable[[Path], Entities]:
    """A function from a file to what is in it: entity -> rows of (stamp in seconds, column -> value), in the order of time.

    What has no stamp is at 0. Skips the test where the package is not installed.
    """
    chunk = pytest.importorskip("rerun.chunk", reason=NOT_INSTALLED)

    def read(path: Path) -> Entities:
        entities: Entities = {}
        for part in chunk.RrdReader(str(path)).stream():
            batch = part.to_record_batch()
            columns = {name: batch.column(name) for name in batch.schema.names}
            stamps = columns["stamp"].cast("int64").to_pylist() if "stamp" in columns else [0] * part.num_rows
            values = {name.split(":")[-1]: column.to_pylist() for name, column in columns.items() if ":" in name}
            for row, stamp in enumerate(stamps):
                shown = {name: column[row] for name, column in values.items() if column[row] is not None}
                entities.setdefault(part.entity_path, []).append((stamp / 1e9, shown))
        return {entity: sorted(rows, key=lambda row: row[0]) for entity, rows in entities.items()}

    return read
