"""Gives the grade of a group to each of its members, who are read from a table."""

import unicodedata
from dataclasses import replace
from pathlib import Path

from solutions.grading.reports import table
from solutions.grading.reports.rows import Row

GROUP = "group", "group name", "gruppe"
STUDENT = "student", "name", "full name", "vollständiger name"
NUMBER = "id", "identifier", "number"


Groups = dict[str, list[tuple[str, str]]]  # key of a group's name -> students and numbers, or ""


def key_of(name: str) -> str:
    """Return a group's name without accents, cases and kinds of blanks; all else counts."""
    plain = unicodedata.normalize("NFKD", name).casefold()
    return " ".join("".join(c for c in plain if not unicodedata.combining(c)).split())


def read(path: Path) -> Groups:
    """Return the members of each group.

    Raises table.Unusable if the table has no columns `group` and `student`, or a line lacks one.
    """
    read = table.read(path, GROUP, STUDENT)
    group, student, number = read.needed(*GROUP), read.needed(*STUDENT), read.column(*NUMBER)
    found: Groups = {}
    for n, line in enumerate(read.lines, start=2):
        if not line[group].strip() or not line[student].strip():
            raise table.Unusable(f"{path}, line {n}: a group and a student are needed.")
        its = line[number].strip() if number is not None else ""
        its_members = found.setdefault(key_of(line[group]), [])
        if (member := (line[student].strip(), its)) not in its_members:
            its_members.append(member)
    return found


def without(groups: Groups, rows: list[Row]) -> list[str]:
    """Return the groups of the table that have handed in nothing."""
    return sorted(groups.keys() - {key_of(row.called) for row in rows})


def of_members(rows: list[Row], groups: Groups) -> list[Row]:
    """Return rows in which that of a group is one for each of its members."""
    found = []
    for row in rows:
        members = groups.get(key_of(row.called))
        note = f"Handed in by the group {row.student}."
        for student, number in members or []:
            notes = [note, *row.notes]
            found.append(replace(row, student=student, number=number, name=student, notes=notes))
        found += [] if members else [row]
    return found
