"""Grades a class: what is not graded yet, on all cores or on a cluster, and nothing twice."""

import difflib
import hashlib
import itertools
import json
import sys
from typing import Any, NamedTuple

from tqdm import tqdm

from helpers.environment import COURSE
from solutions.grading import cells, pool, walls
from solutions.grading.arrivals import reading, recognising, words, zips
from solutions.grading.arrivals.places import Submission
from solutions.grading.arrivals.reading import Cell, Unreadable
from solutions.grading.marks import Mark
from solutions.grading.reports.matching import words_of
from solutions.grading.reports.rows import UNKNOWN, Row
from solutions.grading.store import Store
from solutions.grading.telling import Note

UNREAD = "The grader could not read it."


class Wanted(NamedTuple):
    """Whose grades are made, and whether anew.

    again    what is stored does not count
    student  name or number of the only one who is graded, "" for all
    """

    again: bool = False
    student: str = ""

    def of(self, row: Row) -> bool:
        """Return whether a student is graded now: by name, or by the platform's number."""
        one = words_of(self.student)
        return not self.student or row.number == self.student or one == words_of(row.student)


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


class Arrival(NamedTuple):
    """A notebook that could be read: whose it is, which chapter, and its code cells."""

    row: Row
    chapter: int
    submission: Submission
    code: list[Cell]


def key_of(arrival: Arrival, course: str) -> str:
    """Return the name under which a result is stored: who handed in what, for which course."""
    of = arrival.submission
    parts = [of.student, of.number, of.name, arrival.chapter, course]
    text = json.dumps([*parts, [[cell.id, cell.source] for cell in arrival.code]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def grade_class(
    found: list[Submission], store: Store, workers: pool.Workers, wanted: Wanted | None = None
) -> list[Row]:
    """Grade what is not graded yet; return a row per student.

    wanted: whose grades to make anew; of others what is stored counts

    What was stopped for time is graded once more, alone, when all others have been. What the grader
    fails at is not graded: it is no result, and tried again by the next run. Raises Refused.
    """
    wanted = wanted or Wanted()
    rows, arrivals = arrived(found)
    _check_student(wanted, rows)
    course = course_digest()
    keys = [key_of(arrival, course) for arrival in arrivals]
    tasks: dict[str, pool.Task] = {}  # two files may be one: names that cannot be shown look alike
    for key, arrival in zip(keys, arrivals, strict=True):
        chosen = wanted.of(arrival.row)
        if key not in tasks and chosen and (wanted.again or store.get(key) is None):
            slot = len(tasks) % walls.SLOTS
            how = store.seed, workers.walled, workers.hidden
            tasks[key] = pool.Task(key, arrival.code, arrival.chapter, slot, *how)
    failed: dict[str, str] = {}
    results = pool.results(list(tasks.values()), workers)
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


def _check_student(wanted: Wanted, rows: list[Row]) -> None:
    """Raise Refused if the only student to be graded is not there."""
    if not any(map(wanted.of, rows)):
        names = [row.student for row in rows]
        near = difflib.get_close_matches(wanted.student, names, n=3, cutoff=0.3)
        meant = f" Is one of these meant: {', '.join(near)}?" if near else ""
        raise pool.Refused(f"Nobody is called {wanted.student!r} here.{meant}")


def arrived(found: list[Submission]) -> tuple[list[Row], list[Arrival]]:
    """Return a row per student, and what could be read of what they handed in."""
    rows: dict[tuple[bytes, str], Row] = {}
    names: set[tuple[str, str]] = set()
    arrivals: list[Arrival] = []
    for submission in found:
        student = (submission.who, submission.number)
        if student not in rows:
            name, number = submission.student, submission.number
            rows[student] = Row(_another(name, number, names), number, name=name)
        row = rows[student]
        row.arrive(submission)
        try:
            arrivals += _read(submission, row)
        except Unreadable as reason:
            row.leave_out(f"{submission.name}: {reason}")
        except Exception as error:  # the grader's own: too many open files, a disk that fails
            print(f"{submission.path}: {type(error).__name__}: {error}", file=sys.stderr)
            row.failed[UNKNOWN] = f"{submission.name}: {UNREAD}"
        finally:
            cells.forget()
    return list(rows.values()), arrivals


def _read(submission: Submission, row: Row) -> list[Arrival]:
    """Return what is to be graded of a file, chapter by chapter; enter the rest into its row."""
    notebook, handed_out = read(submission), reading.edition("notebooks")
    for note in notebook.notes:
        row.leave_out(f"{submission.name}: {note}")
    found = []
    for chapter in recognising.chapters_of(notebook.code, handed_out):
        row.hand_in(chapter, words.texts_in(notebook, chapter))
        code = recognising.named(notebook.code, handed_out[chapter])
        found.append(Arrival(row, chapter, submission, code))
    return found


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


def _another(name: str, number: str, taken: set[tuple[str, str]]) -> str:
    """Return a name, counted if another student has it and the same number; note it as taken."""
    counted = (f"{name} ({n})" for n in itertools.count(2))
    free = next(n for n in itertools.chain([name], counted) if (n, number) not in taken)
    taken.add((free, number))
    return free
