"""What a TensorRT plan depends on: a plan made under any other of these is another plan."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from hand_pose_ros.inference.cuda_device import CudaDevice
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.model_file import read_model_file
from hand_pose_ros.inference.tensorrt_library import TensorRtLibrary

SCHEMA = 1  # of this list of fields and of how plans are built here; a plan of another schema is built anew
MAX_BATCH = 8  # the node's most hands at once
_BLOCK = 1 << 20


@dataclass(frozen=True)
class PlanKey:
    """The circumstances of one plan.

    :param model_sha256: of the ONNX file
    :param flavour: "tensorrt" or "tensorrt_rtx"
    :param version: of that library, for example "10.3.0"
    :param gpu: the GPU's name; "" for a plan made without one, for every GPU of the compute capability
    :param compute_capability: for example "8.7"
    :param driver: CUDA version of the driver, for example "12.6"; "" where `gpu` is
    :param platform: for example "linux-aarch64"
    :param precision: of the ONNX file, as its card says
    :param max_batch: most crops at once
    """

    model_sha256: str
    flavour: str
    version: str
    gpu: str
    compute_capability: str
    driver: str
    platform: str
    precision: str
    max_batch: int = MAX_BATCH
    schema: int = SCHEMA

    @property
    def digest(self) -> str:
        """32 hexadecimal digits that stand for all of it: the name of its files."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:32]

    @property
    def place(self) -> str:
        """Library and GPU in words."""
        gpu = self.gpu or "any GPU"
        return f"{self.flavour} {self.version} on {gpu} of compute capability {self.compute_capability}"

    def without_gpu(self) -> PlanKey:
        """The plan that a machine without a GPU makes for GPUs of this compute capability."""
        return replace(self, gpu="", driver="")


def key_of(
    model: Path, library: TensorRtLibrary, device: CudaDevice | None, *, compute_capability: str = "", max_batch: int = MAX_BATCH
) -> PlanKey:
    """What the plan of a model file depends on.

    :param device: None for a plan that is made without a GPU, for all those of `compute_capability`
    :raises ModelError: no usable model file
    """
    card = read_model_file(model).card
    return PlanKey(
        model_sha256=file_sha256(model),
        flavour=library.flavour,
        version=library.version,
        gpu=device.name if device else "",
        compute_capability=device.compute_capability if device else compute_capability,
        driver=device.driver if device else "",
        platform=this_platform(),
        precision=card.precision,
        max_batch=max_batch,
    )


def this_platform() -> str:
    """For example "linux-x86_64"."""
    return f"{sys.platform}-{platform.machine()}"


def file_sha256(path: Path) -> str:
    """sha256 of a file as hexadecimal digits.

    :raises OSError: it cannot be read
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def require_unchanged(model: Path, key: PlanKey) -> None:
    """:raises ModelError: the file is not the one that the key was made of, or cannot be read any more"""
    try:
        changed = file_sha256(model) != key.model_sha256
    except OSError as error:
        raise ModelError(f"model {model} cannot be read any more ({error.strerror}): start again") from error
    if changed:
        raise ModelError(f"model {model} has changed since it was loaded: start again")
