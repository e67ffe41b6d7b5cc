"""Written answers: all texts of a question on one page, and a table for points and comments.

The page has the sample answer and its criteria beside the texts. Whoever reads enters points and
comments into written.csv; the next run adds them to totals, pages and gradebooks. What a text says
is written there for reading only: whose it is and what it earned is all that is read back.
"""

from pathlib import Path

from solutions.grading.arrivals.words import Question, questions
from solutions.grading.reports import table
from solutions.grading.reports.pages import PAGES
from solutions.grading.reports.rows import Row
from solutions.grading.reports.table import harmless

HEAD = ["student", "question", "text", "points", "comment", "id"]
LONGEST_TEXT = 20_000  # characters: a spreadsheet's cell ends at 32,767

Key = tuple[str, str, str]  # student, id, label of a question: as they stand in the table


def read(path: Path) -> dict[Key, tuple[float | None, str, str]]:
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
        earned = _points(line[points], most.get(line[question], 0), f"{path}, line {n}")
        key = line[student], line[number] if number is not None else "", line[question]
        found[key] = earned, line[comment].strip(), line[text]
    return found


def _points(cell: str, most: int, where: str) -> float | None:
    """Return the points that were entered, or None if none were. Raises table.Unusable."""
    if not cell.strip():
        return None
    try:
        points = float(cell.strip().replace(",", "."))
    except ValueError:
        raise table.Unusable(f"{where}: {cell!r} is no number of points.") from None
    if not 0 <= points <= most:
        raise table.Unusable(f"{where}: {cell} points, where 0 to {most} can be given.")
    return points


def add(rows: list[Row], entered: dict[Key, tuple[float | None, str, str]]) -> None:
    """Add what was entered to the rows of those whose answers it is of."""
    for row in rows:
        for question in questions():
            text = row.texts.get(question.chapter, {}).get(question.label)
            points, comment, before = entered.get(_key(row, question), (None, "", ""))
            if text is None or points is None:
                continue
            row.written[question.chapter, question.question] = points, question.points, comment
            if before != _shown(text):
                row.notes.append(
                    f"chapter {question.chapter}: the written answer is another than the one that "
                    "got its points."
                )


def save(rows: list[Row], entered: dict[Key, tuple[float | None, str, str]], folder: Path) -> None:
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
                lines.append(_line(key, _shown(text), points, comment))
    for key, (points, comment, text) in entered.items():
        if key not in known and (points is not None or comment):
            lines.append(_line(key, text, points, comment))
    table.save(folder / "written.csv", HEAD, lines)
    asked = [(q, _answers(rows, q)) for q in questions() if _answers(rows, q)]
    page = PAGES.get_template("written.html").render(title="Written answers", questions=asked)
    table.write(folder / "written.html", page)


def _key(row: Row, question: Question) -> Key:
    return harmless(row.student), harmless(row.number), harmless(question.label)


def _line(key: Key, text: str, points: float | None, comment: str) -> list[str]:
    student, number, question = key
    earned = "" if points is None else f"{points:g}"
    return [student, question, text, earned, harmless(comment), number]


def _shown(text: str) -> str:
    """Return a text as it may stand in a table."""
    cut = text if len(text) <= LONGEST_TEXT else f"{text[:LONGEST_TEXT]} … (cut)"
    return harmless(cut.replace("\r", ""))


def _answers(rows: list[Row], question: Question) -> list[tuple[str, str, float | None]]:
    """Return student, text and points of all who have answered a question."""
    found = []
    for row in rows:
        if text := row.texts.get(question.chapter, {}).get(question.label):
            entered = row.written.get((question.chapter, question.question))
            found.append((row.student, text, entered[0] if entered else None))
    return found
