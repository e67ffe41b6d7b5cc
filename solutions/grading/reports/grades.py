"""Writes grades.csv, a line per student."""

from collections.abc import Iterable
from pathlib import Path

from solutions.grading.arrivals.words import questions
from solutions.grading.marks import Mark
from solutions.grading.reports.rows import Row
from solutions.grading.reports.table import harmless, save
from solutions.grading.reports.weights import Weights


def write_grades(
    rows: list[Row], chapters: Iterable[int], path: Path, weights: Weights | None = None
) -> None:
    """Write one line per student: each exercise, each chapter, the total, and remarks."""
    chapters, weights = list(chapters), weights or Weights()
    exercises = [(n, e) for n in chapters for e in weights.counted(n)]
    head = ["student", "id"]
    head += [f"{n}.{exercise.name} ({weights.of(exercise):g})" for n, exercise in exercises]
    asked = [question for question in questions() if question.chapter in chapters]
    head += [f"{question.chapter}.written ({question.points})" for question in asked]
    head += [f"chapter {n} ({weights.possible(n):g})" for n in chapters]
    late = any(row.late for row in rows)
    head += [f"total ({sum(map(weights.possible, chapters)):g})", *["late"] * late, "remarks"]
    lines = []
    for row in rows:
        marks = {(n, mark.exercise): mark for n, marks in row.marks.items() for mark in marks}
        points = [_earned(marks.get((n, e.name))) for n, e in exercises]
        points += [row.written.get((q.chapter, q.question), (None,))[0] for q in asked]
        sums = [row.points(n) for n in [*chapters, None]]
        cells = ["" if p is None else f"{p:g}" for p in [*points, *sums]]
        remarks = " · ".join(row.remarks())
        when = [["", "late"][row.late]] * late
        cells = [row.student, row.number, *cells, *when, remarks]
        lines.append([harmless(cell) for cell in cells])
    save(path, head, lines)


def _earned(mark: Mark | None) -> float | None:
    """Return what an exercise earned, or None if it was not handed in, or not handed out."""
    return None if mark is None or mark.status == "absent" else mark.points
