"""`hand-pose engine`: real plans by TensorRT-RTX, for GPUs that this machine need not have."""

import fcntl
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

import pytest
from plan_builds import needs_rtx, rtx_key, until, without_gpu
from tiny_model import tiny_card, write_tiny_model

from hand_pose_ros import cli
from hand_pose_ros.inference.cuda_device import CudaDevice
from hand_pose_ros.inference.engine_cache import EngineCache
from hand_pose_ros.inference.plan_key import PlanKey, file_sha256, this_platform
from hand_pose_ros.inference.stale_plans import Machine, stale_reason


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """The cache that the command uses unless told otherwise."""
    monkeypatch.setenv("HAND_POSE_ENGINE_CACHE", str(tmp_path / "engines"))
    return EngineCache(tmp_path / "engines")


@pytest.fixture
def mine(model, tmp_path):
    """A model file that the test may change."""
    return shutil.copy(model, tmp_path / "mine.onnx")


def engine(capsys, *words: object) -> str:
    """What the command prints when all is well."""
    assert cli.main(["engine", *map(str, words)]) == 0
    return capsys.readouterr().out


def refused(capsys, *words: object) -> str:
    assert cli.main(["engine", *map(str, words)]) == 1
    return capsys.readouterr().err


@needs_rtx
def test_build_list_info_clear(cache, mine, capsys):
    key = rtx_key(mine, "8.9")
    said = engine(capsys, "build", mine, "--for", "8.9")
    assert re.fullmatch(rf"{cache.path(key)}: \d+\.\d MB, built in \d+\.\d s, fp32 for {key.place}\n", said)
    assert key.place == f"tensorrt_rtx {key.version} on any GPU of compute capability 8.9"
    again = json.loads(engine(capsys, "build", mine, "--for", "8.9", "--json"))
    assert (again["key"], again["plan"], again["model"]) == (key.digest, str(cache.path(key)), str(mine))
    assert (again["reused"], again["seconds"], PlanKey(**again["built_for"])) == (True, 0.0, key)
    assert again["plan_mb"] == pytest.approx(cache.path(key).stat().st_size / 1e6, abs=0.001)

    listed = engine(capsys, "list").splitlines()
    assert listed[0].startswith(key.digest[:12]) and listed[0].endswith(f"{mine}  ready")
    assert re.fullmatch(rf"1 plan\(s\), \d+\.\d MB, in {cache.folder}", listed[1])
    (row,) = json.loads(engine(capsys, "list", "--json"))
    assert list(row) == ["key", "plan", "state", "model", "built_for", "plan_mb", "built", "build_s"]
    for name in (key.digest[:5], cache.path(key), mine):
        assert json.loads(engine(capsys, "info", name, "--json")) == [row]
    assert f"\ncompute_capability  {key.compute_capability}\n" in engine(capsys, "info", mine)

    assert engine(capsys, "clear", "--stale") == ""
    assert engine(capsys, "clear", "--all") == f"removed {key.digest[:12]}\n"
    assert json.loads(engine(capsys, "list", "--json")) == []
    assert engine(capsys, "list") == f"0 plan(s), 0.0 MB, in {cache.folder}\n"


@needs_rtx
def test_build_takes_precision_batch_and_folder(cache, tmp_path, mine, capsys):
    half = write_tiny_model(tmp_path / "mine_fp16.onnx", card=tiny_card(precision="fp16").to_json())
    for precision, file in (("auto", half), ("fp16", half), ("fp32", mine)):
        built = json.loads(engine(capsys, "build", mine, "--for", "8.6", "--precision", precision, "--max-batch", 2, "--json"))
        assert built["model"] == str(file) and built["built_for"]["max_batch"] == 2
        assert built["built_for"]["precision"] == ("fp32" if file == mine else "fp16")
    for file in (mine, half):  # the plans of both precisions are of one model
        assert len(json.loads(engine(capsys, "info", file, "--json"))) == 2
    engine(capsys, "build", mine, "--for", "8.6", "--cache", tmp_path / "other", "--flavour", "tensorrt_rtx")
    assert len(EngineCache(tmp_path / "other").entries()) == 1
    assert len(cache.entries()) == 2


@needs_rtx
def test_plans_that_are_of_no_use_any_more_are_named_and_cleared(cache, tmp_path, mine, capsys):
    kept = write_tiny_model(tmp_path / "kept.onnx", size=64)
    for model in (mine, kept):
        engine(capsys, "build", model, "--for", "8.6")
    cache.path(rtx_key(kept)).with_suffix(".json").write_text("{")
    engine(capsys, "build", kept, "--for", "8.9")
    write_tiny_model(mine, size=128)
    states = {row["key"]: row["state"] for row in json.loads(engine(capsys, "list", "--json"))}
    assert sorted(state.split(" (")[0] for state in states.values()) == [
        "ready", "stale: its model file has changed", "unusable: what is beside it cannot be understood"
    ]  # fmt: skip
    assert "unusable: " in engine(capsys, "list")
    assert len(engine(capsys, "clear", "--stale").splitlines()) == 2
    assert list(cache.entries()) == [rtx_key(kept, "8.9").digest]


def test_what_makes_a_plan_stale(cache, model):
    key = PlanKey(file_sha256(model), "tensorrt", "10.3.0", "Orin", "8.7", "12.6", this_platform(), "fp32")
    orin, other = CudaDevice("Orin", "8.7", "12.6", 0), CudaDevice("Orin", "8.7", "13.0", 0)

    def reason(machine, model=model, **changes):
        return stale_reason(cache.store(PlanKey(**{**key.__dict__, **changes}), b"plan", model=model, build_s=1.0), machine)

    assert reason(Machine({"tensorrt": "10.3.0"}, (orin,))) == ""
    assert reason(Machine({}, ())) == ""  # nothing is known, as without the library or the driver
    assert reason(Machine({"tensorrt": "10.13.0"}, (orin,))) == "tensorrt is 10.13.0 now"
    assert reason(Machine({}, (other,))) == "made for another GPU or driver"
    assert reason(Machine({}, (other,)), gpu="", driver="") == ""
    assert reason(Machine({}, ()), platform="linux-other") == "made for linux-other"
    assert reason(Machine({}, ()), schema=0) == "made by another version of hand_pose_ros"
    assert reason(Machine({}, ()), model=cache.folder / "gone.onnx") == "its model file is gone"


@needs_rtx
def test_a_plan_that_is_being_built_is_left_alone(cache, mine, capsys):
    engine(capsys, "build", mine, "--for", "8.6")
    with cache.building(rtx_key(mine).digest, lambda note: None):
        assert cli.main(["engine", "clear", "--all"]) == 0
    assert "is being built now: left alone" in capsys.readouterr().err
    assert len(cache.entries()) == 1


@needs_rtx
@without_gpu
def test_without_a_gpu_the_remedy_is_named(cache, mine, capsys):
    assert "or say for which GPUs, for example --for 8.6" in refused(capsys, "build", mine)


@needs_rtx
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.onnx", "--for", "8.6"], "model none.onnx does not exist"),
        (["{mine}", "--for", "8.6", "--precision", "fp16"], "precision fp16 needs .*mine_fp16.onnx, which does not exist"),
        (["{mine}", "--for", "8.6", "--max-batch", "0"], "--max-batch 0 is no number of crops"),
        (["{mine}", "--for", "1.0"], "builds for 7.5, .*not for 1.0"),
        (
            ["{mine}", "--for", "8.6", "--cache", "{mine}/x"],
            "cannot be written .Not a directory.: set the parameter engine_cache",
        ),
    ],
)
def test_what_cannot_be_built(cache, mine, capsys, words, said):
    assert re.search(said, refused(capsys, "build", *(word.format(mine=mine) for word in words)))
    assert cache.entries() == {}


def test_info_of_nothing(cache, capsys):
    assert f"no plan of {cache.folder} has to do with 0123: `hand-pose engine list` shows" in refused(capsys, "info", "0123")


@pytest.mark.parametrize("words", [["clear"], ["clear", "--all", "--stale"], ["build"], ["nothing"], []])
def test_what_cannot_be_understood(words, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["engine", *words])
    assert caught.value.code == 2


@needs_rtx
def test_ctrl_c_in_a_terminal_leaves_nothing(cache, mine):
    """The build waits for this test, which holds its lock, until the user loses patience."""
    command = [sys.executable, "-m", "hand_pose_ros", "engine", "build", str(mine), "--for", "8.6"]
    with cache.building(rtx_key(mine).digest, lambda note: None) as lock:
        lock.tell("43 %")
        terminal, its_end = os.openpty()
        fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("4H", 24, 200, 0, 0))  # 24 lines of 200 characters
        asked = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=its_end, start_new_session=True)
        os.close(its_end)
        shown = b""
        end = time.monotonic() + 30
        while f"waiting for process {os.getpid()}: 43 %".encode() not in shown:
            assert select.select([terminal], [], [], max(end - time.monotonic(), 0))[0], shown
            shown += os.read(terminal, 1000)
        os.killpg(asked.pid, signal.SIGINT)
        out, _ = asked.communicate(timeout=30)
        os.close(terminal)
    assert (asked.returncode, out) == (130, b"")
    assert b"mine.onnx   0% |" in shown
    until(lambda: not list(cache.folder.iterdir()), "nothing is left")
