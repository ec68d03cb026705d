"""What every test needs before anything of the package is imported."""

import logging
import signal
import sys
from pathlib import Path

import pytest

# With ROS sourced, pytest loads launch's plug-in, whose logger class does not propagate: caplog would see nothing.
logging.setLoggerClass(logging.Logger)

# A shell that starts pytest in the background has it ignore SIGINT, and the processes that tests start and interrupt with it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The tests' own helpers (unit/tiny_model.py, unit/small_bags.py, ...): pytest's importlib mode does not find them.
sys.path.insert(0, str(Path(__file__).parent / "unit"))


@pytest.fixture(scope="session", autouse=True)
def engine_cache(tmp_path_factory):
    """Plans that tests build on a machine with a GPU lie beside the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HAND_POSE_ENGINE_CACHE", str(tmp_path_factory.mktemp("engines")))
        yield


@pytest.fixture(scope="session")
def library():
    """Messages as ROS 2 Jazzy has them, without ROS."""
    from hand_pose_ros.messages.rosbags_library import RosbagsLibrary

    return RosbagsLibrary("jazzy")


@pytest.fixture(scope="session")
def model(tmp_path_factory):
    """The file of a model small enough for every test."""
    from tiny_model import write_tiny_model

    return write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx")
