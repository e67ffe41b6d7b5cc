"""What is said when a class is graded: what was written, and all that reached nobody.

What a table cannot say is said here and in report.json, with an exit status of its own: nobody
finds out from a gradebook that a grade is missing there.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path

from solutions.grading.reports.matching import Matched
from solutions.grading.reports.rows import Row, named
from solutions.grading.store import write

FAILED, UNREACHED = 1, 3  # exit statuses: the grader failed at a file; a grade reached nobody
MOST_NAMES = 20  # in one line, or one by one


@dataclass
class Account:
    """All that there is to say; `status` is the command's exit status."""

    rows: list[Row]
    files: int
    out: Path
    chapter: int | None = None
    to_nobody: list[str] = field(default_factory=list)  # what was entered in written.csv
    groups: list[str] = field(default_factory=list)  # that have handed in nothing
    books: dict[str, Matched] = field(default_factory=dict)  # file that was written -> who got what
    names: dict[str, list[str]] = field(default_factory=dict)  # the same file -> names of its lines

    @property
    def failed(self) -> list[str]:
        """What the grader failed at."""
        return [
            f"{row.student}: {named(n)}{reason}"
            for row in self.rows
            for n, reason in row.failed.items()
        ]

    @property
    def left_out(self) -> list[str]:
        """What could not be read or run of what was handed in."""
        notes = ((row.student, note) for row in self.rows for note in row.left_out)
        return [f"{student}: {note}" for student, note in notes]

    def nowhere(self, book: str) -> list[str]:
        """Return the students whose grade reached no line of a gradebook, with their points."""
        graded = ((row.student, row.points(self.chapter)) for row in self.books[book].nowhere)
        return [f"{student} ({points:g})" for student, points in graded if points is not None]

    def without(self, book: str) -> list[str]:
        """Return the names in a gradebook for whom there is no grade."""
        pairs = zip(self.names[book], self.books[book].rows, strict=True)
        lacking = (n for n, r in pairs if n and (r is None or r.points(self.chapter) is None))
        return list(lacking)

    @property
    def status(self) -> int:
        """The exit status: what matters most."""
        if self.failed:
            return FAILED
        lost = self.to_nobody or any(map(self.nowhere, self.books))
        return UNREACHED if lost else 0

    def lines(self) -> list[str]:
        """Return what is printed."""
        said = [f"{len(self.rows)} students, {self.files} files. Written to {self.out}."]
        if self.left_out:
            said += ["Not read or left out, as summary.html says:", *_listed(self.left_out)]
        if self.to_nobody:
            entered = f"written.csv: what was entered in {len(self.to_nobody)} lines reached NOBODY"
            said.append(f"{entered}: {_several(self.to_nobody)}.")
        if self.groups:
            said.append(f"Nothing was handed in by the groups: {_several(self.groups)}.")
        for book in self.books:
            n = sum(row is not None for row in self.books[book].rows)
            said.append(f"{book}: {n} students found.")
            if kept := self.books[book].kept:
                said.append(f"{book}: as it stood, since it is no number: {_several(kept)}.")
            if lost := self.nowhere(book):
                said.append(f"{book}: the points of {len(lost)} reached NOBODY: {_several(lost)}.")
            if lacking := self.without(book):
                said.append(f"{book}: no grade for {len(lacking)}: {_several(lacking)}.")
        if self.failed:
            said += ["Not graded, which is no grade; run it once more:", *_listed(self.failed)]
        return said

    def save(self) -> None:
        """Write the same as JSON."""
        books = {
            book: {
                "nowhere": self.nowhere(book),
                "without": self.without(book),
                "kept": met.kept,
            }
            for book, met in self.books.items()
        }
        whole = {
            "students": len(self.rows),
            "files": self.files,
            "failed": self.failed,
            "left out": self.left_out,
            "written to nobody": self.to_nobody,
            "groups without": self.groups,
            "gradebooks": books,
            "status": self.status,
        }
        write(self.out / "report.json", json.dumps(whole, indent=1, ensure_ascii=False))


def _listed(reasons: list[str]) -> list[str]:
    """Return a line for each of some reasons, and how many more there are."""
    more = len(reasons) - MOST_NAMES
    lines = [f"  {reason}" for reason in reasons[:MOST_NAMES]]
    return lines + ([f"  … and {more} more."] if more > 0 else [])


def _several(names: list[str]) -> str:
    more = f", and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    return ", ".join(names[:MOST_NAMES]) + more
