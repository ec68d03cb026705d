"""What our code uses of TensorRT is there in the real Python bindings of the oldest and the newest version, and in TensorRT-RTX.

The bindings' wheels come without TensorRT's libraries, which are for machines with a GPU. They import all the same once libraries
of these names export the functions that the bindings look for. Each version has a process of its own: two cannot share one.
"""

from __future__ import annotations

import ast
import json
import os
import platform
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from plan_builds import needs_rtx
from stub_library import MACHINES, write_stub_library
from tensorrt_uses import OWNERS, Use, path_of, uses_of

INFERENCE = Path(__file__).resolve().parents[2] / "hand_pose_ros" / "inference"
CHECK = Path(__file__).with_name("tensorrt_binding_check.py")
# `make test` puts them there, see test/tensorrt_bindings.
BINDINGS = Path(sys.prefix) / "tensorrt_bindings"
LIBRARIES = ("nvinfer", "nvinfer_plugin", "nvonnxparser")
FUNCTIONS = (
    "createInferBuilder_INTERNAL createInferRefitter_INTERNAL createInferRuntime_INTERNAL createNvOnnxParser_INTERNAL "
    "createNvOnnxParserRefitter_INTERNAL getBuilderPluginRegistry getNvOnnxParserVersion getPluginRegistry initLibNvInferPlugins"
).split()


@pytest.fixture(scope="module")
def uses() -> list[Use]:
    return [use for file in sorted(INFERENCE.glob("tensorrt_*.py")) for use in uses_of(file)]


@pytest.fixture(scope="module", params=["10.3", "11.4"])
def version(request: pytest.FixtureRequest) -> str:
    if not (BINDINGS / request.param / "tensorrt_bindings").is_dir():
        pytest.skip(f"no bindings of TensorRT {request.param} in {BINDINGS}: `make test` puts them there where there is a wheel")
    if platform.machine() not in MACHINES:
        pytest.skip(f"no stub libraries for {platform.machine()}")
    return request.param


def problems(module: str, uses: list[Use], folder: Path, version: str = "") -> tuple[str, list[tuple[dict, str]]]:
    """The module's version, and which uses fail with it and why."""
    environment = dict(os.environ)
    if version:
        for library in LIBRARIES:
            write_stub_library(folder / f"lib{library}.so.{version.split('.')[0]}", FUNCTIONS)
        environment.update(LD_LIBRARY_PATH=str(folder), PYTHONPATH=str(BINDINGS / version))
    command = [sys.executable, str(CHECK), module]
    asked = json.dumps([asdict(use) for use in uses])
    done = subprocess.run(command, input=asked, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    return answer["version"], answer["problems"]


def test_the_uses_are_found(uses: list[Use]):
    names = {use.name: use for use in uses}
    assert names["BuilderFlag.TF32"].kind == "read"
    assert {u.positional for u in uses if u.name == "OnnxParser" and u.kind == "call"} == {2}
    assert {"IProgressMonitor.step_complete", "ILogger.log"} <= {u.name for u in uses if u.kind == "override"}
    assert {"IBuilderConfig.progress_monitor"} <= {u.name for u in uses if u.kind == "write"}
    assert names["NetworkDefinitionCreationFlag.STRONGLY_TYPED"].optional
    assert {u.positional for u in uses if u.name == "IOptimizationProfile.set_shape" and u.kind == "call"} == {4}
    assert {u.name for u in uses if u.rtx_only} >= {"ICudaEngine.create_runtime_config", "IBuilderConfig.set_compute_capability"}
    run = {"ICudaEngine.get_tensor_name", "IExecutionContext.set_tensor_address", "IExecutionContext.execute_async_v3"}
    assert run | {"Builder.build_serialized_network", "Runtime.deserialize_cuda_engine"} <= names.keys()


def test_every_use_is_in_full_tensorrt(uses: list[Use], version: str, tmp_path: Path):
    asked = [use for use in uses if not use.rtx_only and not use.optional]
    found, wrong = problems("tensorrt_bindings", asked, tmp_path, version)
    assert found.startswith(f"{version}.")
    assert not wrong


@needs_rtx
def test_every_use_is_in_tensorrt_rtx(uses: list[Use], tmp_path: Path):
    # What is optional must be somewhere, else it is a name that we made up.
    _, wrong = problems("tensorrt_rtx", uses, tmp_path)
    assert not wrong


def test_what_is_not_there_is_told(version: str, tmp_path: Path):
    source = tmp_path / "source.py"
    source.write_text(
        "config.set_flag(trt.BuilderFlag.FP16)\n"  # 11 has it no more
        "builder.build_cuda_engine(network)\n"  # gone since 10
        "profile.set_shape('a', (1,), (1,))\n"  # one argument short
        "network.add_input(name='a', dtype=1, forma=(1,))\n"  # no such keyword
        "network.num_layers = 3\n"  # read only
        "parser.get_error(0).desc()\n"
        "class Monitor(trt.IProgressMonitor):\n    def phase_start(self, name):\n        pass\n"
    )
    _, wrong = problems("tensorrt_bindings", uses_of(source), tmp_path, version)
    names = [use["name"] for use, _ in wrong]
    assert names.count("BuilderFlag.FP16") == (0 if version.startswith("10.") else 1)
    assert {n for n in names if n != "BuilderFlag.FP16"} == {
        "Builder.build_cuda_engine",
        "IOptimizationProfile.set_shape",
        "INetworkDefinition.add_input",
        "INetworkDefinition.num_layers",
        "IProgressMonitor.phase_start",
    }


def test_objects_have_the_names_that_the_list_is_read_by():
    """An object that is called otherwise would escape the list."""
    stray, held = [], 0
    for file in sorted(INFERENCE.glob("tensorrt_*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            made = path_of(node.value.func) if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call) else None
            if made and (made in OWNERS.values() or made.split(".")[-1].startswith(("create_", "deserialize_"))):
                names = [target.id for target in node.targets if isinstance(target, ast.Name)]
                held += len(names)
                stray += [f"{file.name}:{node.lineno}: {name} = {made}" for name in names if name not in OWNERS]
    assert not stray
    assert held >= 6  # builder, network, config, parser, profile, runtime, engine, ...
