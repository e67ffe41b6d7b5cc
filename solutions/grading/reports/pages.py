"""Writes a page per student."""

from pathlib import Path

import jinja2

from helpers.exercises.cards import LOOKS, TEMPLATES
from solutions.grading.reports.rows import Row

LONGEST_NAME = 150  # bytes of a file's name
PAGES = TEMPLATES.overlay(loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"))
PAGES.filters["points"] = "{:g}".format


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
    """Return a student's page: what each answer earned and why, beside the student's own code."""
    chapters = [
        (_heading(row, n), [(mark, LOOKS[mark.status]) for mark in marks])
        for n, marks in sorted(row.marks.items())
    ]
    title = f"Feedback for {row.student}"
    page = PAGES.get_template("page.html")
    of_words = [
        (f"{chapter}: {question}", points, most, comment)
        for (chapter, question), (points, most, comment) in sorted(row.written.items())
    ]
    return page.render(title=title, notes=row.remarks(), chapters=chapters, written=of_words)


def _heading(row: Row, chapter: int) -> str:
    points = row.points(chapter)
    asked = [mark for mark in row.marks[chapter] if not mark.bonus]
    absent = [mark.of for mark in asked if mark.status == "absent"]
    of = sum(mark.of for mark in asked) - sum(absent)
    of += sum(most for (n, _), (_, most, _) in row.written.items() if n == chapter)
    lacking = f"; exercises of {sum(absent):g} points are not in the notebook" if absent else ""
    earned = "not graded" if points is None else f"{points:g}"
    return f"Chapter {chapter}: {earned} of {of:g}{lacking}"
