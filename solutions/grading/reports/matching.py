"""Finds whose line of a gradebook a graded row belongs to, and says what reaches nobody.

A number alone is not believed where a name stands beside it: Moodle numbers groups and participants
alike. A name alone counts if one row and one line have it, however it is written.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from typing import NamedTuple

from solutions.grading.reports.rows import Row


class Line(NamedTuple):
    """A line of a gradebook: the number by which the platform knows a student, and their names."""

    number: str
    names: frozenset[str]


@dataclass
class Matched:
    """Which row belongs to which line.

    rows     of each line, or None
    nowhere  rows that reached no line
    """

    rows: list[Row | None]
    nowhere: list[Row]


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


def matched(rows: list[Row], lines: list[Line]) -> Matched:
    """Return which row belongs to which line of a gradebook.

    A row with a number reaches the line of that number if a name of it agrees, or if it has none.
    """
    found: list[Row | None] = [None] * len(lines)
    left = list(rows)
    for place, line in enumerate(lines):
        for row in [r for r in left if r.number and r.number == line.number]:
            anonymous = row.anonymous or not line.names
            if anonymous or any(agree(row.student, name) for name in line.names):
                found[place] = row
                left.remove(row)
                break
    of_rows = Counter(words_of(row.student) for row in left)
    names = [{words_of(name) for name in line.names if line.number} for line in lines]
    of_lines = Counter(name for n, place in enumerate(names) if not found[n] for name in place)
    for row in list(left):
        name = words_of(row.student)
        if name and of_rows[name] == of_lines[name] == 1:
            place = next(n for n, have in enumerate(names) if not found[n] and name in have)
            found[place] = row
            left.remove(row)
    return Matched(found, left)
