"""The cache of plans, on real files, with real processes and a really full disk."""

import dataclasses
import errno
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from plan_builds import script, small_disk

from hand_pose_ros.inference import engine_cache
from hand_pose_ros.inference.build_lock import BuildLock
from hand_pose_ros.inference.engine_cache import CacheError, EngineCache, default_folder
from hand_pose_ros.inference.plan_key import PlanKey

KEY = PlanKey("ab" * 32, "tensorrt", "10.3.0", "Orin", "8.7", "12.6", "linux-aarch64", "fp32")
PLAN = bytes(range(256)) * 40
NOBODY = 65534


@pytest.fixture
def cache(tmp_path):
    return EngineCache(tmp_path / "engines")


def store(cache: EngineCache, key: PlanKey = KEY, plan: bytes = PLAN):
    return cache.store(key, plan, model=Path("models/a.onnx"), build_s=1.25)


def nobody_waits(note: str) -> None:
    raise AssertionError(f"the lock is free, and yet: {note}")


def test_a_plan_comes_back_with_what_it_was_built_from(cache):
    assert cache.load(KEY) is None
    assert cache.entries() == {}
    entry = store(cache)
    assert cache.load(KEY) == PLAN
    assert cache.entries() == {KEY.digest: entry}
    sidecar = json.loads((cache.folder / f"{KEY.digest}.json").read_text())
    assert PlanKey(**sidecar["key"]) == KEY
    assert sidecar["model"] == str(Path("models/a.onnx").resolve())
    assert (sidecar["plan_bytes"], sidecar["build_s"]) == (10240, 1.25)
    assert sorted(f.suffix for f in cache.folder.iterdir()) == [".json", ".plan"]
    assert not any(f.stat().st_mode & 0o022 for f in cache.folder.iterdir())


@pytest.mark.parametrize("name", [f.name for f in dataclasses.fields(PlanKey)])
def test_everything_that_a_plan_depends_on_is_in_its_key(cache, name):
    store(cache)
    value = getattr(KEY, name)
    other = dataclasses.replace(KEY, **{name: value + 1 if isinstance(value, int) else value + "x"})
    assert other.digest != KEY.digest
    assert cache.load(other) is None


def truncate(plan: Path, sidecar: Path) -> None:
    plan.write_bytes(PLAN[:-1])


def flip_a_bit(plan: Path, sidecar: Path) -> None:
    plan.write_bytes(PLAN[:100] + bytes([PLAN[100] ^ 1]) + PLAN[101:])


def drop_sidecar(plan: Path, sidecar: Path) -> None:
    sidecar.unlink()


def drop_plan(plan: Path, sidecar: Path) -> None:
    plan.unlink()


def garble_sidecar(plan: Path, sidecar: Path) -> None:
    sidecar.write_text("{")


def list_as_sidecar(plan: Path, sidecar: Path) -> None:
    sidecar.write_text("[]")


def _change(sidecar: Path, change) -> None:
    values = json.loads(sidecar.read_text())
    change(values)
    sidecar.write_text(json.dumps(values))


def foreign(plan: Path, sidecar: Path) -> None:
    _change(sidecar, lambda values: values.update(writer="somebody"))


def other_version(plan: Path, sidecar: Path) -> None:
    _change(sidecar, lambda values: values["key"].update(colour="blue"))


def other_key(plan: Path, sidecar: Path) -> None:
    _change(sidecar, lambda values: values["key"].update(version="10.4.0"))


def link(plan: Path, sidecar: Path) -> None:
    os.rename(plan, plan.with_suffix(".elsewhere"))
    plan.symlink_to(plan.with_suffix(".elsewhere"))


def folder(plan: Path, sidecar: Path) -> None:
    plan.unlink()
    plan.mkdir()


def writable_by_others(plan: Path, sidecar: Path) -> None:
    plan.chmod(0o666)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (truncate, "it has 10239 bytes where 10240 were written"),
        (flip_a_bit, "its sha256 is not the one that was written"),
        (drop_sidecar, "nothing beside it says what it was built from"),
        (drop_plan, "its plan is missing"),
        (garble_sidecar, "cannot be understood"),
        (list_as_sidecar, "cannot be understood"),
        (foreign, "it was not written by this cache"),
        (other_version, "it was written by another version of hand_pose_ros"),
        (other_key, "it was built for something else"),
        (link, "is a link"),
        (folder, "is no file"),
        (writable_by_others, "can be written by other users"),
    ],
)
def test_what_was_changed_is_not_loaded_but_built_again(cache, caplog, damage, said):
    store(cache)
    damage(cache.path(KEY), cache.path(KEY, engine_cache.SIDECAR))
    assert cache.load(KEY) is None
    assert f"{KEY.digest}.plan is not used and will be built again: " in caplog.text and said in caplog.text
    assert said in cache.entries()[KEY.digest]
    if damage is folder:
        cache.path(KEY).rmdir()
    store(cache)
    assert cache.load(KEY) == PLAN


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_another_users_plan_is_not_loaded(cache, caplog):
    store(cache)
    os.chown(cache.path(KEY), NOBODY, -1)
    assert cache.load(KEY) is None
    assert f"belongs to another user (id {NOBODY})" in caplog.text


def test_a_users_own_files_in_the_folder_are_none_of_its_business(cache):
    store(cache)
    for name in ("notes.json", "other.plan", "0123.tmp"):
        (cache.folder / name).write_text("")
    assert list(cache.entries()) == [KEY.digest]


def test_leftovers_are_listed_and_swept(cache):
    cache.folder.mkdir()
    (cache.folder / f"{KEY.digest}.abc.tmp").write_bytes(b"half")
    assert cache.entries() == {KEY.digest: "only a part of it was written"}
    with cache.building("0" * 32, nobody_waits):
        assert not cache.sweep("0" * 32)
        assert cache.sweep(KEY.digest)
    assert not list(cache.folder.iterdir())


def test_discard(cache):
    store(cache)
    cache.discard(KEY.digest)
    assert list(cache.folder.iterdir()) == []
    cache.discard(KEY.digest)


@contextmanager
def read_only(folder: Path):
    """The folder cannot be written inside the block, by root neither: root becomes somebody else."""
    mode = folder.stat().st_mode
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(mode)


def test_read_only_folder_is_an_error_with_a_remedy_and_is_still_read():
    top = Path(tempfile.mkdtemp())  # pytest's own folders are closed to other users
    try:
        top.chmod(0o755)
        cache = EngineCache(top / "engines")
        store(cache)
        other = dataclasses.replace(KEY, version="10.4.0")
        with read_only(cache.folder):
            assert cache.load(KEY) == PLAN
            for attempt in (
                lambda: store(cache, other),
                lambda: cache.building(other.digest, nobody_waits).__enter__(),
                lambda: cache.discard(KEY.digest),
            ):
                with pytest.raises(CacheError) as error:
                    attempt()
                assert str(error.value) == (
                    f"engine cache {cache.folder} cannot be written (Permission denied): set the parameter engine_cache or the "
                    "environment variable HAND_POSE_ENGINE_CACHE to a folder that can be written"
                )
        assert cache.load(KEY) == PLAN and list(cache.entries()) == [KEY.digest]
    finally:
        shutil.rmtree(top)


def test_folder_that_cannot_be_made(tmp_path, caplog):
    (tmp_path / "file").write_text("")
    cache = EngineCache(tmp_path / "file/engines")
    with pytest.raises(CacheError, match="file/engines cannot be written .Not a directory.: set the parameter engine_cache"):
        store(cache)
    with pytest.raises(CacheError, match="cannot be read .Not a directory."):
        cache.entries()
    assert cache.load(KEY) is None


FILL = """
import resource
from pathlib import Path
from hand_pose_ros.inference.engine_cache import CacheError, EngineCache
from test_engine_cache import KEY, PLAN, store
folder, limit = Path(sys.argv[1]), int(sys.argv[2])
cache = EngineCache(folder)
store(cache)
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
import dataclasses
other = dataclasses.replace(KEY, version="10.4.0")
try:
    store(cache, other, PLAN * 400)
except CacheError as error:
    print(error)
print(sorted(f.name for f in folder.iterdir()) == [KEY.digest + ".json", KEY.digest + ".plan"], cache.load(KEY) == PLAN)
"""


def said_when_full(command: list[str]) -> list[str]:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def expected_when_full(folder: Path, reason: str) -> list[str]:
    text = (
        f"engine cache {folder} is full: there is no room for a plan of 4.1 MB ({reason}): free some space, or set the parameter "
        "engine_cache or the environment variable HAND_POSE_ENGINE_CACHE to a folder that can be written"
    )
    return [text, "True True"]


def test_full_disk_leaves_nothing_half_written(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [*small_disk(disk), *script(FILL, disk / "engines", 0)]
    assert said_when_full(command) == expected_when_full(disk / "engines", os.strerror(errno.ENOSPC))


def test_a_limit_on_the_size_of_files_is_as_a_full_disk(tmp_path):
    lines = said_when_full(script(FILL, tmp_path / "engines", 1 << 20))
    assert lines == expected_when_full(tmp_path / "engines", os.strerror(errno.EFBIG))


WRITE_FOR_EVER = """
from pathlib import Path
from hand_pose_ros.inference.engine_cache import EngineCache
from test_engine_cache import PLAN, store
print("begun", flush=True)
while True:
    store(EngineCache(Path(sys.argv[1])), plan=PLAN * 200)
"""


def test_killed_at_any_moment_a_writer_leaves_the_whole_plan_or_none(cache):
    for wait_s in (0.003, 0.011, 0.017, 0.029):
        writer = subprocess.Popen(script(WRITE_FOR_EVER, cache.folder), stdout=subprocess.PIPE)
        writer.stdout.readline()
        time.sleep(wait_s)
        writer.kill()
        writer.communicate()
        assert cache.load(KEY) in (None, PLAN * 200)
    with cache.building(KEY.digest, nobody_waits):
        assert not list(cache.folder.glob("*.tmp"))
        store(cache)
    assert cache.load(KEY) == PLAN
    assert sorted(f.suffix for f in cache.folder.iterdir()) == [".json", ".plan"]


COUNT_UP = """
from pathlib import Path
from hand_pose_ros.inference.build_lock import BuildLock
lock, counter = BuildLock(Path(sys.argv[1])), Path(sys.argv[2])
for _ in range(20):
    lock.acquire(lambda note: None)
    counter.write_text(str(int(counter.read_text()) + 1))
    lock.release()
"""


def test_one_process_at_a_time(tmp_path):
    (tmp_path / "counter").write_text("0")
    processes = [subprocess.Popen(script(COUNT_UP, tmp_path / "lock", tmp_path / "counter")) for _ in range(3)]
    assert [process.wait(120) for process in processes] == [0, 0, 0]
    assert (tmp_path / "counter").read_text() == "60"
    assert not (tmp_path / "lock").exists()


HOLD = """
import os, time
from pathlib import Path
from hand_pose_ros.inference.build_lock import BuildLock
lock = BuildLock(Path(sys.argv[1]))
lock.acquire(lambda note: None)
lock.tell("43 %")
print(os.getpid(), flush=True)
time.sleep(60)
"""


def test_who_waits_hears_how_far_the_other_is_and_a_dead_one_holds_nothing(tmp_path):
    holder = subprocess.Popen(script(HOLD, tmp_path / "lock"), stdout=subprocess.PIPE, text=True)
    pid = int(holder.stdout.readline())
    notes = []

    def waiting(note: str) -> None:
        notes.append(note)
        if len(notes) == 2:
            holder.send_signal(signal.SIGKILL)
            holder.wait()

    lock = BuildLock(tmp_path / "lock")
    lock.acquire(waiting)
    assert notes == [f"process {pid}: 43 %"] * 2
    lock.release()
    holder.stdout.close()


def test_where_the_cache_lies(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("HAND_POSE_ENGINE_CACHE", raising=False)
    assert default_folder() == Path("/home/ann/.cache/hand_pose_ros/engines")
    monkeypatch.setenv("XDG_CACHE_HOME", "relative/is/to/be/ignored")
    assert default_folder() == Path("/home/ann/.cache/hand_pose_ros/engines")
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/ann")
    assert default_folder() == Path("/var/cache/ann/hand_pose_ros/engines")
    monkeypatch.setenv("HAND_POSE_ENGINE_CACHE", "~/plans")
    assert default_folder() == Path("/home/ann/plans")
