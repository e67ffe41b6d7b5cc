"""Fills in Moodle's grading worksheet, in English or German."""

import html
import re
from pathlib import Path

from solutions.grading.reports import table
from solutions.grading.reports.matching import Line, Matched, matched
from solutions.grading.reports.rows import Row, first_line
from solutions.grading.reports.table import harmless

NUMBER = "Identifier", "ID", "Identifikator"
NAMES = "Full name", "Vollständiger Name"
GRADE = "Grade", "Bewertung"
FEEDBACK = "Feedback comments", "Feedback als Kommentar", "Feedback-Kommentare"


OURS = "Graded:"  # what is written by hand stands before it, and stays
OTHERWISE = (
    "Download the grading worksheet of the assignment; if your Moodle speaks another language than "
    "English or German, set it to one of these first."
)


class Worksheet:
    """Moodle's worksheet: Identifier, Full name, …, Grade, …, perhaps Feedback comments.

    Raises table.Unusable if it lacks a column.
    """

    def __init__(self, path: Path):
        self.table = table.read(path, NUMBER, GRADE, remedy=OTHERWISE)

    def fill(self, rows: list[Row], path: Path, chapter: int | None) -> Matched:
        """Write it with the points of a chapter, or the total, and with feedback if it has room."""
        lines, grade = self.table.lines, self.table.needed(*GRADE)
        feedback = self.table.column(*FEEDBACK)
        met = matched(rows, [self._line(line) for line in lines])
        for line, row in zip(lines, met.rows, strict=True):
            line[grade] = met.new_cell(row, line[grade], chapter)
            if row and feedback is not None and (row.points(chapter) is not None or row.remarks()):
                open_points = " · ".join(_open_points(row, chapter))
                ours = harmless(html.escape(f"{OURS} {open_points}"))  # Moodle shows it as HTML
                theirs = line[feedback].partition(OURS)[0].rstrip()
                line[feedback] = f"{theirs} {ours}".lstrip()
        table.save(path, self.table.head, lines)
        return met

    def names(self) -> list[str]:
        """Return the name in each line, or its identifier."""
        number = self.table.needed(*NUMBER)
        return [max(self._line(line).names, default=line[number]) for line in self.table.lines]

    def _line(self, line: list[str]) -> Line:
        number = re.search(r"(\d+)\s*$", line[self.table.needed(*NUMBER)])
        place = self.table.column(*NAMES)
        name = line[place].strip() if place is not None else ""
        return Line(number[1] if number else "", frozenset({name} - {""}))


def _open_points(row: Row, chapter: int | None) -> list[str]:
    """Return a line for each exercise without full points, and the remarks."""
    marks = [m for n, ms in row.marks.items() if chapter in (None, n) for m in ms]
    lines = [f"{m.exercise}: {first_line(m)}" for m in marks if m.points < m.of]
    return [*row.remarks(), *lines] or ["All exercises passed."]
