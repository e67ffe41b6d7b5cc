"""Writes grades.csv, a line per student."""

import csv
from collections.abc import Iterable
from pathlib import Path

from helpers.exercises import catalogue
from solutions.grading.reports.rows import Row
from solutions.grading.reports.table import harmless


def write_grades(rows: list[Row], chapters: Iterable[int], path: Path) -> None:
    """Write one line per student: each exercise, each chapter, the total, and remarks."""
    chapters = list(chapters)
    exercises = [(n, e) for n in chapters for e in catalogue.chapters()[n]]
    head = ["student", "id"]
    head += [f"{n}.{exercise.name} ({exercise.points})" for n, exercise in exercises]
    head += [f"chapter {n} ({possible(n)})" for n in chapters]
    head += [f"total ({sum(map(possible, chapters))})", "remarks"]
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(head)
        for row in rows:
            earned = {(n, m.exercise): m.points for n, marks in row.marks.items() for m in marks}
            points = [earned.get((n, e.name)) for n, e in exercises]
            cells = [row.student, row.number]
            sums = [row.points(n) for n in [*chapters, None]]
            cells += ["" if p is None else f"{p:g}" for p in [*points, *sums]]
            table.writerow(map(harmless, [*cells, " · ".join(row.remarks())]))


def possible(chapter: int) -> int:
    """Return the points that there are in a chapter."""
    return sum(exercise.points for exercise in catalogue.chapters()[chapter])
