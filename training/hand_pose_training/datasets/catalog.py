"""The public datasets by name: what they have, where to get them, how to open them.

None comes with this package; each is read from the files that its authors give out, under their terms.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hand_pose_training.datasets.sample import Dataset, DatasetError


@dataclass(frozen=True)
class Entry:
    """A dataset that this package reads.

    :param name: as recipes and commands call it
    :param reader: module and the function or class in it, called with root, split and options
    :param image: "depth" or "colour"
    :param skeleton: of its joints
    :param frames: of each split, as the authors count them
    :param terms: what they ask for, where their files or pages say it
    """

    name: str
    reader: tuple[str, str]
    image: str
    skeleton: str
    frames: dict[str, str]
    terms: str = "as its page says"

    @property
    def where(self) -> str:
        """Its full name and where to get it."""
        return importlib.import_module(self.reader[0]).WHERE


_HERE = "hand_pose_training.datasets"
CATALOG = {
    entry.name: entry
    for entry in (
        Entry("nyu", (f"{_HERE}.nyu", "open_dataset"), "depth", "nyu14", {"train": "72,757", "test": "8,252"}),
        Entry(
            "icvl",
            (f"{_HERE}.icvl", "open_dataset"),
            "depth",
            "icvl16",
            {"train": "331,006 (about 22,000 originals)", "test": "1,596", "test_seq_1": "702", "test_seq_2": "894"},
        ),
        Entry(
            "msra",
            (f"{_HERE}.msra", "open_dataset"),
            "depth",
            "msra21",
            {"train": "76,391 less the subject's", "test": "one of nine subjects"},
            "cite the paper",
        ),
        Entry(
            "hands2017", (f"{_HERE}.hands2017", "open_dataset"), "depth", "hands2017_21", {"train": "957,032", "test": "295,510"}
        ),
        Entry(
            "freihand",
            (f"{_HERE}.freihand", "FreiHand"),
            "colour",
            "freihand21",
            {"training": "130,240 (32,560 in four versions)", "evaluation": "3,960"},
            "research only, no commercial use",
        ),
        Entry(
            "ho3d",
            (f"{_HERE}.ho3d", "Ho3d"),
            "colour",
            "ho3d21",
            {"train": "66,034 (version 2)", "evaluation": "11,524 (version 2), 20,137 (version 3)"},
            "academic research only, no commercial use",
        ),
        Entry("rhd", (f"{_HERE}.rhd", "Rhd"), "colour", "rhd21", {"training": "41,258", "evaluation": "2,728"}),
        Entry("stb", (f"{_HERE}.stb", "Stb"), "colour", "stb21", {"train": "15,000", "test": "3,000"}),
    )
}


def entry(name: str) -> Entry:
    """The dataset of that name.

    :raises DatasetError: there is none; lists the known ones
    """
    try:
        return CATALOG[name]
    except KeyError:
        raise DatasetError(f"unknown dataset {name!r}; known: {', '.join(CATALOG)}") from None


def open_dataset(name: str, root: str | Path, split: str, **options: Any) -> Dataset:
    """A split of a dataset.

    :param root: the folder that its reader's docstring describes
    :param options: of the reader, such as `center` or `subject`
    :raises DatasetError: unknown dataset, split or option; a missing or wrong file
    """
    module, reader = entry(name).reader
    opener = getattr(importlib.import_module(module), reader)
    known = [option for option in inspect.signature(opener).parameters if option not in ("root", "split")]
    if unknown := [option for option in options if option not in known]:
        raise DatasetError(f"{name} has no option {unknown[0]!r}; it has {', '.join(known)}")
    if not Path(root).is_dir():
        raise DatasetError(f"{root}: no such folder; it should hold the {entry(name).where}")
    return opener(root, split, **options)
