"""Grades one submission: its answers where they stand, and once more where others spoiled them."""

import functools
from dataclasses import replace
from pathlib import Path

from helpers.exercises import catalogue
from helpers.exercises.contract import Exercise
from solutions.grading import cells, definitions, following, references
from solutions.grading.arrivals.reading import Cell, edition
from solutions.grading.flags import code_behind, flags
from solutions.grading.inside import protocol
from solutions.grading.marking import OPEN, Marking
from solutions.grading.marks import Graded, Mark, nothing
from solutions.grading.sandbox import Sandbox
from solutions.grading.telling import Note
from solutions.grading.walls import Limits, walls
from solutions.grading.watch import Budget

MOST_LINES, LONGEST_LINE = 60, 200  # of the code beside a card
ABSENT = (
    "Neither this exercise nor its check is in the notebook: an older hand-out had none, or its "
    "cells were deleted."
)
CAME_BACK = "the cell of the hand-out that gives it a value was run."
GONE = "was an exercise of an older hand-out: it is no longer marked, and nothing is lost by it."
WITHOUT_EXPERIMENTS = "was marked once more without the cells that no answer needs, and counts so."


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
    code = [replace(cell, number=number) for number, cell in enumerate(code, start=1)]
    code = definitions.under_new_names(definitions.cut(code, exercises), _renamed(chapter))
    code = definitions.completed(code, handed_out, exercises)
    if untouched := _untouched(code, handed_out, exercises):
        return Graded(untouched)
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
    _mark_alone(first)
    following.follow_through(first, needed_by(chapter))
    first.notes += (
        _of_other_editions(code, chapter) + _of_definitions(first) + _of_what_lacked(first)
    )
    for name, given in first.marks.items():
        if given.status == "missing" and _is_absent(name, code, handed_out):
            given.status, given.message = "absent", ABSENT
        behind = code_behind(name, set(exercises) - {name}, code, handed_out)
        given.flags += flags(behind)
        given.code = _shortened("\n\n".join(behind))
    cells.forget()
    return Graded([first.marks[name] for name in exercises], first.notes, first.again)


def _untouched(
    code: list[Cell], handed_out: list[Cell], exercises: dict[str, Exercise]
) -> list[Mark]:
    """Return the marks of a notebook that is as it was handed out, for which nothing has to run."""
    known, answers = set(handed_out), [definitions.binding(code, name) for name in exercises]
    if not all(answers) or not all(cell in known for cell in code):
        return []
    return [nothing(exercise, "not attempted", OPEN) for exercise in exercises.values()]


@functools.cache
def needed_by(chapter: int) -> dict[str, set[str]]:
    """Return exercise -> the others that the course's own solution of it builds on."""
    names = {exercise.name for exercise in catalogue.chapters()[chapter]}
    return references.needed_by(edition("solutions")[chapter], names)


def _shortened(code: str) -> str:
    """Return code as it may stand beside a card."""
    lines = code.expandtabs(4).splitlines()
    cut = [protocol.clean(line[:LONGEST_LINE]) for line in lines[:MOST_LINES]]
    more = [f"… and {len(lines) - MOST_LINES} more lines"] if len(lines) > MOST_LINES else []
    return "\n".join([*cut, *more])


def _renamed(chapter: int) -> dict[str, str]:
    """Return old name -> new name of a chapter's exercises."""
    return {old: f.now for old, f in catalogue.FORMERLY.items() if f.chapter == chapter and f.now}


def _of_other_editions(code: list[Cell], chapter: int) -> list[Note]:
    """Return a remark for each exercise that was handed out once, and is none any more."""
    former = [old for old, f in catalogue.FORMERLY.items() if f.chapter == chapter and not f.now]
    checked = {cells.checked_in(cell.source) for cell in code}
    return [Note(f"`{old}` {GONE}") for old in former if old in checked]


def _of_definitions(first: Marking) -> list[Note]:
    """Return a remark for each answer that is given more than once.

    How often it was marked is for an instructor to look at.
    """
    notes = []
    for name, places in first.places.items():
        if (n := len(definitions.binding(first.code, name))) > 1:
            notes.append(Note(f"`{name}` is defined {n} times: the best counts."))
            tried = f"is defined {n} times, and was marked {len(places) + 1} times"
            first.marks[name].flags.append(tried)
    return notes


def _of_what_lacked(first: Marking) -> list[Note]:
    """Return a remark for each of the hand-out's cells that came back, and was needed."""
    chosen = cells.to_run(first.code, set(first.exercises), first.handed_out)
    back = [first.code[i] for i in chosen if first.code[i] in first.handed_out]
    gives = [cells.names(cell.source) for cell in back if not cell.number]
    named = [", ".join(f"`{name}`" for name in sorted(found.bound)) for found in gives if found]
    return [Note(f"{names} had no value: {CAME_BACK}") for names in named]


def _is_absent(name: str, code: list[Cell], handed_out: list[Cell]) -> bool:
    """Return whether a notebook has neither an exercise's cell, nor its check, nor an answer."""
    cells_of = {handed_out[i].id for i in definitions.binding(handed_out, name)}
    checked = any(cells.checked_in(cell.source) == name for cell in code)
    there = any(cell.id in cells_of for cell in code)
    return not (checked or there or definitions.binding(code, name))


def _mark_alone(first: Marking) -> None:
    """Mark what failed once more with only the cells that the answers need; the better counts.

    An experiment can change what all cells after it run on, as `torch.set_default_device` does.
    """
    failed = [n for n, m in first.marks.items() if m.points < m.of and first.is_given(n)]
    if not failed or not first.experimented:
        return
    exercises = {name: first.exercises[name] for name in failed}
    alone = Marking(first.code, first.handed_out, exercises, first.seed, first.start, first.budget)
    alone.run(only_needed=True)
    first.again |= alone.again
    for name, again in alone.marks.items():
        if again.points > first.marks[name].points:
            first.marks[name] = again
            first.notes.append(Note(f"`{name}` {WITHOUT_EXPERIMENTS}"))
