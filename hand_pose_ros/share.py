"""Where the models, parameter files, message definitions and the sample recording lie, however the package was installed."""

from __future__ import annotations

import os
import sys
import sysconfig
from pathlib import Path

PACKAGE = "hand_pose_ros"
DEMO_RECORDING = "recordings/demo"  # what demo, bench and depth_player play unless told otherwise


class ShareError(FileNotFoundError):
    """A file of this package that is in none of the places where it could be; the text names them all."""


def roots() -> list[Path]:
    """The folders that may hold shared files, in the order in which they are asked.

    First the share folders of the ROS 2 workspaces that are sourced (AMENT_PREFIX_PATH) and have this package in their
    index, then the data of the installed wheel, then the checkout that this module runs from.
    """
    prefixes = [Path(p) for p in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep) if p]
    found = [p / "share" / PACKAGE for p in prefixes if (p / "share/ament_index/resource_index/packages" / PACKAGE).is_file()]
    found += [Path(p) / "share" / PACKAGE for p in (sysconfig.get_path("data"), sys.prefix)]
    found.append(Path(__file__).resolve().parents[1])
    return list(dict.fromkeys(found))


def find(relative: str | os.PathLike[str]) -> Path:
    """The file or folder of that name below the first of `roots` that has it.

    :param relative: for example "models/hand21_fast.onnx", "config/hand_pose.yaml", "recordings/demo"
    :raises ShareError: none has it
    """
    looked = [root / relative for root in roots()]
    for path in looked:
        if path.exists():
            return path
    raise ShareError(
        f"{os.fspath(relative)!r} of {PACKAGE} is missing; looked at {', '.join(map(str, looked))}: install the package again "
        "(pip install .), build the workspace and source its setup file, or run from a complete checkout"
    )


def model_file(model: str) -> Path:
    """A model's file: a path, or the name of one that comes with the package, for example "hand21_accurate".

    :raises ShareError: a name without folder and suffix that neither a file nor a model of the package has
    """
    path = Path(model).expanduser()
    if path.name != model or path.suffix or path.is_file():
        return path
    shipped = {file.stem: file for root in reversed(roots()) for file in root.glob("models/*.onnx")}
    if model not in shipped:
        raise ShareError(f"model {model!r} is no file and none of the package's models ({', '.join(sorted(shipped))}): name one")
    return shipped[model]
