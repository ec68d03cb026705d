"""Which TensorRT is taken, and what is said when there is none that can be used."""

import logging
import subprocess
import sys

import pytest
from plan_builds import needs_rtx

from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.tensorrt_library import find_tensorrt, version_problem


@pytest.mark.parametrize(
    "flavour, version, usable",
    [
        ("tensorrt", "10.3.0", True),
        ("tensorrt", "10.16.1.11", True),
        ("tensorrt", "11.4.0.106", True),
        ("tensorrt", "10.2.0.post1", False),
        ("tensorrt", "8.6.1", False),
        ("tensorrt", "12.0.0", False),
        ("tensorrt", "", False),
        ("tensorrt_rtx", "1.7.1.116", True),
        ("tensorrt_rtx", "1.3.0", False),
        ("tensorrt_rtx", "2.0", False),
    ],
)
def test_versions(flavour, version, usable):
    assert (version_problem(flavour, version) == "") == usable


def test_the_versions_that_work_are_named():
    assert version_problem("tensorrt", "8.6.1") == "version 8.6.1 is not supported, 10.3 and newer below 12.0 are"


def test_none(monkeypatch):
    for name in ("tensorrt", "tensorrt_rtx"):
        monkeypatch.setitem(sys.modules, name, None)  # as if it were not there
    with pytest.raises(
        ModelError, match="finds no TensorRT .*tensorrt: .*tensorrt_rtx: .*comes with JetPack.*pip install tensorrt-rtx"
    ):
        find_tensorrt()


def test_packages_that_are_none_or_too_old(tmp_path):
    """A folder that happens to have the name, an old version, one whose libraries are missing."""
    (tmp_path / "tensorrt").mkdir()
    (tmp_path / "tensorrt_rtx.py").write_text("raise OSError('libtensorrt_rtx.so.1: cannot open shared object file')")
    assert (
        "tensorrt: it is not TensorRT's package; tensorrt_rtx: libtensorrt_rtx.so.1: cannot open shared object file"
        in refusal(tmp_path)
    )
    (tmp_path / "tensorrt" / "__init__.py").write_text("__version__ = '8.6.1'\nclass Builder: pass\n")
    assert "tensorrt: version 8.6.1 is not supported, 10.3 and newer below 12.0 are" in refusal(tmp_path)


def refusal(first_on_path) -> str:
    program = f"""
import sys
sys.path.insert(0, {str(first_on_path)!r})
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.tensorrt_library import find_tensorrt
try:
    find_tensorrt()
except ModelError as error:
    print(error)
"""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout


@needs_rtx
def test_tensorrt_rtx_is_found_and_its_messages_are_heard(caplog):
    library = find_tensorrt(["tensorrt_rtx"])
    assert (library.flavour, library.module.__name__) == ("tensorrt_rtx", "tensorrt_rtx")
    assert version_problem("tensorrt_rtx", library.version) == ""
    assert library.logger is find_tensorrt(["tensorrt_rtx"]).logger
    severity = library.module.ILogger.Severity
    library.logger.errors.clear()
    with caplog.at_level(logging.INFO, "hand_pose_ros"):
        library.logger.log(severity.VERBOSE, "chatter")
        library.logger.log(severity.WARNING, "look out")
        library.logger.log(severity.ERROR, "broken")
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [("WARNING", "TensorRT: look out")]
    assert list(library.logger.errors) == ["broken"]
