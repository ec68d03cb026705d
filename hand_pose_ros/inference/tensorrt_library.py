"""Which TensorRT this machine has: the full one that JetPack and the vendor's packages install, else TensorRT-RTX.

Both have one Python interface from TensorRT 10.3 on, and the code here uses only what is in all of them. Nothing is imported
before it is asked for.
"""

from __future__ import annotations

import importlib
import logging
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hand_pose_ros.inference.model_card import ModelError

FLAVOURS = ("tensorrt", "tensorrt_rtx")
# First version with all that is used here, first version that nobody has looked at.
SUPPORTED = {"tensorrt": ((10, 3), (12, 0)), "tensorrt_rtx": ((1, 4), (2, 0))}

_ERRORS_KEPT = 20

log = logging.getLogger(__name__)
_loggers: dict[str, Any] = {}


@dataclass(frozen=True)
class TensorRtLibrary:
    """A TensorRT that can be used.

    :param module: the imported package
    :param flavour: one of FLAVOURS, which is also the package's name
    :param version: "10.3.0"
    """

    module: ModuleType
    flavour: str
    version: str

    @property
    def logger(self) -> Any:
        """Hands TensorRT's warnings to Python's logging and keeps its last errors in `errors`.

        One in a process, since TensorRT keeps the first one for good.
        """
        if self.flavour not in _loggers:
            _loggers[self.flavour] = _make_logger(self.module)
        return _loggers[self.flavour]


def find_tensorrt(flavours: Sequence[str] = FLAVOURS) -> TensorRtLibrary:
    """The first of these packages that can be imported and has a version that works here.

    :raises ModelError: none; the text says what was found and what to install
    """
    found = []
    for flavour in flavours:
        try:
            module = importlib.import_module(flavour)
        except Exception as error:  # a package whose libraries lack raises OSError, RuntimeError and others
            found.append(f"{flavour}: {error}")
            continue
        version = getattr(module, "__version__", "")
        problem = version_problem(flavour, version) if hasattr(module, "Builder") else "it is not TensorRT's package"
        if not problem:
            return TensorRtLibrary(module, flavour, version)
        found.append(f"{flavour}: {problem}")
    raise ModelError(
        f"backend tensorrt finds no TensorRT that it can use ({'; '.join(found)}). On a Jetson TensorRT comes with JetPack "
        "(apt install python3-libnvinfer; a virtual environment sees it only with --system-site-packages); on a PC: "
        "pip install tensorrt-rtx; or set backend to auto or onnxruntime"
    )


def version_problem(flavour: str, version: str) -> str:
    """Why this version cannot be used, "" if it can."""
    lowest, beyond = SUPPORTED[flavour]
    try:
        major, minor = (int(part) for part in version.split(".")[:2])
    except ValueError:
        return f"its version {version!r} is not a version"
    if lowest <= (major, minor) < beyond:
        return ""
    return f"version {version} is not supported, {_text(lowest)} and newer below {_text(beyond)} are"


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))


def _make_logger(trt: ModuleType) -> Any:
    severity = trt.ILogger.Severity
    errors = (severity.INTERNAL_ERROR, severity.ERROR)

    class PythonLogger(trt.ILogger):
        """Errors are kept for the exception that follows them. TensorRT's chatter below a warning (thousands of lines a build)
        is dropped: it is no news to a robot's user."""

        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: deque[str] = deque(maxlen=_ERRORS_KEPT)

        def log(self, severity: Any, msg: str) -> None:
            if severity in errors:
                self.errors.append(msg)
                log.debug("TensorRT: %s", msg)
            elif severity == trt.ILogger.Severity.WARNING:
                log.warning("TensorRT: %s", msg)

    return PythonLogger()
