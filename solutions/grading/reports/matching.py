"""Finds whose line of a gradebook a graded row belongs to, and says what reaches nobody.

A number alone is not believed where a name stands beside it: Moodle numbers groups and participants
alike. A name alone counts if one row and one line have it, however it is written.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from typing import NamedTuple

from solutions.grading.reports.rows import Row

# Empty, a dash, or digits with signs, dots, commas and blanks between them.
NUMBER = re.compile(r"\s*(?:[-–−]?\s*|[-+−]?[\d.,'’\s]*\d[\d.,'’\s]*%?\s*)")


def is_a_number(cell: str) -> bool:
    """Return whether a cell is empty or holds a number, so that a new one takes its place."""
    return NUMBER.fullmatch(cell) is not None


class Line(NamedTuple):
    """A line of a gradebook: the number by which the platform knows a student, and their names."""

    number: str
    names: frozenset[str]


@dataclass
class Matched:
    """Which row belongs to which line.

    rows     of each line, or None
    nowhere  rows that reached no line
    kept     who has a grade, and keeps what stands in the line: name and cell
    """

    rows: list[Row | None]
    nowhere: list[Row]
    kept: list[str] = field(default_factory=list)

    def new_cell(self, row: Row | None, cell: str, chapter: int | None) -> str:
        """Return a line's cell with its row's points; note it if it is no number, and stays."""
        points = row.points(chapter) if row else None
        if row is None or points is None:
            return cell
        if is_a_number(cell):
            return f"{points:g}"
        self.kept.append(f"{row.student} ({cell.strip()})")
        return cell


def words_of(name: str) -> tuple[str, ...]:
    """Return the words of a name in one order, without accents, cases and what is no letter."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return tuple(sorted(re.findall(r"\w+", letters)))


def agree(one: str, other: str) -> bool:
    """Return whether two names are of one person, as far as their letters tell.

    Canvas writes names in one word, family name first.
    """
    return sorted("".join(words_of(one))) == sorted("".join(words_of(other)))


def _are_one(row: Row, line: Line) -> bool:
    """Return whether a row belongs to the line that has its number.

    A name has to agree if there is one. Moodle puts a group's name and a hyphen before it.
    """
    parts = row.called.split("-")
    names = ["-".join(parts[n:]) for n in range(len(parts))]
    agreed = any(agree(name, other) for name in names for other in line.names)
    return agreed or row.anonymous or not line.names


def matched(rows: list[Row], lines: list[Line]) -> Matched:
    """Return which row belongs to which line of a gradebook: by its number, or else by its name.

    Once a number has met, the numbers are those of this gradebook: whose number is not in it is
    nobody there, whatever the name.
    """
    found: list[Row | None] = [None] * len(lines)
    left = list(rows)
    for place, line in enumerate(lines):
        for row in [r for r in left if r.number and r.number == line.number]:
            if _are_one(row, line):
                found[place] = row
                left.remove(row)
                break
    numbered = len(left) < len(rows)
    by_name = [row for row in left if not (numbered and row.number)]
    of_rows = Counter(words_of(row.called) for row in rows)
    names = [{words_of(name) for name in line.names if line.number} for line in lines]
    of_lines = Counter(name for place in names for name in place)
    for row in by_name:
        name = words_of(row.called)
        if name and of_rows[name] == of_lines[name] == 1:
            place = next(n for n, have in enumerate(names) if name in have)
            if found[place] is None:
                found[place] = row
                left.remove(row)
    return Matched(found, left)
