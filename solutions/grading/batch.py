"""Grades a class: what is not graded yet, on all cores or on a cluster, and nothing twice."""

import contextlib
import hashlib
import itertools
import json
import pkgutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from joblib.externals.loky.process_executor import TerminatedWorkerError
from tqdm import tqdm

from helpers.environment import COURSE
from solutions.grading import cells, walls
from solutions.grading.arrivals import reading, recognising, words, zips
from solutions.grading.arrivals.places import Submission
from solutions.grading.arrivals.reading import Cell, Unreadable
from solutions.grading.inside.protocol import clean
from solutions.grading.marking import LONGEST_WORDS
from solutions.grading.marks import Graded, Mark
from solutions.grading.reports.matching import words_of
from solutions.grading.reports.rows import UNKNOWN, Row
from solutions.grading.single import grade
from solutions.grading.store import Store
from solutions.grading.telling import Note

UNREAD = "The grader could not read it."
FAILED = "The grader failed."  # the words of an error may name places of this machine


class NoCourse(Exception):
    """The machines of a cluster do not know the course; the message says what to do."""


class Workers(NamedTuple):
    """Who does the work: a number of processes here, or a cluster; and how."""

    processes: int = -1  # all cores
    dask: str = ""  # address of a Dask scheduler
    walled: bool = True  # False: without a sandbox
    hidden: tuple[Path, ...] = ()  # folders that no sandbox shows
    words: bool = False  # tell what exceptions said


class Wanted(NamedTuple):
    """Whose grades are made, and whether anew.

    again    what is stored does not count
    student  the only one who is graded, "" for all
    """

    again: bool = False
    student: str = ""

    def of(self, student: str) -> bool:
        """Return whether a student is graded now."""
        return not self.student or words_of(student) == words_of(self.student)


def course_digest() -> str:
    """Return a digest of what else decides a grade: exercises, grader, hand-out, solutions."""
    digest, grader = hashlib.sha256(), COURSE / "solutions" / "grading"
    for path in [
        *sorted((COURSE / "helpers").rglob("*.py")),
        *sorted(p for p in grader.rglob("*.py") if grader / "reports" not in p.parents),
        *sorted((COURSE / "notebooks").glob("*.ipynb")),
        *sorted((COURSE / "solutions").glob("*.ipynb")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def key_of(submission: Submission, code: list[Cell], course: str) -> str:
    """Return the name under which a result is stored: who handed in what, for which course."""
    parts = [submission.student, submission.number, submission.name, course]
    text = json.dumps([*parts, [[cell.id, cell.source] for cell in code]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class Arrival(NamedTuple):
    """A notebook that could be read: whose it is, which chapter, and its code cells."""

    row: Row
    chapter: int
    submission: Submission
    code: list[Cell]


def grade_class(
    found: list[Submission], store: Store, workers: Workers, wanted: Wanted | None = None
) -> list[Row]:
    """Grade what is not graded yet; return a row per student.

    wanted: whose grades to make anew; of others what is stored counts

    What was stopped for time is graded once more, alone, when all others have been. What the grader
    fails at is not graded: it is no result, and tried again by the next run.
    """
    wanted = wanted or Wanted()
    rows, arrivals = arrived(found)
    course = course_digest()
    keys = [key_of(arrival.submission, arrival.code, course) for arrival in arrivals]
    tasks: dict[str, Task] = {}  # two files may be one: names that cannot be shown look alike
    for key, arrival in zip(keys, arrivals, strict=True):
        chosen = wanted.of(arrival.row.student)
        if key not in tasks and chosen and (wanted.again or store.get(key) is None):
            slot = len(tasks) % walls.SLOTS
            how = store.seed, workers.walled, workers.hidden
            tasks[key] = Task(key, arrival.code, arrival.chapter, slot, *how)
    failed: dict[str, str] = {}
    results = _results(list(tasks.values()), workers)
    for key, result in tqdm(results, total=len(tasks), unit="submission"):
        if result["failed"]:
            failed[key] = result["failed"]
            tqdm.write(f"{result['failed']} {result['words']}", file=sys.stderr)
        else:
            store.put(key, result)
    for key, arrival in zip(keys, arrivals, strict=True):
        if result := store.get(key):
            _enter(arrival, result, words=workers.words)
        else:
            reason = failed.get(key, "It has not been graded yet.")
            arrival.row.failed[arrival.chapter] = f"{arrival.submission.name}: {reason}"
    return rows


def arrived(found: list[Submission]) -> tuple[list[Row], list[Arrival]]:
    """Return a row per student, and what could be read of what they handed in."""
    rows: dict[tuple[bytes, str], Row] = {}
    names: set[str] = set()
    arrivals = []
    handed_out = reading.edition("notebooks")
    for submission in found:
        student = (submission.who, submission.number)
        if student not in rows:
            rows[student] = Row(_another(submission.student, names), submission.number)
        row = rows[student]
        row.arrive(submission)
        try:
            notebook = read(submission)
            chapter = recognising.chapter_of(notebook.code, handed_out)
        except Unreadable as reason:
            row.leave_out(f"{submission.name}: {reason}")
            continue
        except OSError as error:  # the grader's own: too many open files, a disk that fails
            print(f"{submission.path}: {error}", file=sys.stderr)
            row.failed[UNKNOWN] = f"{submission.name}: {UNREAD}"
            continue
        for note in notebook.notes:
            row.leave_out(f"{submission.name}: {note}")
        row.hand_in(chapter, words.texts_in(notebook, chapter))
        code = recognising.named(notebook.code, handed_out[chapter])
        arrivals.append(Arrival(row, chapter, submission, code))
        cells.forget()
    return list(rows.values()), arrivals


def _enter(arrival: Arrival, result: dict[str, Any], *, words: bool) -> None:
    """Enter a result into the row of whose it is."""
    row, chapter = arrival.row, arrival.chapter
    marks = [Mark(**mark).told(words=words) for mark in result["marks"]]
    row.add(chapter, arrival.submission.name, marks)
    for note in (Note(**note) for note in result["notes"]):
        text = f"chapter {chapter}: {note.told(words=words)}"
        if note.left_out:
            row.leave_out(text)
        else:
            row.notes.append(text)


def read(submission: Submission) -> reading.Notebook:
    """Return a submission's notebook. Raises Unreadable, or OSError if reading itself fails."""
    if submission.sender and submission.sender.no_file:
        raise Unreadable(f"There is no notebook: {submission.sender.no_file}.")
    if submission.member:
        return reading.parsed(zips.read(submission.path, submission.member))
    return reading.read(submission.path)


def _another(name: str, taken: set[str]) -> str:
    """Return a name, with a number if another student's looks the same; note that it is taken."""
    numbered = (f"{name} ({n})" for n in itertools.count(2))
    free = next(n for n in itertools.chain([name], numbered) if n not in taken)
    taken.add(free)
    return free


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


def _results(tasks: list[Task], workers: Workers) -> Iterator[Result]:
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
                result = _failure("The process that graded it was killed, twice.")
            except OSError as error:
                result = _failure(FAILED, str(error)[:LONGEST_WORDS])
            yield key, result


def _check_course(client: Any) -> None:
    """Raise NoCourse if the scheduler or a worker of a cluster cannot import the course."""
    try:
        for run in (client.run_on_scheduler, client.run):
            run(pkgutil.resolve_name, f"{__name__}:FAILED")
    except ImportError as error:
        raise NoCourse(
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
                        _failure("Its workers were killed.", str(error)[:LONGEST_WORDS]),
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
        return task.key, _failure(FAILED, reason)
    return task.key, {**asdict(graded), "failed": ""}


def _failure(reason: str, words: str = "") -> dict[str, Any]:
    """Return what stands for a result where there is none, and what only the terminal is told."""
    return {**asdict(Graded([])), "failed": reason, "words": words}
