"""The GPU that runs TensorRT plans: is one there, what is it, and CUDA's calls with errors instead of codes.

CUDA comes through `cuda.bindings.runtime` (pip's cuda-bindings). It is imported on first use only, so that a machine without a
GPU needs none of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import Any

from hand_pose_ros.inference.model_card import ModelError

_CPU_REMEDY = "set backend to onnxruntime, which runs on the CPU"


@dataclass(frozen=True)
class CudaDevice:
    """One GPU.

    :param name: as its driver calls it, for example "Orin"
    :param compute_capability: "8.7"
    :param driver: the newest CUDA version that the driver takes, "12.6"
    :param index: its number in this process
    """

    name: str
    compute_capability: str
    driver: str
    index: int


class CudaError(ModelError):
    """A CUDA call failed; the text names the call and CUDA's reason."""


def cuda_runtime() -> ModuleType:
    """The module `cuda.bindings.runtime`.

    :raises ModelError: cuda-bindings is not installed
    """
    try:
        from cuda.bindings import runtime
    except ImportError as error:
        raise ModelError(
            f"backend tensorrt needs cuda-bindings ({error}): pip install 'cuda-bindings>=12.8,<13' for CUDA 12 "
            "(JetPack 6), 'cuda-bindings>=13,<14' for CUDA 13 (JetPack 7), or leave the backend to auto or onnxruntime"
        ) from error
    return runtime


def checked(runtime: ModuleType, call: str, *arguments: Any) -> Any:
    """What a CUDA runtime call returns beside its error code: None, a value, or a tuple of values.

    :param call: its name, for example "cudaMalloc"
    :raises CudaError: the code is not cudaSuccess
    """
    code, *values = getattr(runtime, call)(*arguments)
    if code != runtime.cudaError_t.cudaSuccess:
        runtime.cudaGetLastError()  # else the next launch reports this error again
        raise CudaError(f"{call} failed: {_reason(runtime, code)}")
    if not values:
        return None
    return values[0] if len(values) == 1 else tuple(values)


def find_device(index: int = 0) -> CudaDevice:
    """The GPU with this number. Asks the driver how many there are before anything else touches CUDA: TensorRT's runtimes
    may crash where there is none.

    :raises ModelError: no cuda-bindings, no usable driver, no such GPU
    """
    runtime = cuda_runtime()
    try:
        code, count = runtime.cudaGetDeviceCount()
        reason = "no CUDA device" if code == runtime.cudaError_t.cudaSuccess else _reason(runtime, code)
    except RuntimeError as error:  # cuda-bindings 12.8 without a driver
        count, reason = 0, str(error)
    if not count:
        raise ModelError(
            f"backend tensorrt needs an NVIDIA GPU and its driver, and CUDA finds none ({reason}): look at `nvidia-smi` "
            f"(in a container: was it started with the GPU?), or {_CPU_REMEDY}"
        )
    if not 0 <= index < count:
        raise ModelError(f"device {index} is none of the {count} GPU(s) here: use 0 to {count - 1}")
    properties = checked(runtime, "cudaGetDeviceProperties", index)
    name = properties.name.decode() if isinstance(properties.name, bytes) else str(properties.name)
    return CudaDevice(
        name=name.rstrip("\0"),
        compute_capability=f"{properties.major}.{properties.minor}",
        driver=version_text(checked(runtime, "cudaDriverGetVersion")),
        index=index,
    )


def version_text(number: int) -> str:
    """CUDA's version number as text: 12060 is "12.6"."""
    return f"{number // 1000}.{number % 1000 // 10}"


def _reason(runtime: ModuleType, code: Any) -> str:
    _, text = runtime.cudaGetErrorString(code)
    return f"{code.name}, {text.decode()}"
