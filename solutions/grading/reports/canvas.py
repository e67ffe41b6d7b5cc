"""Fills in Canvas's gradebook export."""

import difflib
from pathlib import Path

from solutions.grading.reports import table
from solutions.grading.reports.matching import Line, Matched, matched
from solutions.grading.reports.rows import Row

NUMBER = ("ID",)
NAMES = ("Student",)
FAMILY, GIVEN = ("LastName", "Last Name"), ("FirstName", "First Name")
LOGIN = ("SIS Login ID",)


class Gradebook:
    """Canvas's export: Student, or LastName and FirstName; ID; …; a column per assignment.

    path    where it lies
    title   of the assignment's column: "<title> (<id>)", or the title alone

    Raises table.Unusable if it lacks a column.
    """

    def __init__(self, path: Path, title: str):
        self.table = table.read(path, NUMBER)
        self.column = self._column(title)
        if self.table.column(*NAMES) is None:
            self.table.needed(*FAMILY)
            self.table.needed(*GIVEN)

    def _column(self, title: str) -> int:
        heads = [head.strip() for head in self.table.head]
        found = [n for n, head in enumerate(heads) if head == title.strip()]
        found = found or [n for n, h in enumerate(heads) if h.rpartition(" (")[0] == title.strip()]
        if len(found) != 1:
            near = difflib.get_close_matches(title, heads, n=3, cutoff=0.3)
            raise table.Unusable(
                f"{self.table.path} has {len(found) or 'no'} columns {title!r}. "
                f"Name one as it stands there{': ' if near else ''}{', '.join(near)}."
            )
        return found[0]

    def fill(self, rows: list[Row], path: Path, chapter: int | None) -> Matched:
        """Write it with the points of a chapter, or the total, in its column.

        What is no number there, as `EX`, stays, and so does what stands there of whom no grade is.
        """
        lines = self.table.lines
        met = matched(rows, [self._line(line) for line in lines])
        for line, row in zip(lines, met.rows, strict=True):
            line[self.column] = met.new_cell(row, line[self.column], chapter)
        table.save(path, self.table.head, lines)
        return met

    def names(self) -> list[str]:
        """Return the name in each line, "" where it is no student's."""
        return [max(self._line(line).names, key=len, default="") for line in self.table.lines]

    def _line(self, line: list[str]) -> Line:
        """Return whose line it is. One without a number is no student's: "Points Possible"."""

        def cell(names: tuple[str, ...]) -> str:
            place = self.table.column(*names)
            return line[place].strip() if place is not None else ""

        names = {cell(NAMES), cell(LOGIN), f"{cell(GIVEN)} {cell(FAMILY)}".strip()} - {""}
        number = cell(NUMBER)
        return Line(number, frozenset(names if number else ()))
