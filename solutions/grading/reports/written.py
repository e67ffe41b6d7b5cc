"""Written answers: all texts of a question on one page, and a table for points and comments.

The page has the sample answer and its criteria beside the texts. Whoever reads enters points and
comments into written.csv; the next run adds them to totals, pages and gradebooks. What a text says
is written there for reading only: whose it is and what it earned is all that is read back.
"""

import math
from pathlib import Path
from typing import NamedTuple

from solutions.grading.arrivals.words import Question, questions
from solutions.grading.reports import table
from solutions.grading.reports.pages import PAGES
from solutions.grading.reports.rows import Row
from solutions.grading.reports.table import as_entered, harmless

HEAD = ["student", "question", "text", "points", "comment", "id"]
ROUNDED = 1e-5  # how far a number that a spreadsheet has shortened is off

Key = tuple[str, str, str]  # student, id, label of a question: as they stand in the table


class Entry(NamedTuple):
    """What was entered of an answer; the text of then; and what stood in columns of one's own."""

    points: float | None = None
    comment: str = ""
    text: str = ""
    more: tuple[tuple[str, str], ...] = ()  # head and cell

    @property
    def empty(self) -> bool:
        """Whether nothing was entered."""
        return self.points is None and not self.comment and not any(cell for _, cell in self.more)


Entered = dict[Key, Entry]


def read(path: Path) -> Entered:
    """Return whose answer -> the points and the comment that were entered, and the text of then.

    Raises table.Unusable where that is no table, or points are no number from 0 to the question's.
    """
    if not path.exists():
        return {}
    entered = table.read(path, *([name] for name in HEAD[:5]))
    student, question, text, points, comment = (entered.needed(name) for name in HEAD[:5])
    number = entered.column("id")
    own = [
        n
        for n in range(len(entered.head))
        if n not in {student, question, text, points, comment, number}
    ]
    most = {harmless(q.label): q.points for q in questions()}
    found: Entered = {}
    lines: dict[Key, int] = {}
    for n, line in enumerate(entered.lines, start=2):
        most_of_it = most.get(line[question], math.inf)  # of a question that is not asked any more
        earned = _points(line[points], most_of_it, f"{path}, line {n}")
        key = line[student], line[number] if number is not None else "", line[question]
        more = tuple((entered.head[place], as_entered(line[place])) for place in own)
        entry = Entry(earned, as_entered(line[comment].strip()), line[text], more)
        before = found.get(key, Entry())
        if not (before.empty or entry.empty or before[:2] == entry[:2]):
            both = f"lines {lines[key]} and {n}"
            raise table.Unusable(f"{path}, {both}: two entries for one answer; leave one of them.")
        if key not in found or not entry.empty:
            found[key], lines[key] = entry, n
    return found


def _points(cell: str, most: float, where: str) -> float | None:
    """Return the points that were entered, or None if none were. Raises table.Unusable."""
    if not cell.strip():
        return None
    try:
        points = float(cell.strip().replace(",", "."))
    except ValueError:
        raise table.Unusable(f"{where}: {cell!r} is no number of points.") from None
    if not (0 <= points <= most and math.isfinite(points)):
        raise table.Unusable(f"{where}: {cell} points, where 0 to {most:g} can be given.")
    return points


def settled(rows: list[Row], entered: Entered) -> Entered:
    """Return what was entered, under the ids as they are: spreadsheets rewrite long numbers."""
    asked = {key for row in rows for key in _keys(row)}
    found: Entered = {}
    for key, entry in entered.items():
        free = [] if key in asked else asked - entered.keys()
        near = [k for k in free if k[2] == key[2] and all(map(_is_rewritten, key[:2], k[:2]))]
        found[near[0] if len(near) == 1 else key] = entry
    return found


def _is_rewritten(cell: str, original: str) -> bool:
    """Return whether a cell is what a spreadsheet makes of another one.

    It rounds long numbers, drops zeros before them, and letters that Windows does not know; a
    column may be gone.
    """
    if cell in ("", original, original.encode("cp1252", "replace").decode("cp1252")):
        return True
    try:
        numbers = [float(part.replace(",", ".")) for part in (cell, original)]
    except ValueError:
        return False
    return math.isclose(*numbers, rel_tol=0 if cell.isdecimal() else ROUNDED)


def add(rows: list[Row], entered: Entered) -> list[str]:
    """Add what was entered to the rows of those whose answers it is of.

    Returns a line for whatever was entered and reaches nobody: of whom there is no answer, and
    comments without points.
    """
    left = {key for key, entry in entered.items() if entry.points is not None or entry.comment}
    for row in rows:
        for question in questions():
            text = row.texts.get(question.chapter, {}).get(question.label)
            entry = entered.get(_key(row, question), Entry())
            if text is None or entry.points is None:
                continue
            left.discard(_key(row, question))
            earned = entry.points, question.points, entry.comment
            row.written[question.chapter, question.question] = earned
            if _compared(entry.text) != _compared(harmless(text)):
                row.notes.append(
                    f"chapter {question.chapter}: the written answer is another than the one that "
                    "got its points."
                )
    return [
        " ".join(filter(None, (f"{student},", question))) for student, _, question in sorted(left)
    ]


def _compared(text: str) -> str:
    """Return a text without what a spreadsheet changes in it: blanks, letters it cannot save."""
    return " ".join(text.encode("cp1252", "replace").decode("cp1252").split())


def save(rows: list[Row], entered: Entered, folder: Path) -> None:
    """Write written.csv, with all that was entered before, and written.html.

    Lines of students who are not in this class, or not any more, are kept.
    """
    heads = list(dict.fromkeys(head for entry in entered.values() for head, _ in entry.more))
    lines, known = [], set()
    for question in questions():
        for row in rows:
            text = row.texts.get(question.chapter, {}).get(question.label)
            if text is not None:
                key = _key(row, question)
                known.add(key)
                entry = entered.get(key, Entry())._replace(text=harmless(text))
                lines.append(_line(key, entry, heads))
    lines += [_line(k, e, heads) for k, e in entered.items() if k not in known and not e.empty]
    table.save(folder / "written.csv", [*HEAD, *heads], lines)
    asked = [(q, _answers(rows, q)) for q in questions() if _answers(rows, q)]
    page = PAGES.get_template("written.html").render(title="Written answers", questions=asked)
    table.write(folder / "written.html", page)


def _keys(row: Row) -> list[Key]:
    """Return the keys of all that a student was asked."""
    return [_key(row, q) for q in questions() if q.label in row.texts.get(q.chapter, {})]


def _key(row: Row, question: Question) -> Key:
    return harmless(row.student), harmless(row.number), harmless(question.label)


def _line(key: Key, entry: Entry, heads: list[str]) -> list[str]:
    student, number, question = key
    earned = "" if entry.points is None else f"{entry.points:g}"
    more = [harmless(dict(entry.more).get(head, "")) for head in heads]
    return [student, question, entry.text, earned, harmless(entry.comment), number, *more]


def _answers(rows: list[Row], question: Question) -> list[tuple[str, str, float | None]]:
    """Return student, text and points of all who have answered a question."""
    found = []
    for row in rows:
        if text := row.texts.get(question.chapter, {}).get(question.label):
            entered = row.written.get((question.chapter, question.question))
            found.append((row.student, text, entered[0] if entered else None))
    return found
