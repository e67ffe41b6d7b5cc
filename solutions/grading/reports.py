"""Writes what instructors and students read: tables, pages, and what Canvas and Moodle import."""

import csv
import html
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

from grading.judging import Mark
from helpers.exercises import catalogue
from helpers.exercises.cards import LOOKS, Card, with_code

HEAD = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto }}
table {{ border-collapse: collapse }}
td, th {{ padding: .3rem .8rem; text-align: left; vertical-align: top }}
tr + tr {{ border-top: 1px solid #ddd }} .note {{ color: #555 }}
</style></head><body><h1>{title}</h1>
"""
FORMULA = tuple("=+-@＝＋－＠")
SUMMARY_HEAD = "<tr><th>exercise</th><th>passed</th><th>not passed, and why</th></tr>"
LOOKS_HERE = LOOKS | {"missing": LOOKS["not attempted"], "stopped": LOOKS["raised"]}


@dataclass
class Row:
    """One student: marks of each chapter handed in, and what there is to say about the files."""

    student: str
    number: str = ""
    marks: dict[int, list[Mark]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def points(self, chapter: int) -> float:
        return sum(mark.points for mark in self.marks.get(chapter, []))

    def total(self) -> float:
        return sum(map(self.points, self.marks))


def write_grades(rows: list[Row], chapters: Iterable[int], path: Path) -> None:
    """Write one line per student: each exercise, each chapter, the total, and remarks."""
    chapters = list(chapters)
    exercises = [(n, e) for n in chapters for e in catalogue.chapters()[n]]
    head = ["student", "id"]
    head += [f"{n}.{exercise.name} ({exercise.points})" for n, exercise in exercises]
    head += [f"chapter {n} ({_possible(n)})" for n in chapters]
    head += [f"total ({sum(map(_possible, chapters))})", "remarks"]
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(head)
        for row in rows:
            earned = {(n, m.exercise): m for n, marks in row.marks.items() for m in marks}
            cells = [row.student, row.number]
            cells += [_number(earned.get((n, e.name))) for n, e in exercises]
            cells += [f"{row.points(n):g}" for n in chapters]
            table.writerow(map(_harmless, [*cells, f"{row.total():g}", " · ".join(row.notes)]))


def _possible(chapter: int) -> int:
    return sum(exercise.points for exercise in catalogue.chapters()[chapter])


def _number(mark: Mark | None) -> str:
    return "" if mark is None else f"{mark.points:g}"


def _harmless(cell: str) -> str:
    """Return a cell that a spreadsheet does not take for a formula."""
    return f"'{cell}" if cell.lstrip()[:1] in FORMULA and cell.strip() else cell


def write_page(row: Row, path: Path) -> None:
    """Write a student's page: the cards that they would have seen."""
    parts = [HEAD.format(title=html.escape(f"Feedback for {row.student}"))]
    parts += [f'<p class="note">{html.escape(note)}</p>' for note in row.notes]
    for chapter, marks in sorted(row.marks.items()):
        parts.append(f"<h2>Chapter {chapter}: {row.points(chapter):g} of {_possible(chapter)}</h2>")
        parts += [_card(mark) for mark in marks]
    path.write_text("\n".join([*parts, "</body></html>"]), encoding="utf-8")


def _card(mark: Mark) -> str:
    if mark.status in LOOKS:
        exercise = catalogue.find(mark.exercise)
        result = SimpleNamespace(exercise=exercise, status=mark.status, message=mark.message)
        card = Card(result)
        return card._repr_html_().replace("</b>", f"</b> · {mark.points:g} of {mark.of}", 1)
    sign, colour = LOOKS_HERE[mark.status]
    return (
        f'<div style="border-left: 6px solid {colour}; padding: 4px 14px; margin: 4px 0">'
        f"<b>{sign} {mark.status}</b> · {mark.points:g} of {mark.of} · "
        f"<code>{html.escape(mark.exercise)}</code><br>{with_code(mark.message)}</div>"
    )


def write_summary(rows: list[Row], path: Path) -> None:
    """Write the class summary: of each exercise who passed, and which mistakes the others made."""
    parts = [HEAD.format(title="Class summary"), f"<p>{len(rows)} students.</p>"]
    for chapter in sorted({n for row in rows for n in row.marks}):
        parts.append(f"<h2>Chapter {chapter}</h2><table>{SUMMARY_HEAD}")
        for exercise in catalogue.chapters()[chapter]:
            marks = [
                m for r in rows for m in r.marks.get(chapter, []) if m.exercise == exercise.name
            ]
            parts.append(_exercise(exercise.name, marks))
        parts.append("</table>")
    flagged = [(r.student, m) for r in rows for ms in r.marks.values() for m in ms if m.flags]
    if flagged:
        parts.append("<h2>To look at</h2><p>None of this has changed a grade.</p><ul>")
        parts += [
            f"<li>{html.escape(student)}, <code>{mark.exercise}</code>: "
            f"{html.escape('; '.join(mark.flags))}</li>"
            for student, mark in flagged
        ]
        parts.append("</ul>")
    path.write_text("\n".join([*parts, "</body></html>"]), encoding="utf-8")


def _exercise(name: str, marks: list[Mark]) -> str:
    """Return a line of the summary: who passed, and why the others did not, most frequent first."""
    passed = sum(mark.status == "passed" for mark in marks)
    said = (_why_not(mark) for mark in marks if mark.status != "passed")
    lines = "<br>".join(f"{n} × {with_code(why)}" for why, n in Counter(said).most_common())
    cells = (f"<code>{name}</code>", f"{passed} of {len(marks)}", lines)
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _why_not(mark: Mark) -> str:
    return mark.status if mark.status == "not attempted" else _first_line(mark)


def _first_line(mark: Mark) -> str:
    return next(iter(mark.message.splitlines()), mark.status)


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
        if row:
            line[column] = f"{row.total() if chapter is None else row.points(chapter):g}"
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
        if row:
            line["Grade"] = f"{row.total() if chapter is None else row.points(chapter):g}"
            line["Feedback comments"] = _harmless(" · ".join(_open_points(row, chapter)))
    _write_table(path, lines, head)
    return sum(row is not None for row in found)


def _matched(rows: list[Row], lines: list[tuple[str, set[str]]]) -> list[Row | None]:
    """Return the row of each line of a table, (number, names): by number, else by an only name.

    A row with a number goes to that number or to nobody: names can be chosen, and two may share
    one.
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
        for number, names in lines
    ]


def _open_points(row: Row, chapter: int | None) -> list[str]:
    """Return a line for each exercise without full points, and the remarks."""
    marks = [m for n, ms in row.marks.items() if chapter in (None, n) for m in ms]
    lines = [f"{m.exercise}: {_first_line(m)}" for m in marks if m.points < m.of]
    return [*row.notes, *lines] or ["All exercises passed."]


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
