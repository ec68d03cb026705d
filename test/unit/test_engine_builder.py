"""Builds in real processes: TensorRT-RTX on the CPU where there is one, else up to where TensorRT would begin."""

import contextlib
import dataclasses
import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import warnings
from pathlib import Path

import onnx
import pytest
from plan_builds import PLAN, any_key, is_gone, needs_rtx, request, rtx_key, script, small_disk, until, until_it_waits

from hand_pose_ros.inference import engine_builder
from hand_pose_ros.inference.build_lock import BuildLock
from hand_pose_ros.inference.engine_builder import BuildRequest, PlanBuild
from hand_pose_ros.inference.engine_cache import EngineCache
from hand_pose_ros.inference.model_card import ModelError
from hand_pose_ros.inference.tensorrt_build import BuildCancelled
from hand_pose_ros.share import find


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


@pytest.fixture
def held(cache, model):
    """(key, lock): a build of this key waits until the lock is given back."""
    key = any_key(model)
    cache.folder.mkdir()
    lock = BuildLock(cache.folder / f"{key.digest}.lock")
    lock.acquire(lambda note: None)
    lock.tell("43 %")
    yield key, lock
    with contextlib.suppress(OSError):  # a test may have given it back
        lock.release()


def test_a_request_goes_through_its_line(model):
    sent = BuildRequest("a model.onnx", any_key(model), "a folder", 3)
    assert BuildRequest.from_json(sent.to_json()) == sent
    assert "\n" not in sent.to_json()


@needs_rtx
def test_builds_into_the_cache_and_the_next_one_takes_it_from_there(cache, model):
    key = rtx_key(model)
    built = PlanBuild(request(model, key, cache.folder)).result()
    assert (built.reused, built.not_kept) == (False, "")
    assert len(built.plan) > 10_000 and cache.load(key) == built.plan
    assert sorted(f.suffix for f in cache.folder.iterdir()) == [".json", ".plan"]
    again = PlanBuild(request(model, key, cache.folder)).result()
    assert (again.plan, again.reused) == (built.plan, True)


@needs_rtx
def test_paths_are_those_of_the_process_that_asks(tmp_path, model, monkeypatch):
    shutil.copy(model, tmp_path / "a.onnx")
    monkeypatch.chdir(tmp_path)
    key = rtx_key(Path("a.onnx"))
    PlanBuild(BuildRequest("a.onnx", key, "engines")).result()
    assert EngineCache(tmp_path / "engines").entries()[key.digest].model == str(tmp_path / "a.onnx")


@needs_rtx
def test_two_at_once_build_one_plan(cache, model):
    key = rtx_key(model)
    first, second = (PlanBuild(request(model, key, cache.folder)).result for _ in range(2))
    results = first(), second()
    assert sorted(r.reused for r in results) == [False, True]
    assert results[0].plan == results[1].plan


@needs_rtx
def test_a_damaged_plan_is_built_again(cache, model):
    key = rtx_key(model)
    whole = PlanBuild(request(model, key, cache.folder)).result()
    cache.path(key).write_bytes(whole.plan[: len(whole.plan) // 2])
    built = PlanBuild(request(model, key, cache.folder)).result()
    assert not built.reused
    assert cache.load(key) == built.plan


@needs_rtx
def test_what_cannot_be_kept_is_built_all_the_same(tmp_path, model):
    (tmp_path / "file").write_text("")
    built = PlanBuild(request(model, rtx_key(model), tmp_path / "file/engines")).result()
    assert len(built.plan) > 10_000 and not built.reused
    assert "file/engines cannot be written (Not a directory): set the parameter engine_cache" in built.not_kept


FULL = """
from pathlib import Path
from hand_pose_ros.inference.engine_builder import BuildRequest, PlanBuild
request = BuildRequest.from_json(sys.argv[1])
disk = Path(request.folder)
try:
    (disk / "filler").write_bytes(bytes(2 << 20))
except OSError as error:
    print(error.strerror)
built = PlanBuild(request).result()
print(len(built.plan) > 10_000, built.not_kept)
print([f.name for f in disk.iterdir()])
"""


@needs_rtx
def test_on_a_full_disk_it_is_built_all_the_same(tmp_path, model):
    command = [*small_disk(tmp_path), *script(FULL, request(model, rtx_key(model), tmp_path).to_json())]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    full, built, left = done.stdout.splitlines()
    assert full == "No space left on device"
    assert built.startswith(f"True engine cache {tmp_path} is full: ") and "free some space, or set the parameter" in built
    assert left == "['filler']"


@needs_rtx
def test_says_how_far_it_is(cache, caplog):
    model = find("models/hand21_fast.onnx")
    build = PlanBuild(request(model, rtx_key(model), cache.folder))
    texts = set()
    with caplog.at_level("INFO", "hand_pose_ros"):
        while not build.wait(0.005):
            texts.add(build.progress.text)
    assert len(build.result().plan) > 1_000_000
    assert build.progress.share > 0.5 and len(texts) > 1
    assert "building a TensorRT plan of hand21_fast.onnx" in caplog.text


@needs_rtx
def test_a_model_that_tensorrt_refuses(tmp_path, cache, model):
    refused = onnx.load(model)
    refused.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1
    onnx.save(refused, tmp_path / "fixed.onnx")
    with pytest.raises(ModelError, match="fixed.onnx.*the batch and nothing else must be dynamic"):
        PlanBuild(request(tmp_path / "fixed.onnx", rtx_key(tmp_path / "fixed.onnx"), cache.folder)).result()
    assert not list(cache.folder.iterdir())


@needs_rtx
def test_a_model_or_library_that_changed_since(cache, model):
    key = rtx_key(model)
    with pytest.raises(ModelError, match="tiny.onnx has changed since it was loaded: start again"):
        PlanBuild(request(model, dataclasses.replace(key, model_sha256="cd" * 32), cache.folder)).result()
    with pytest.raises(ModelError, match=f"tensorrt_rtx is {key.version} now and was 1.0.0 at the start"):
        PlanBuild(request(model, dataclasses.replace(key, version="1.0.0"), cache.folder)).result()
    with pytest.raises(ModelError, match="gone.onnx cannot be read any more .No such file or directory.: start again"):
        PlanBuild(request(model.with_name("gone.onnx"), key, cache.folder)).result()
    with pytest.raises(ModelError, match="gone.onnx cannot be read .*: name an .onnx file"):
        rtx_key(model.with_name("gone.onnx"))


def test_without_the_library(cache, model):
    with pytest.raises(ModelError, match="finds no TensorRT that it can use .tensorrt: "):
        PlanBuild(request(model, any_key(model), cache.folder)).result()


def test_waits_for_another_process_and_takes_its_plan(cache, model, held):
    key, lock = held
    build = PlanBuild(request(model, key, cache.folder))
    until_it_waits(build)
    assert build.progress.text == f"waiting for process {os.getpid()}: 43 %"
    assert not build.done
    cache.store(key, PLAN, model=model, build_s=1.0)
    lock.release()
    built = build.result()
    assert (built.plan, built.reused, built.not_kept) == (PLAN, True, "")


def test_cancelled(cache, model, held):
    build = PlanBuild(request(model, held[0], cache.folder))
    until_it_waits(build)
    build.cancel()
    assert build.done
    with pytest.raises(BuildCancelled):
        build.result()


@needs_rtx
def test_cancelled_in_the_middle_nothing_is_left(cache):
    model = find("models/hand21_fast.onnx")
    build = PlanBuild(request(model, rtx_key(model), cache.folder))
    until(lambda: build.progress.share > 0 or build.done, "the build has begun")
    assert not build.done
    build.cancel()
    with pytest.raises(BuildCancelled):
        build.result()
    assert not list(cache.folder.iterdir())


def test_a_cancelled_one_that_is_done_keeps_its_result(cache, model, held):
    key, lock = held
    cache.store(key, PLAN, model=model, build_s=1.0)
    lock.release()
    build = PlanBuild(request(model, key, cache.folder))
    until(lambda: build.done, "the build is done")
    build.cancel()
    assert build.result().plan == PLAN


def test_ends_with_its_object(cache, model, held):
    build = PlanBuild(request(model, held[0], cache.folder))
    until_it_waits(build)
    pid = build.pid
    del build
    gc.collect()
    until(lambda: is_gone(pid), "the worker is gone")


START = """
import time
from hand_pose_ros.inference.engine_builder import BuildRequest, PlanBuild
build = PlanBuild(BuildRequest.from_json(sys.argv[1]))
while not build.progress.text.startswith("waiting for process"):
    time.sleep(0.01)
print(build.pid, flush=True)
time.sleep(60)
"""


def test_ends_when_the_process_that_asked_is_killed(cache, model, held):
    asking = subprocess.Popen(script(START, request(model, held[0], cache.folder).to_json()), stdout=subprocess.PIPE)
    pid = int(asking.stdout.readline())
    assert not is_gone(pid)
    asking.kill()
    asking.communicate()
    until(lambda: is_gone(pid), "the worker is gone")


@pytest.mark.parametrize(
    ("number", "said"),
    [(signal.SIGKILL, "ended by SIGKILL: the machine may have run out of memory"), (signal.SIGSEGV, "SIGSEGV")],
)
def test_a_worker_that_dies(cache, model, held, number, said):
    build = PlanBuild(request(model, held[0], cache.folder))
    until_it_waits(build)
    os.kill(build.pid, number)
    with pytest.raises(ModelError, match=f"{said}.*set backend to onnxruntime"):
        build.result()


def test_a_worker_that_dies_while_it_speaks(cache, model, monkeypatch, tmp_path):
    """Half a line is not waited on for ever."""
    said = "print('{\"error\": \"no', end='', flush=True)"
    (tmp_path / "half_a_line.py").write_text(f"import os, signal\n{said}\nos.kill(os.getpid(), signal.SIGKILL)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(engine_builder, "WORKER", "half_a_line")
    build = PlanBuild(request(model, any_key(model), cache.folder))
    until(lambda: build.done, "the build has ended")
    with pytest.raises(ModelError, match="ended by SIGKILL"):
        build.result()


def test_where_python_has_no_files_in_memory(cache, model, held, monkeypatch):
    monkeypatch.delattr(os, "memfd_create")
    key, lock = held
    cache.store(key, PLAN, model=model, build_s=1.0)
    lock.release()
    assert PlanBuild(request(model, key, cache.folder)).result().plan == PLAN
    monkeypatch.setattr(tempfile, "tempdir", str(model / "no folder"))
    with pytest.raises(ModelError, match="no temporary file .*: set TMPDIR to a folder with room"):
        PlanBuild(request(model, key, cache.folder))


def test_files_and_processes_are_given_back(cache, model, held):
    key, lock = held
    cache.store(key, PLAN, model=model, build_s=1.0)
    lock.release()

    def open_files() -> int:
        return len(os.listdir("/proc/self/fd"))

    PlanBuild(request(model, key, cache.folder)).result()
    gc.collect()
    before, threads = open_files(), threading.active_count()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")  # of a file that nobody closed
        for _ in range(3):
            PlanBuild(request(model, key, cache.folder)).result()
        gc.collect()
    assert not said
    until(lambda: threading.active_count() <= threads, "the readers have ended")
    assert open_files() <= before


def test_a_worker_that_cannot_start(cache, model, monkeypatch, tmp_path, capfd):
    (tmp_path / "json.py").write_text("raise RuntimeError('broken Python')")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ModelError, match="ended with status 1: the lines above say why"):
        PlanBuild(request(model, any_key(model), cache.folder)).result()
    assert "broken Python" in capfd.readouterr().err


def test_lines_of_the_worker_are_json(cache, model, held):
    """Its output can be read by others, as its module says."""
    key, lock = held
    cache.store(key, PLAN, model=model, build_s=1.0)
    lock.release()
    with open(cache.folder.parent / "out", "w+b") as out:
        done = subprocess.run(
            [sys.executable, "-m", "hand_pose_ros.inference.build_worker", str(out.fileno())],
            input=request(model, key, cache.folder).to_json().encode() + b"\n",
            pass_fds=(out.fileno(),),
            stdout=subprocess.PIPE,
            check=True,
        )
        assert (cache.folder.parent / "out").read_bytes() == PLAN
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert lines[-1]["built"]["reused"] is True and lines[-1]["built"]["not_kept"] == ""
