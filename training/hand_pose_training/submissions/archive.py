"""Files for a server, written whole or not at all, in a zip archive where the name says so."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterable
from pathlib import Path


def write_whole(path: Path, inner_name: str, pieces: Iterable[str]) -> None:
    """Write a text piece by piece; a path that ends in .zip becomes an archive with it as `inner_name` and no folder."""
    part = path.with_name(path.name + ".part")
    if path.suffix == ".zip":
        deflated = zipfile.ZIP_DEFLATED
        with zipfile.ZipFile(part, "w", deflated) as archive, archive.open(inner_name, "w", force_zip64=True) as file:
            file.writelines(piece.encode() for piece in pieces)
    else:
        with open(part, "w", encoding="utf-8") as file:
            file.writelines(pieces)
    os.replace(part, path)
