"""Writes a page per student."""

from pathlib import Path

import jinja2
from markupsafe import Markup

from helpers.exercises import catalogue
from helpers.exercises.cards import TEMPLATES, Card
from helpers.exercises.contract import Result
from solutions.grading.marks import Mark
from solutions.grading.reports.grades import possible
from solutions.grading.reports.rows import Row

LONGEST_NAME = 150  # bytes of a file's name
PAGES = TEMPLATES.overlay(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"))


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
        (f"Chapter {n}: {_shown(row.points(n))} of {possible(n)}", map(_card, marks))
        for n, marks in sorted(row.marks.items())
    ]
    title = f"Feedback for {row.student}"
    return PAGES.get_template("page.html").render(
        title=title, notes=row.remarks(), chapters=chapters
    )


def _card(mark: Mark) -> Markup:
    result = Result(catalogue.find(mark.exercise), mark.status, mark.message)
    return Markup(Card(result, f" · {mark.points:g} of {mark.of}")._repr_html_())


def _shown(points: float | None) -> str:
    return "not graded" if points is None else f"{points:g}"
