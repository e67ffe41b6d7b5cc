"""Writes the class summary: how many passed each exercise, and how the others went wrong."""

import statistics
from collections import Counter
from dataclasses import dataclass

from helpers.exercises import catalogue
from helpers.exercises.contract import Exercise
from solutions.grading.marks import Mark
from solutions.grading.reports.pages import PAGES
from solutions.grading.reports.rows import Row, first_line, named

BARS = 5  # of the distribution: no points, parts, all


@dataclass
class Line:
    """An exercise in the summary. counts: how many earned none, a part of each size, or all."""

    exercise: str
    of: str
    passed: int
    marked: int
    mean: str
    spread: str
    counts: list[int]
    reasons: list[tuple[str, int]]


def summary_of(rows: list[Row]) -> str:
    """Return the class summary: what each exercise earned, what went wrong, what to look at."""
    chapters = [
        (n, [line for e in catalogue.chapters()[n] if (line := _line(e, n, rows))])
        for n in sorted({n for row in rows for n in row.marks})
    ]
    flagged = [(r.student, m) for r in rows for ms in r.marks.values() for m in ms if m.flags]
    left_out = [(row.student, note) for row in rows for note in row.left_out]
    failed = [
        (r.student, f"{named(n)}not graded: {why}") for r in rows for n, why in r.failed.items()
    ]
    return PAGES.get_template("summary.html").render(
        title="Class summary",
        students=len(rows),
        chapters=chapters,
        flagged=flagged,
        left_out=failed + left_out,
    )


def _line(exercise: Exercise, chapter: int, rows: list[Row]) -> Line | None:
    """Return an exercise's line, commonest reasons first, or None if nobody had it."""
    of_all = [m for r in rows for m in r.marks.get(chapter, []) if m.exercise == exercise.name]
    marks = [mark for mark in of_all if mark.status != "absent"]
    if not marks:
        return None
    shares = [mark.points / mark.of for mark in marks]
    places = Counter(min(BARS - 1, int(share * (BARS - 1) + 1e-9)) for share in shares)
    reasons = Counter(_why_not(mark) for mark in marks if mark.status != "passed")
    points = [mark.points for mark in marks]
    return Line(
        exercise.name,
        f"{marks[0].of:g}",
        sum(mark.status == "passed" for mark in marks),
        len(marks),
        f"{statistics.mean(points):.1f}",
        f"{statistics.pstdev(points):.1f}",
        [places[n] for n in range(BARS)],
        reasons.most_common(),
    )


def _why_not(mark: Mark) -> str:
    return mark.status if mark.status == "not attempted" else first_line(mark)
