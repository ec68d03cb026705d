"""Many recordings side by side: in processes of this machine, or under Ray or Dask where one of them is installed."""

from __future__ import annotations

import importlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor, as_completed
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from hand_pose_ros.evaluation.errors import EvaluationError
from hand_pose_ros.evaluation.interrupts import interrupts_into, shielded_children
from hand_pose_ros.evaluation.job import JobResult, run_job
from hand_pose_ros.evaluation.settings import Job
from hand_pose_ros.progress import log_above_bars

log = logging.getLogger(__name__)
SCHEDULERS = ("processes", "ray", "dask")
# Of each scheduler other than ours, the module that it needs and how it is installed.
_MODULES = {"ray": ("ray", "pip install ray"), "dask": ("dask.distributed", "pip install distributed")}
# A process tells how far it is every so many frames.
TELL_EVERY = 10
_told: dict[str, Any] = {}  # of a worker process: its queue and its stop event


class _Bar:
    """One bar over all frames; how many there are is known when each recording has begun."""

    def __init__(self, jobs: int) -> None:
        self._bar = tqdm(total=0, unit="frame", disable=None)
        self._done: dict[int, tuple[int, int]] = {}
        self._jobs, self._finished = jobs, 0
        self._show()

    def tell(self, job: int, done: int, total: int) -> None:
        """How far a job is."""
        before = self._done.get(job, (0, 0))
        self._done[job] = done, total
        self._bar.total += total - before[1]
        self._bar.update(done - before[0])

    def finish(self, result: JobResult) -> None:
        """A job ended; what it had to say is written above the bar."""
        self._finished += 1
        self._show()
        for note in result.notes:
            tqdm.write(f"[WARNING] {result.run}, {result.label}: {note}", file=sys.stderr)
        if result.error:
            tqdm.write(f"[ERROR] {result.run}, {result.label}: {result.error}", file=sys.stderr)

    def _show(self) -> None:
        self._bar.set_description(f"{self._finished} of {self._jobs} recordings")

    def close(self) -> None:
        """Leave it as it is."""
        self._bar.close()


def run_jobs(jobs: Sequence[Job], workers: int, scheduler: str = "processes") -> list[JobResult]:
    """The results of the jobs in their order; after Ctrl-C of those that were begun, as far as they came.

    :param workers: processes side by side; the schedulers of others have their own settings
    :raises EvaluationError: the scheduler is not installed
    """
    ways = {"ray": _with_ray, "dask": _with_dask}
    way = ways.get(scheduler) or (_in_processes if workers > 1 and len(jobs) > 1 else _one_by_one)
    bar = _Bar(len(jobs))
    results: dict[int, JobResult] = {}
    stop = threading.Event()

    def end_soon() -> None:
        stop.set()
        tqdm.write("Ending soon, with what is done; Ctrl-C again ends at once.", file=sys.stderr)

    with log_above_bars(), interrupts_into(end_soon):
        try:
            for number, result in way(jobs, workers, bar, stop):
                results[number] = result
                bar.finish(result)
        finally:
            bar.close()
    return [results[number] for number in sorted(results)]


def _one_by_one(jobs: Sequence[Job], workers: int, bar: _Bar, stop: threading.Event) -> Iterator[tuple[int, JobResult]]:
    for number, job in enumerate(jobs):
        if stop.is_set():
            return
        yield number, run_job(job, lambda done, total, number=number: bar.tell(number, done, total), stop.is_set)


def _in_processes(jobs: Sequence[Job], workers: int, bar: _Bar, stop: threading.Event) -> Iterator[tuple[int, JobResult]]:
    """A process that is lost takes its pool with it. A fresh one has what had not begun; then what ran goes one at a time, so
    that nothing but the job at fault is lost.
    """
    together, alone = list(range(len(jobs))), []
    while (together or alone) and not stop.is_set():
        numbers, beside = (together, min(workers, len(together))) if together else (alone, 1)
        lost: dict[int, Future] = {}
        for number, future in _in_pool({number: jobs[number] for number in numbers}, beside, bar, stop):
            if isinstance(future.exception(), BrokenExecutor):
                lost[number] = future
            elif (result := future.result()) is not None:
                yield number, result
        # Jobs begin in their order: no others than the first of these can have been running.
        running, rest = sorted(lost)[:beside], sorted(lost)[beside:]
        if running and beside == 1:
            yield running[0], result_of(lost[running[0]].result, jobs[running[0]])
        elif running:
            log.warning("a process was lost, out of memory? Begun again at the end, one at a time: %d recording(s)", len(running))
            alone += running
        together, alone = (rest, alone) if together else ([], rest)


def _in_pool(jobs: Mapping[int, Job], workers: int, bar: _Bar, stop: threading.Event) -> Iterator[tuple[int, Future]]:
    """The jobs as they end; of those that have not begun when the evaluation is to end, not all."""
    context = multiprocessing.get_context("spawn")  # a fork would copy ONNX Runtime's threads in whatever state they are
    queue, stopped = context.Queue(), context.Event()
    ended = threading.Event()
    pool = ProcessPoolExecutor(workers, context, _begin_worker, (queue, stopped))
    listener = threading.Thread(target=_listen, args=(queue, bar, stop, stopped, ended), name="progress")
    listener.start()
    try:
        with shielded_children():
            futures = {pool.submit(_run_in_worker, number, job): number for number, job in jobs.items()}
        for future in as_completed(futures):
            if future.cancelled():
                continue
            if stop.is_set():
                for other in futures:
                    other.cancel()
            yield futures[future], future
    finally:
        pool.shutdown(cancel_futures=True)
        ended.set()
        listener.join()


def result_of(result: Callable[[], JobResult], job: Job) -> JobResult:
    """What a job gave; where its process was lost, that it was. Faults of ours are raised."""
    try:
        return result()
    except Exception as error:
        theirs = isinstance(error, BrokenExecutor) or type(error).__module__.partition(".")[0] in ("ray", "distributed", "dask")
        if not theirs or hasattr(error, "cause"):  # Ray's name for what the job itself raised
            raise
        text = f"its process was lost, out of memory? Try again with fewer --workers, or with more memory ({error})"
        return JobResult(job.run.name, job.label, job.folder, {"recording": str(job.bag), "complete": False}, error=text)


def _listen(queue: Any, bar: _Bar, stop: threading.Event, stopped: Any, ended: threading.Event) -> None:
    while not ended.is_set():
        if stop.is_set():
            stopped.set()
        try:
            bar.tell(*queue.get(timeout=0.1))
        except OSError:
            return
        except Exception as error:  # queue.Empty, of whichever module
            if type(error).__name__ != "Empty":
                raise


def _begin_worker(queue: Any, stopped: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent says when to stop
    _told.update(queue=queue, stopped=stopped)


def _run_in_worker(number: int, job: Job) -> JobResult | None:
    """None for a job that has not begun when the evaluation is to end."""
    if _told["stopped"].is_set():
        return None

    def tell(done: int, total: int) -> None:
        if done % TELL_EVERY == 0 or done == total:
            _told["queue"].put((number, done, total))

    return run_job(job, tell, _told["stopped"].is_set)


def anywhere(job: Job) -> Job:
    """The job with whole paths: processes of others work in folders of their own."""
    parameters, comparison, recordings = job.run.parameters, job.comparison, job.recordings
    truth = str(Path(comparison.truth).absolute()) if comparison.truth.endswith(".csv") else comparison.truth
    truth_bag = str(Path(comparison.truth_bag).absolute()) if comparison.truth_bag else ""
    files = {"model": parameters.model_path(), "detector": parameters.detector_path() if parameters.detector else None}
    return replace(
        job,
        run=replace(
            job.run, parameters=parameters.with_values({name: str(path.absolute()) for name, path in files.items() if path})
        ),
        bag=job.bag.absolute(),
        folder=job.folder.absolute(),
        comparison=replace(comparison, truth=truth, truth_bag=truth_bag),
        recordings=replace(recordings, camera_file=recordings.camera_file and recordings.camera_file.absolute()),
    )


def _module(scheduler: str) -> Any:
    name, remedy = _MODULES[scheduler]
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise EvaluationError(f"--scheduler {scheduler} needs the Python package {name} ({error}): {remedy}") from error


def _with_ray(jobs: Sequence[Job], workers: int, bar: _Bar, stop: threading.Event) -> Iterator[tuple[int, JobResult]]:
    """Ray's cluster of RAY_ADDRESS, or one of this machine; all of its machines see the folders under one name."""
    ray = _module("ray")
    begun = not ray.is_initialized()
    if begun:
        ray.init(num_cpus=None if os.environ.get("RAY_ADDRESS") else workers, include_dashboard=False, log_to_driver=False)
    try:
        task = ray.remote(run_job)
        waiting = {task.remote(job): number for number, job in enumerate(jobs)}
        while waiting and not stop.is_set():
            ready, _ = ray.wait(list(waiting), timeout=0.2)
            for one in ready:
                number = waiting.pop(one)
                yield number, result_of(lambda one=one: ray.get(one), jobs[number])
        for one in waiting:
            ray.cancel(one, force=True)
    finally:
        if begun:
            ray.shutdown()


def _with_dask(jobs: Sequence[Job], workers: int, bar: _Bar, stop: threading.Event) -> Iterator[tuple[int, JobResult]]:
    """Dask's cluster of DASK_SCHEDULER_ADDRESS, or one of this machine; all of its machines see the folders under one name."""
    distributed = _module("dask")
    address = os.environ.get("DASK_SCHEDULER_ADDRESS")
    local: dict[str, Any] = {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
    with distributed.Client(address) if address else distributed.Client(**local) as client:
        futures = {client.submit(run_job, job, pure=False): number for number, job in enumerate(jobs)}
        waiting = dict(futures)
        while waiting and not stop.is_set():
            ready = [future for future in waiting if future.done()]
            for future in ready:
                number = waiting.pop(future)
                yield number, result_of(future.result, jobs[number])
            if not ready:
                stop.wait(0.1)
        client.cancel(list(waiting))
