"""Writes the class summary: how many passed each exercise, and how the others went wrong."""

from collections import Counter

from helpers.exercises import catalogue
from helpers.exercises.contract import Exercise
from solutions.grading.marks import Mark
from solutions.grading.reports.pages import PAGES
from solutions.grading.reports.rows import Row, first_line


def summary_of(rows: list[Row]) -> str:
    """Return the class summary: how many passed each exercise, and how the others went wrong."""
    chapters = [
        (n, [_line(exercise, n, rows) for exercise in catalogue.chapters()[n]])
        for n in sorted({n for row in rows for n in row.marks})
    ]
    flagged = [(r.student, m) for r in rows for ms in r.marks.values() for m in ms if m.flags]
    return PAGES.get_template("summary.html").render(
        title="Class summary", students=len(rows), chapters=chapters, flagged=flagged
    )


def _line(exercise: Exercise, chapter: int, rows: list[Row]) -> tuple:
    """Return a line of the summary: how many passed, and why others did not, commonest first."""
    marks = [m for r in rows for m in r.marks.get(chapter, []) if m.exercise == exercise.name]
    passed = sum(mark.status == "passed" for mark in marks)
    reasons = Counter(_why_not(mark) for mark in marks if mark.status != "passed")
    return exercise.name, passed, len(marks), reasons.most_common()


def _why_not(mark: Mark) -> str:
    return mark.status if mark.status == "not attempted" else first_line(mark)
