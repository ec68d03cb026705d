"""Many recordings side by side, long ones, and ones that are not waited for."""

import json
import multiprocessing
import os
import signal
import struct
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from hand_bags import hand_at, hands_bag, hands_message, stamp_of
from lethal_names import LethalNames
from small_bags import HANDS, TRUTH_TOPIC, stamp, write_bag

from hand_pose_ros.bags.writer import BagWriter
from hand_pose_ros.cli import main
from hand_pose_ros.evaluation.scheduling import anywhere, result_of, run_jobs
from hand_pose_ros.evaluation.settings import Comparison, Job, Recordings, Run
from hand_pose_ros.live.parameters import Parameters


def walking(dy=0.0, frames=30):
    return {k / 30: [hand_at(0.1 * k / 30, dy)] for k in range(frames)}


@pytest.fixture
def fleet(tmp_path, library):
    """Three recordings whose errors are 1, 2 and 3 mm, in a list, one of them twice."""
    for k in (1, 2, 3):
        hands_bag(tmp_path / f"walk_{k}", library, walking(), walking(0.001 * k))
    (tmp_path / "bags.txt").write_text("walk_1  # the first\n\nwalk_2\nwalk_3\nwalk_1\n")
    return tmp_path


def evaluated(fleet, *words):
    out = fleet / "out"
    command = ["evaluate", "--list", str(fleet / "bags.txt"), "--ground-truth", "/truth", "--recorded", "--out", str(out)]
    assert main([*command, "--overwrite", *words]) == 0
    figures = json.loads((out / "figures.json").read_text())
    recordings = figures["runs"]["recorded"]["recordings"]
    assert {label: one["mean_error_mm"] for label, one in recordings.items()} == pytest.approx(
        {"walk_1": 1.0, "walk_1_2": 1.0, "walk_2": 2.0, "walk_3": 3.0}
    )
    assert figures["runs"]["recorded"]["overall"]["mean_error_mm"] == pytest.approx(1.75) and figures["complete"]
    lines = (out / "per_frame.csv").read_text().splitlines()
    assert len(lines) == 1 + 4 * 30 and not list(out.glob("runs/*/*/per_frame.csv"))
    return {key: figures[key] for key in ("runs", "pairs")}, lines


def test_processes_side_by_side_give_what_one_gives(fleet):
    assert evaluated(fleet, "--workers", "2") == evaluated(fleet, "--workers", "1")


@pytest.mark.parametrize(("scheduler", "module"), [("ray", "ray"), ("dask", "distributed")])
def test_the_schedulers_of_others_give_the_same(fleet, scheduler, module):
    pytest.importorskip(module, reason=f"{module} is not installed: it is no dependency of this package")
    assert evaluated(fleet, "--workers", "2", "--scheduler", scheduler) == evaluated(fleet, "--workers", "1")


@pytest.mark.parametrize(("scheduler", "module"), [("ray", "ray"), ("dask", "dask.distributed")])
def test_a_scheduler_that_is_not_installed_is_named(fleet, monkeypatch, capsys, scheduler, module):
    monkeypatch.setitem(sys.modules, module, None)
    words = ["evaluate", "--list", str(fleet / "bags.txt"), "--ground-truth", "/truth", "--out", str(fleet / "none")]
    assert main([*words, "--scheduler", scheduler]) == 1
    assert f"--scheduler {scheduler} needs the Python package {module}" in capsys.readouterr().err


class _Cluster:
    """Has the face of dask.distributed's Client that is used, and works in processes of this machine."""

    def __init__(self, n_workers, **_):
        self.pool = ProcessPoolExecutor(n_workers, multiprocessing.get_context("spawn"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.pool.shutdown()

    def submit(self, work, job, pure):
        return self.pool.submit(work, job)

    def cancel(self, futures):
        for future in futures:
            future.cancel()


def test_the_schedulers_of_others_write_into_a_relative_folder(tmp_path, library, model, monkeypatch):
    write_bag(tmp_path / "walk", library, 3, truth={k: hands_message(library, stamp(k), [hand_at(-0.07)]) for k in range(3)})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "dask.distributed", SimpleNamespace(Client=_Cluster))
    words = ["evaluate", "walk", "--ground-truth", TRUTH_TOPIC, "--model", str(model), "--workers", "1", "--out", "out"]
    assert main([*words, "--scheduler", "dask"]) == 0
    pictures = json.loads(Path("out/figures.json").read_text())["runs"]["tiny"]["recordings"]["walk"]["pictures"]
    assert pictures and all((tmp_path / "out" / p["picture"]).is_file() for p in pictures)
    assert "data:image/jpeg;base64," in Path("out/report.html").read_text()


def test_paths_are_whole_for_the_processes_of_others(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run = Run("m", Parameters(model="m.onnx", detector="d.onnx"))
    job = Job(run, Path("a"), "a", Path("out"), Comparison("t.csv", truth_bag="b"), Recordings(camera_file=Path("c.yaml")))
    whole = anywhere(job)
    parameters = whole.run.parameters
    found = [parameters.model, parameters.detector, whole.bag, whole.folder, whole.comparison.truth, whole.comparison.truth_bag]
    assert [*map(str, found), str(whole.recordings.camera_file)] == [
        str(tmp_path / name) for name in ("m.onnx", "d.onnx", "a", "out", "t.csv", "b", "c.yaml")
    ]
    assert anywhere(replace(job, comparison=Comparison("/truth"))).comparison == Comparison("/truth")


def test_a_process_that_is_lost_is_said(tmp_path):
    job = Job(Run("m", Parameters()), tmp_path / "a", "a", tmp_path, Comparison("/truth"))
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        result = result_of(pool.submit(os._exit, 3).result, job)
        assert (result.label, result.tally) == ("a", None) and "fewer --workers" in result.error
    with pytest.raises(ZeroDivisionError):
        result_of(lambda: 1 / 0, job)


@pytest.mark.parametrize(("most", "deaths"), [(1, 1), (9, 2)])
def test_a_lost_process_costs_no_other_recording(tmp_path, library, model, caplog, most, deaths):
    # The model's hands are recorded before the joint names are read: what the lost process left behind is replaced.
    truth = {k: hands_message(library, stamp(k), [hand_at(-0.07)]) for k in range(3)}
    bags = [write_bag(tmp_path / f"walk_{k}", library, 3, truth=truth) for k in range(4)]
    run, file = Run("tiny", Parameters(model=str(model))), tmp_path / "deaths"
    file.touch()
    jobs = [Job(run, bag, bag.name, tmp_path / "out" / bag.name, Comparison(TRUTH_TOPIC), pictures=0) for bag in bags]
    jobs[1] = replace(jobs[1], comparison=replace(jobs[1].comparison, joint_names=LethalNames(file, most)))
    results = run_jobs(jobs, 2)
    assert [result.label for result in results] == [bag.name for bag in bags] and len(file.read_text()) == deaths
    wrong = {result.label: result.error for result in results if result.error}
    assert [result.tally.frames for result in results if result.tally] == [3] * (4 - len(wrong))
    assert list(wrong) == (["walk_1"] if deaths > 1 else []) and all("its process was lost" in text for text in wrong.values())
    assert caplog.text.count("Begun again at the end, one at a time") == 1


def long_bag(path, library, frames):
    """Hands at 30 Hz and ground truth at 60."""
    places = [bytearray(library.serialize(hands_message(library, 0, [hand_at(0.002 * k)]), HANDS)) for k in range(50)]
    with BagWriter(path, library) as writer:
        for topic in ("/hands", "/truth"):
            writer.add_topic(topic, HANDS)
        for k in range(2 * frames):
            at, cdr = stamp_of(k / 60), places[k % 50]
            cdr[4:12] = struct.pack("<iI", *divmod(at, 10**9))  # the header's stamp comes first
            for topic in ("/hands", "/truth") if k % 2 == 0 else ("/truth",):
                writer.write(topic, at, cdr)
    return path


PEAKS = """
import resource, sys
from pathlib import Path
from hand_pose_ros.evaluation.job import run_job
from hand_pose_ros.evaluation.settings import Comparison, Job, Run
from hand_pose_ros.live.parameters import Parameters
for bag in map(Path, sys.argv[1:]):
    job = Job(Run("recorded", Parameters(), recorded=""), bag, "walk", bag.with_name(bag.name + "_out"), Comparison("/truth"))
    print(run_job(job).tally.frames, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_length_of_a_recording(tmp_path, library):
    bags = [str(long_bag(tmp_path / f"bag_{frames}", library, frames)) for frames in (300, 3000)]
    done = subprocess.run([sys.executable, "-c", PEAKS, *bags], capture_output=True, text=True, timeout=120)
    (short, before_kib), (long, after_kib) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert (short, long) == (300, 3000), done.stderr
    # The long recording's messages alone are 11 MB, and more as Python's objects.
    assert after_kib - before_kib < 4096, (before_kib, after_kib)


def test_an_interrupt_keeps_what_is_done(tmp_path, library, model):
    truth = {k: hands_message(library, stamp(k), [hand_at()]) for k in range(600)}
    for name in ("a", "b", "c"):
        write_bag(tmp_path / name, library, 600, truth=truth)
    out = tmp_path / "out"
    words = ["evaluate", *(str(tmp_path / n) for n in "abc"), "--ground-truth", TRUTH_TOPIC, "--model", str(model)]
    command = [sys.executable, "-m", "hand_pose_ros", *words, "--out", str(out), "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    begun = time.monotonic()
    while len(list(out.glob("runs/*/*/hands/*.mcap"))) < 2 and time.monotonic() - begun < 60:
        time.sleep(0.05)
    time.sleep(0.3)
    os.killpg(process.pid, signal.SIGINT)  # as the terminal does: to the command and its processes
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors and "Ending soon, with what is done" in errors, errors
    figures = json.loads((out / "figures.json").read_text())
    recordings = figures["runs"]["tiny"]["recordings"]
    assert not figures["complete"] and set(recordings) <= {"a", "b", "c"} and recordings
    assert not any(one["complete"] for one in recordings.values())
    assert 0 < sum(one["frames"] for one in recordings.values()) < 1200
    assert "Not complete" in (out / "report.html").read_text()


def test_an_interrupt_while_processes_begin_ends_without_a_word_of_theirs(fleet):
    words = ["evaluate", "--list", str(fleet / "bags.txt"), "--ground-truth", "/truth", "--recorded", "--workers", "2"]
    command = [sys.executable, "-m", "hand_pose_ros", *words, "--out", str(fleet / "out")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    children, begun = Path(f"/proc/{process.pid}/task/{process.pid}/children"), time.monotonic()
    while len(children.read_text().split()) < 3 and time.monotonic() - begun < 60:  # two, and multiprocessing's own
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors and "its process was lost" not in errors, errors
