"""What has changed against the grades that were last written into the same folder."""

import json
from pathlib import Path

from solutions.grading.reports.rows import Row
from solutions.grading.store import write

LAST = "last.json"
Points = dict[str, dict[str, float]]  # student and id -> "chapter.exercise" -> points


def points_of(rows: list[Row]) -> Points:
    """Return what each student has earned, exercise by exercise, and for written answers."""
    found: Points = {}
    for row in rows:
        earned = {f"{n}.{m.exercise}": m.points for n, ms in row.marks.items() for m in ms}
        earned |= {f"{n}.written": points for (n, _), (points, _, _) in row.written.items()}
        found[" ".join(filter(None, (row.student, row.number)))] = earned
    return found


def since_last(rows: list[Row], folder: Path) -> list[str]:
    """Return a line for each student whose points are others than last time."""
    try:
        before = json.loads((folder / LAST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    lines = []
    for student, earned in points_of(rows).items():
        last = before.get(student, {})
        changed = [
            f"{name} {_shown(last.get(name))} → {_shown(earned.get(name))}"
            for name in sorted(last.keys() | earned)
            if last.get(name) != earned.get(name)
        ]
        if changed and last:
            lines.append(f"{student}: {', '.join(changed)}")
    return lines


def save(rows: list[Row], folder: Path) -> None:
    """Keep the points for the next comparison."""
    write(folder / LAST, json.dumps(points_of(rows), ensure_ascii=False))


def _shown(points: float | None) -> str:
    return "none" if points is None else f"{points:g}"
