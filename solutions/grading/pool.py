"""Who grades: processes of this machine, or a cluster. Each task is one submission."""

import contextlib
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError

from helpers.environment import COURSE
from solutions.grading import walls
from solutions.grading.arrivals.reading import Cell
from solutions.grading.inside.protocol import clean
from solutions.grading.marking import LONGEST_WORDS
from solutions.grading.marks import Graded
from solutions.grading.single import grade

FAILED = "The grader failed."  # the words of an error may name places of this machine


class Refused(Exception):
    """Nothing can be graded; the message says why, and what to do."""


class Workers(NamedTuple):
    """Who does the work: a number of processes here, or a cluster; and how."""

    processes: int = -1  # all cores
    dask: str = ""  # address of a Dask scheduler
    walled: bool = True  # False: without a sandbox
    hidden: tuple[Path, ...] = ()  # folders that no sandbox shows
    words: bool = False  # tell what exceptions said


class Task(NamedTuple):
    """One submission to be graded, and how."""

    key: str
    code: list[Cell]
    chapter: int
    slot: int
    seed: int
    walled: bool
    hidden: tuple[Path, ...]


Result = tuple[str, dict[str, Any]]


def results(tasks: list[Task], workers: Workers) -> Iterator[Result]:
    """Yield key and result of each task as it ends."""
    waiting = {task.key: task for task in tasks}
    with _pool(workers) as run:
        try:
            for key, result in run(tasks):
                if not result["again"]:
                    del waiting[key]
                    yield key, result
        except (TerminatedWorkerError, OSError):
            pass  # somebody killed a worker, or the disk is full: what is left is done one by one
        for key, task in waiting.items():
            try:
                ((_, result),) = run([task])
            except TerminatedWorkerError:
                result = failure("The process that graded it was killed, twice.")
            except OSError as error:
                result = failure(FAILED, str(error)[:LONGEST_WORDS])
            yield key, result


def _check_course(client: Any) -> None:
    """Raise Refused if the scheduler or a worker of a cluster cannot import the course."""
    try:
        for run in (client.run_on_scheduler, client.run):
            run(pkgutil.resolve_name, f"{__name__}:FAILED")
    except ImportError as error:
        raise Refused(
            f"The cluster cannot import the course ({error}). Start its scheduler and its workers "
            "in the course's folder, with its environment, as solutions/README.md says."
        ) from None


@contextlib.contextmanager
def _pool(workers: Workers) -> Iterator[Callable[[list[Task]], Iterator[Result]]]:
    """Give a function that yields key and result of each of some tasks as it ends."""
    if not workers.dask:

        def run_here(tasks: list[Task]) -> Iterator[Result]:
            processes = workers.processes if len(tasks) > 1 else 2  # one task: not in this process
            parallel = joblib.Parallel(n_jobs=processes, return_as="generator_unordered")
            yield from parallel(joblib.delayed(grade_one)(task) for task in tasks)

        yield run_here
        return
    import distributed  # needed only by those who have a cluster

    with distributed.Client(workers.dask) as client:
        _check_course(client)

        def run_there(tasks: list[Task]) -> Iterator[Result]:
            keys = {client.submit(grade_one, task, pure=False): task.key for task in tasks}
            for future in distributed.as_completed(keys):
                try:
                    yield future.result()
                except distributed.KilledWorker as error:
                    yield (
                        keys[future],
                        failure("Its workers were killed.", str(error)[:LONGEST_WORDS]),
                    )

        yield run_there


def grade_one(task: Task) -> Result:
    """Return the key of a task and the marks of its submission. Runs in a worker."""
    try:
        with walls.stage(COURSE) as staged:
            graded = grade(
                task.code,
                task.chapter,
                staged=staged,
                seed=task.seed,
                slot=task.slot,
                walled=task.walled,
                hidden=task.hidden,
            )
    except Exception as error:
        reason = clean(f"{type(error).__name__}: {error}")[:LONGEST_WORDS]
        return task.key, failure(FAILED, reason)
    return task.key, {**asdict(graded), "failed": ""}


def failure(reason: str, words: str = "") -> dict[str, Any]:
    """Return what stands for a result where there is none, and what only the terminal is told."""
    return {**asdict(Graded([])), "failed": reason, "words": words}
