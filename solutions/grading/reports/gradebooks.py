"""Fills in Canvas's gradebook export and Moodle's grading worksheet."""

import csv
import html
from collections import Counter
from pathlib import Path

from solutions.grading.reports.rows import Row, first_line
from solutions.grading.reports.table import harmless


def fill_canvas(rows: list[Row], export: Path, column: str, path: Path, chapter: int | None) -> int:
    """Write Canvas's gradebook export with one column filled; return how many students it found.

    export   as Canvas gives it: Student, ID, SIS User ID, SIS Login ID, Section, …
    column   the assignment's column, as in the export: "<title> (<id>)"
    chapter  whose points to enter; None for the total

    Raises ValueError if the export lacks a column.
    """
    wanted = ["Student", "ID", "SIS Login ID", column]
    lines, head = _table(export, wanted)
    found = _matched(
        rows,
        [
            (line["ID"].strip(), {line["SIS Login ID"].strip(), line["Student"].strip()})
            for line in lines
        ],
    )
    for line, row in zip(lines, found, strict=True):
        if row and (points := row.points(chapter)) is not None:
            line[column] = f"{points:g}"
    _write_table(path, lines, head)
    return sum(row is not None for row in found)


def fill_moodle(rows: list[Row], worksheet: Path, path: Path, chapter: int | None) -> int:
    """Write Moodle's grading worksheet with grades and feedback; return how many it found.

    worksheet: as Moodle gives it: Identifier, Full name, …, Grade, …, Feedback comments.
    Raises ValueError if it lacks a column.
    """
    lines, head = _table(worksheet, ["Identifier", "Grade", "Feedback comments"])
    found = _matched(
        rows,
        [(line["Identifier"].rpartition(" ")[2], {line.get("Full name", "")}) for line in lines],
    )
    for line, row in zip(lines, found, strict=True):
        if row and (points := row.points(chapter)) is not None:
            line["Grade"] = f"{points:g}"
            feedback = html.escape(" · ".join(_open_points(row, chapter)))  # Moodle shows HTML
            line["Feedback comments"] = harmless(feedback)
    _write_table(path, lines, head)
    return sum(row is not None for row in found)


def _matched(rows: list[Row], lines: list[tuple[str, set[str]]]) -> list[Row | None]:
    """Return the row of each line of a table, (number, names): by number, else by a unique name.

    A row with a number goes to that number or to nobody: names can be chosen, and two students may
    share one.
    """
    by_number = {row.number: row for row in rows if row.number}
    unnumbered = Counter(row.student for row in rows if not row.number)
    named = Counter(name for _, names in lines for name in names)
    by_name = {
        row.student: row
        for row in rows
        if not row.number and unnumbered[row.student] == named[row.student] == 1
    }
    return [
        by_number.get(number) or next((by_name[n] for n in names if n in by_name), None)
        if number  # a line without one is no student: Canvas writes "Points Possible" there
        else None
        for number, names in lines
    ]


def _open_points(row: Row, chapter: int | None) -> list[str]:
    """Return a line for each exercise without full points, and the remarks."""
    marks = [m for n, ms in row.marks.items() if chapter in (None, n) for m in ms]
    lines = [f"{m.exercise}: {first_line(m)}" for m in marks if m.points < m.of]
    return [*row.remarks(), *lines] or ["All exercises passed."]


def _table(source: Path, wanted: list[str]) -> tuple[list[dict], list[str]]:
    with open(source, encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        lines, head = list(table), list(table.fieldnames or [])
    if missing := [name for name in wanted if name not in head]:
        raise ValueError(f"{source} has no column {missing[0]!r}; it has: {', '.join(head)}.")
    return lines, head


def _write_table(path: Path, lines: list[dict], head: list[str]) -> None:
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, head)
        writer.writeheader()
        writer.writerows(lines)
