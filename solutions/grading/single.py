"""Grades one submission: its answers where they stand, and once more where others spoiled them."""

import functools
from pathlib import Path

from helpers.exercises import catalogue
from solutions.grading import cells, references
from solutions.grading.arrivals.reading import Cell, edition
from solutions.grading.flags import code_behind, flags
from solutions.grading.marking import Marking
from solutions.grading.marks import Graded, nothing
from solutions.grading.sandbox import Sandbox
from solutions.grading.walls import Limits, walls
from solutions.grading.watch import Budget

FOLLOWED_THROUGH = (
    "Right by itself. Another answer that it needs is not, and was replaced by the course's, as in "
    "the notebook."
)


def grade(
    code: list[Cell],
    chapter: int,
    *,
    staged: Path,
    seed: int = 0,
    limits: Limits | None = None,
    slot: int = 0,
    walled: bool = True,
    hidden: tuple[Path, ...] = (),
) -> Graded:
    """Return the marks of one submission of one chapter.

    code    its code cells
    staged  the folder that `walls.stage` makes
    seed    of the cases: the same seed gives the same marks
    slot    number of the worker, which decides its user
    walled  False runs without a sandbox, for files that you wrote yourself
    hidden  folders that no sandbox shows
    """
    limits = limits or Limits()
    handed_out = edition("notebooks")[chapter]
    exercises = {exercise.name: exercise for exercise in catalogue.chapters()[chapter]}
    budget = Budget(limits.total_seconds, limits.total_idle_seconds)

    def start() -> Sandbox:
        behind = walls(staged, limits, slot, hidden) if walled else None
        return Sandbox(staged, limits, behind, budget)

    first = Marking(code, handed_out, exercises, seed, start, budget)
    first.run()
    for name in exercises:
        if name not in first.marks:
            reason = "Other cells of the notebook stopped the grader before this was reached."
            first.marks[name] = nothing(exercises[name], "stopped", reason)
    _follow_through(first, needed_by(chapter))
    for name, given in first.marks.items():
        given.flags += flags(code_behind(name, set(exercises) - {name}, code, handed_out))
    cells.forget()
    return Graded([first.marks[name] for name in exercises], first.notes, first.again)


@functools.cache
def needed_by(chapter: int) -> dict[str, set[str]]:
    """Return exercise -> the others that the course's own solution of it builds on."""
    names = {exercise.name for exercise in catalogue.chapters()[chapter]}
    return references.needed_by(edition("solutions")[chapter], names)


def _follow_through(first: Marking, needed_by: dict[str, set[str]]) -> None:
    """Mark again each answer that failed and builds on others that failed: it loses nothing.

    needed_by: exercise -> the others that the course's own solution of it builds on

    In the notebook an answer that does not pass is replaced by a reference before anything else
    runs. So it is here: a new sandbox gets the notebook with the references of those exercises, and
    marks nothing else. What a submission calls does not matter: two answers that call each other
    would get the reference of each. In the chapter's order a reference comes in only after its own
    exercise has its last mark. All that is used of what comes back is whether the answer passes.
    """
    failed = {name for name, m in first.marks.items() if m.points < m.of}
    for name in first.exercises:
        if name not in failed or first.marks[name].status in ("not attempted", "missing"):
            continue
        if wrong := needed_by[name] & failed:
            stand_ins = {n: references.cell_of(first.exercises[n]) for n in wrong}
            code = cells.replaced(first.code, stand_ins)
            alone = {name: first.exercises[name]}
            second = Marking(code, first.handed_out, alone, first.seed, first.start, first.budget)
            second.run(only_needed=True)
            first.again |= second.again
            again = second.marks.get(name)
            if again and again.points == again.of:
                again.message = FOLLOWED_THROUGH
                first.marks[name] = again
