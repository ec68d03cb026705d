"""CUDA's calls: each exists with that many arguments, and without a GPU there is a clear error."""

import ast
import re
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from hand_pose_ros.inference.cuda_device import CudaError, checked, cuda_runtime, find_device, version_text
from hand_pose_ros.inference.model_card import ModelError

INFERENCE = Path(__file__).resolve().parents[2] / "hand_pose_ros" / "inference"
needs_bindings = pytest.mark.skipif(find_spec("cuda") is None, reason="no wheel of cuda-bindings for this machine")


def cuda_calls() -> list[tuple[str, int]]:
    """(function, number of arguments) of every call that goes through `checked` or straight to the runtime."""
    found = []
    for file in (*INFERENCE.glob("cuda_*.py"), *INFERENCE.glob("tensorrt_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if not isinstance(node, ast.Call):
                continue
            arguments = [a.value if isinstance(a, ast.Constant) else None for a in node.args]
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name.startswith("cuda") and name != "cuda_runtime":
                found.append((name, len(arguments)))
            elif any(str(a).startswith("cuda") for a in arguments):
                at = next(i for i, a in enumerate(arguments) if str(a).startswith("cuda"))
                found.append((arguments[at], len(arguments) - at - 1))
    return found


@needs_bindings
def test_every_call_is_in_cuda_bindings():
    runtime = cuda_runtime()
    calls = cuda_calls()
    assert {"cudaGetDeviceCount", "cudaMemcpyAsync", "cudaGraphInstantiate", "cudaStreamBeginCapture"} <= {
        name for name, _ in calls
    }
    for name, arguments in calls:
        signature = re.match(r"\w+\((.*)\)", getattr(runtime, name).__doc__)
        assert len([p for p in signature[1].split(",") if p.strip()]) == arguments, (name, arguments, signature[0])
    for member in ("cudaStreamNonBlocking", "cudaHostAllocDefault"):
        assert isinstance(getattr(runtime, member), int)
    assert {"cudaMemcpyHostToDevice", "cudaMemcpyDeviceToHost"} <= runtime.cudaMemcpyKind.__members__.keys()
    assert "cudaStreamCaptureModeThreadLocal" in runtime.cudaStreamCaptureMode.__members__


@needs_bindings
def test_a_failed_call_names_itself_and_the_reason():
    with pytest.raises(CudaError, match="cudaSetDevice failed: cudaError.*, .*"):
        checked(cuda_runtime(), "cudaSetDevice", 10_000)


@needs_bindings
def test_a_gpu_that_is_not_there():
    try:
        find_device()
    except ModelError as error:
        text = str(error)
        assert re.match(
            r"backend tensorrt needs an NVIDIA GPU and its driver, and CUDA finds none \(.+\): look at `nvidia-smi`", text
        )
        assert text.endswith("set backend to onnxruntime, which runs on the CPU")
    else:
        with pytest.raises(ModelError, match=r"device 99 is none of the \d+ GPU\(s\) here: use 0 to"):
            find_device(99)


def test_without_cuda_bindings(monkeypatch):
    monkeypatch.setitem(sys.modules, "cuda", None)  # as if it were not there
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(ModelError, match="needs cuda-bindings .*: pip install 'cuda-bindings>=12.8,<13' for CUDA 12"):
        find_device()


def test_version_numbers():
    assert (version_text(12060), version_text(13000), version_text(12080)) == ("12.6", "13.0", "12.8")
