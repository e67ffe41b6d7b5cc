"""Writes what instructors and students read: the table of grades, a page per student, a summary."""

import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import jinja2
from markupsafe import Markup

from helpers.exercises import catalogue
from helpers.exercises.cards import TEMPLATES, Card
from helpers.exercises.contract import Exercise, Result
from solutions.grading.marking import Mark

FORMULA = "=+\\-@＝＋－＠"  # what a formula in a spreadsheet begins with
# It begins where a cell begins: at the start, or behind what separates cells or lines elsewhere.
BEGINNING = re.compile(rf"(^|[;\t\r\n])([\s\"']*)(?=[{FORMULA}])")
LONGEST_REMARKS = 2000  # characters
LONGEST_NAME = 150  # bytes of a file's name
BASE = """\
<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{{ title }}</title><style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto }
table { border-collapse: collapse }
td, th { padding: .3rem .8rem; text-align: left; vertical-align: top }
tr + tr { border-top: 1px solid #ddd } .note { color: #555 }
</style></head><body><h1>{{ title }}</h1>
{% block body %}{% endblock %}
</body></html>
"""
PAGE = """\
{% extends "base" %}
{% block body %}
{% for note in notes %}
<p class="note">{{ note }}</p>
{% endfor %}
{% for heading, cards in chapters %}
<h2>{{ heading }}</h2>
{% for card in cards %}
{{ card }}
{% endfor %}
{% endfor %}
{% endblock %}
"""
SUMMARY = """\
{% extends "base" %}
{% block body %}
<p>{{ students }} students.</p>
{% for chapter, lines in chapters %}
<h2>Chapter {{ chapter }}</h2>
<table><tr><th>exercise</th><th>passed</th><th>not passed, and why</th></tr>
{% for exercise, passed, marked, reasons in lines %}
<tr><td><code>{{ exercise }}</code></td><td>{{ passed }} of {{ marked }}</td><td>
{% for why, n in reasons %}
<div>{{ n }} × {{ why | with_code }}</div>
{% endfor %}
</td></tr>
{% endfor %}
</table>
{% endfor %}
{% if flagged %}
<h2>To look at</h2><p>None of this has changed a grade.</p><ul>
{% for student, mark in flagged %}
<li>{{ student }}, <code>{{ mark.exercise }}</code>: {{ mark.flags | join("; ") }}</li>
{% endfor %}
</ul>
{% endif %}
{% endblock %}
"""
PAGES = TEMPLATES.overlay(
    loader=jinja2.DictLoader({"base": BASE, "page": PAGE, "summary": SUMMARY})
)


@dataclass
class Row:
    """One student: marks of each chapter handed in, and what there is to say about the files."""

    student: str
    number: str = ""
    marks: dict[int, list[Mark]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)  # chapter -> why it is not graded

    def add(self, chapter: int, name: str, marks: list[Mark], notes: list[str]) -> None:
        """Add a graded file; of two files of one chapter the better counts."""
        before = self.marks.get(chapter, [])
        if before:
            self.notes.append(f"{name}: another submission of chapter {chapter}; the best counts.")
        self.marks[chapter] = max(marks, before, key=lambda of: sum(mark.points for mark in of))
        self.notes += [f"chapter {chapter}: {note}" for note in notes]

    def remarks(self) -> list[str]:
        """Return what there is to say, why something is not graded first; not more than is read."""
        notes = [f"chapter {n}: not graded: {reason}" for n, reason in sorted(self.failed.items())]
        left = LONGEST_REMARKS
        for number, note in enumerate(self.notes):
            left -= len(note)
            if left < 0:
                return [*notes, f"… and {len(self.notes) - number} more remarks."]
            notes.append(note)
        return notes

    def points(self, chapter: int | None = None) -> float | None:
        """Return the points of a chapter, or of all: 0 where none was handed in.

        None if it is not graded, since the grader failed: that is no grade.
        """
        chosen = {*self.marks, *self.failed} if chapter is None else {chapter}
        if chosen & set(self.failed):
            return None
        return sum(mark.points for n in chosen for mark in self.marks.get(n, []))


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
            earned = {(n, m.exercise): m.points for n, marks in row.marks.items() for m in marks}
            points = [earned.get((n, e.name)) for n, e in exercises]
            cells = [row.student, row.number]
            sums = [row.points(n) for n in [*chapters, None]]
            cells += ["" if p is None else f"{p:g}" for p in [*points, *sums]]
            table.writerow(map(harmless, [*cells, " · ".join(row.remarks())]))


def _shown(points: float | None) -> str:
    return "not graded" if points is None else f"{points:g}"


def _possible(chapter: int) -> int:
    return sum(exercise.points for exercise in catalogue.chapters()[chapter])


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, whatever it splits a line at."""
    return BEGINNING.sub(r"\1\2'", cell)


def write_pages(rows: list[Row], folder: Path) -> None:
    """Write a page per student; remove those of an earlier run."""
    folder.mkdir(exist_ok=True)
    for stale in folder.glob("*.html"):
        stale.unlink()
    for number, row in enumerate(rows, start=1):
        path = folder / f"{number:04} {_file_name(row.student)}.html"
        path.write_text(page_of(row), encoding="utf-8")


def _file_name(student: str) -> str:
    """Return a student's name in a form that every file system accepts."""
    kept = "".join(c if c.isalnum() or c in " -_." else "_" for c in student)
    short = kept.encode()[:LONGEST_NAME].decode(errors="ignore")
    return short.strip(" .") or "student"


def page_of(row: Row) -> str:
    """Return a student's page: the cards that they would have seen."""
    chapters = [
        (f"Chapter {n}: {_shown(row.points(n))} of {_possible(n)}", map(_card, marks))
        for n, marks in sorted(row.marks.items())
    ]
    title = f"Feedback for {row.student}"
    return PAGES.get_template("page").render(title=title, notes=row.remarks(), chapters=chapters)


def _card(mark: Mark) -> Markup:
    result = Result(catalogue.find(mark.exercise), mark.status, mark.message)
    return Markup(Card(result, f" · {mark.points:g} of {mark.of}")._repr_html_())


def summary_of(rows: list[Row]) -> str:
    """Return the class summary: how many passed each exercise, and how the others went wrong."""
    chapters = [
        (n, [_line(exercise, n, rows) for exercise in catalogue.chapters()[n]])
        for n in sorted({n for row in rows for n in row.marks})
    ]
    flagged = [(r.student, m) for r in rows for ms in r.marks.values() for m in ms if m.flags]
    return PAGES.get_template("summary").render(
        title="Class summary", students=len(rows), chapters=chapters, flagged=flagged
    )


def _line(exercise: Exercise, chapter: int, rows: list[Row]) -> tuple:
    """Return a line of the summary: how many passed, and why others did not, commonest first."""
    marks = [m for r in rows for m in r.marks.get(chapter, []) if m.exercise == exercise.name]
    passed = sum(mark.status == "passed" for mark in marks)
    reasons = Counter(_why_not(mark) for mark in marks if mark.status != "passed")
    return exercise.name, passed, len(marks), reasons.most_common()


def _why_not(mark: Mark) -> str:
    return mark.status if mark.status == "not attempted" else first_line(mark)


def first_line(mark: Mark) -> str:
    """Return the first line of what is said about an answer."""
    return next(iter(mark.message.splitlines()), mark.status)
