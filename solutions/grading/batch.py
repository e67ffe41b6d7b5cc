"""Grades a class: what is not graded yet, on all cores or on a cluster, and nothing twice."""

import hashlib
import json
import secrets
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import joblib
from tqdm import tqdm

from helpers.environment import COURSE
from solutions.grading import submissions, walls
from solutions.grading.marking import Graded, Mark, grade
from solutions.grading.reports import Row
from solutions.grading.submissions import Cell, Submission, Unreadable


class Workers(NamedTuple):
    """Who does the work: a number of processes here, or a cluster."""

    processes: int = -1  # all cores
    dask: str = ""  # address of a Dask scheduler
    walled: bool = True  # False: without a sandbox


def seed_of(out: Path, given: int | None) -> int:
    """Return the seed: as given, or else the one that these grades began with, or else a new one.

    A student who knew the seed could compute the cases at home and hand in a table of the results.
    """
    path = out / "seed.txt"
    if given is None and path.exists():
        return int(path.read_text(encoding="utf-8"))
    seed = secrets.randbelow(2**64) if given is None else given
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{seed}\n", encoding="utf-8")
    return seed


class Store:
    """The results so far, one file each, so that nothing is graded twice and nothing is lost."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, key: str) -> dict | None:
        """Return the result stored under `key`, if there is one."""
        path = self.folder / f"{key}.json"
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def put(self, key: str, result: dict) -> None:
        """Store a result; an interruption here leaves the old one or the new one."""
        path = self.folder / f"{key}.json"
        unfinished = path.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(result), encoding="utf-8")
        unfinished.replace(path)


def course_digest() -> str:
    """Return a digest of what else decides a grade: exercises, grader, hand-out, solutions."""
    digest = hashlib.sha256()
    for path in [
        *sorted((COURSE / "helpers").rglob("*.py")),
        *sorted((COURSE / "solutions" / "grading").rglob("*.py")),
        *sorted((COURSE / "notebooks").glob("*.ipynb")),
        *sorted((COURSE / "solutions").glob("*.ipynb")),
    ]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def key_of(submission: Submission, code: list[Cell], seed: int, course: str) -> str:
    """Return the name under which a result is stored: who, what, with which seed and course."""
    parts = [submission.student, submission.number, submission.name, seed, course]
    text = json.dumps([*parts, [[cell.id, cell.source] for cell in code]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def grade_class(found: list[Submission], store: Store, seed: int, workers: Workers) -> list[Row]:
    """Grade what is not graded yet; return a row per student."""
    rows: dict[tuple[str, str], Row] = {}
    course = course_digest()
    keys: list[tuple[str, Row, int, str]] = []
    tasks: list[tuple] = []
    for submission in found:
        student = (submission.student, submission.number)
        row = rows.setdefault(student, Row(*student))
        try:
            code = submissions.read(submission.path)
            chapter = submissions.chapter_of(code, submissions.edition("notebooks"))
        except Unreadable as reason:
            row.notes.append(f"{submission.name}: {reason}")
            continue
        key = key_of(submission, code, seed, course)
        keys.append((key, row, chapter, submission.name))
        if store.get(key) is None:
            slot = len(tasks) % walls.SLOTS
            tasks.append((key, code, chapter, slot, seed, workers.walled))
    for key, result in tqdm(_results(tasks, workers), total=len(tasks), unit="submission"):
        store.put(key, result)
    for key, row, chapter, name in keys:
        result = store.get(key)
        assert result is not None
        row.add(chapter, name, [Mark(**mark) for mark in result["marks"]], result["notes"])
    return list(rows.values())


def _results(tasks: list[tuple], workers: Workers) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield key and result of each task as it ends."""
    if not workers.dask:
        parallel = joblib.Parallel(n_jobs=workers.processes, return_as="generator_unordered")
        yield from parallel(joblib.delayed(grade_one)(*task) for task in tasks)
        return
    import distributed  # needed only by those who have a cluster

    with distributed.Client(workers.dask) as client:
        futures = [client.submit(grade_one, *task, pure=False) for task in tasks]
        for future in distributed.as_completed(futures):
            yield future.result()


def grade_one(
    key: str, code: list[Cell], chapter: int, slot: int, seed: int, walled: bool
) -> tuple[str, dict[str, Any]]:
    """Return `key` and the marks of one submission. Runs in a worker, here or in a cluster."""
    try:
        with walls.stage(COURSE) as staged:
            graded = grade(code, chapter, staged=staged, seed=seed, slot=slot, walled=walled)
    except Exception as error:
        graded = Graded([], [f"The grader failed: {type(error).__name__}: {error}"])
    return key, asdict(graded)
