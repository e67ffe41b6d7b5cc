"""Gives the grade of a group to each of its members, who are read from a table."""

from dataclasses import replace
from pathlib import Path

from solutions.grading.reports import table
from solutions.grading.reports.matching import words_of
from solutions.grading.reports.rows import Row

GROUP = "group", "group name", "gruppe"
STUDENT = "student", "name", "full name", "vollständiger name"
NUMBER = "id", "identifier", "number"


def read(path: Path) -> dict[tuple[str, ...], list[tuple[str, str]]]:
    """Return the words of a group's name -> its members, each with a number or "".

    Raises table.Unusable if the table has no columns `group` and `student`, or a line lacks one.
    """
    read = table.read(path, GROUP, STUDENT)
    group, student, number = read.needed(*GROUP), read.needed(*STUDENT), read.column(*NUMBER)
    found: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for n, line in enumerate(read.lines, start=2):
        if not line[group].strip() or not line[student].strip():
            raise table.Unusable(f"{path}, line {n}: a group and a student are needed.")
        its = line[number].strip() if number is not None else ""
        found.setdefault(words_of(line[group]), []).append((line[student].strip(), its))
    return found


def of_members(rows: list[Row], groups: dict[tuple[str, ...], list[tuple[str, str]]]) -> list[Row]:
    """Return rows in which that of a group is one for each of its members."""
    found = []
    for row in rows:
        members = groups.get(words_of(row.student))
        note = f"Handed in by the group {row.student}."
        for student, number in members or []:
            found.append(replace(row, student=student, number=number, notes=[note, *row.notes]))
        found += [] if members else [row]
    return found
