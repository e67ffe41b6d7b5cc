"""Written answers: all texts of a question on one page, and a table for points and comments.

The page has the sample answer and its criteria beside the texts. Whoever reads enters points and
comments into written.csv; the next run adds them to totals, pages and gradebooks. What a text says
is written there for reading only: whose it is and what it earned is all that is read back.
"""

import math
from pathlib import Path

from solutions.grading.arrivals.words import Question, questions
from solutions.grading.reports import table
from solutions.grading.reports.pages import PAGES
from solutions.grading.reports.rows import Row
from solutions.grading.reports.table import as_entered, harmless

HEAD = ["student", "question", "text", "points", "comment", "id"]
ROUNDED = 1e-5  # how far a number that a spreadsheet has shortened is off

Key = tuple[str, str, str]  # student, id, label of a question: as they stand in the table
Entered = dict[Key, tuple[float | None, str, str]]  # points, comment, and the text of then


def read(path: Path) -> Entered:
    """Return whose answer -> the points and the comment that were entered, and the text of then.

    Raises table.Unusable where that is no table, or points are no number from 0 to the question's.
    """
    if not path.exists():
        return {}
    entered = table.read(path, *([name] for name in HEAD[:5]))
    student, question, text, points, comment = (entered.needed(name) for name in HEAD[:5])
    number = entered.column("id")
    most = {harmless(q.label): q.points for q in questions()}
    found = {}
    for n, line in enumerate(entered.lines, start=2):
        most_of_it = most.get(line[question], math.inf)  # of a question that is not asked any more
        earned = _points(line[points], most_of_it, f"{path}, line {n}")
        key = line[student], line[number] if number is not None else "", line[question]
        found[key] = earned, as_entered(line[comment].strip()), line[text]
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
    for key, what in entered.items():
        free = [] if key in asked else asked - entered.keys()
        near = [k for k in free if _is_rewritten(key, k)]
        found[near[0] if len(near) == 1 else key] = what
    return found


def _is_rewritten(key: Key, original: Key) -> bool:
    """Return whether a key is another one whose number has lost digits, or zeros before it."""
    try:
        numbers = [float(k[1].replace(",", ".")) for k in (key, original)]
    except ValueError:
        return False
    precise = 0 if key[1].isdecimal() else ROUNDED
    return key[::2] == original[::2] and math.isclose(*numbers, rel_tol=precise)


def add(rows: list[Row], entered: Entered) -> list[str]:
    """Add what was entered to the rows of those whose answers it is of.

    Returns a line for whatever was entered and reaches nobody: of whom there is no answer, and
    comments without points.
    """
    left = {key for key, (points, comment, _) in entered.items() if points is not None or comment}
    for row in rows:
        for question in questions():
            text = row.texts.get(question.chapter, {}).get(question.label)
            points, comment, before = entered.get(_key(row, question), (None, "", ""))
            if text is None or points is None:
                continue
            left.discard(_key(row, question))
            row.written[question.chapter, question.question] = points, question.points, comment
            if _compared(before) != _compared(harmless(text)):
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
    lines, known = [], set()
    for question in questions():
        for row in rows:
            text = row.texts.get(question.chapter, {}).get(question.label)
            if text is not None:
                key = _key(row, question)
                known.add(key)
                points, comment, _ = entered.get(key, (None, "", ""))
                lines.append(_line(key, harmless(text), points, comment))
    for key, (points, comment, text) in entered.items():
        if key not in known and (points is not None or comment):
            lines.append(_line(key, text, points, comment))
    table.save(folder / "written.csv", HEAD, lines)
    asked = [(q, _answers(rows, q)) for q in questions() if _answers(rows, q)]
    page = PAGES.get_template("written.html").render(title="Written answers", questions=asked)
    table.write(folder / "written.html", page)


def _keys(row: Row) -> list[Key]:
    """Return the keys of all that a student was asked."""
    return [_key(row, q) for q in questions() if q.label in row.texts.get(q.chapter, {})]


def _key(row: Row, question: Question) -> Key:
    return harmless(row.student), harmless(row.number), harmless(question.label)


def _line(key: Key, text: str, points: float | None, comment: str) -> list[str]:
    student, number, question = key
    earned = "" if points is None else f"{points:g}"
    return [student, question, text, earned, harmless(comment), number]


def _answers(rows: list[Row], question: Question) -> list[tuple[str, str, float | None]]:
    """Return student, text and points of all who have answered a question."""
    found = []
    for row in rows:
        if text := row.texts.get(question.chapter, {}).get(question.label):
            entered = row.written.get((question.chapter, question.question))
            found.append((row.student, text, entered[0] if entered else None))
    return found
