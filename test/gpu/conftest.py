"""Everything here needs an NVIDIA GPU and a TensorRT, and is skipped where one is missing; `make test-gpu` runs it alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from hand_pose_ros.inference.cuda_device import CudaDevice, find_device
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.tensorrt_build import build_plan
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary, find_tensorrt
from hand_pose_ros.share import find

SHIPPED = sorted(find("models").glob("*.onnx"))


@dataclass(frozen=True)
class Gpu:
    """The machine's GPU and TensorRT."""

    device: CudaDevice
    library: TensorRtLibrary


@pytest.fixture(scope="session")
def gpu() -> Gpu:
    try:
        return Gpu(find_device(), find_tensorrt())
    except ModelError:
        pytest.skip("needs a GPU and TensorRT: `make test-gpu` on a machine that has them")


@pytest.fixture(scope="session", params=SHIPPED, ids=lambda path: path.stem)
def shipped(request: pytest.FixtureRequest, gpu: Gpu) -> tuple[Path, bytes]:
    """A shipped model and its plan."""
    return request.param, build_plan(gpu.library, request.param)


@pytest.fixture(scope="session")
def tiny(model: Path, gpu: Gpu) -> tuple[Path, bytes]:
    """The tests' small model and its plan."""
    return model, build_plan(gpu.library, model)
