"""Draws the cases, has a submission's answers called on them, compares, and scores.

This side holds the answers and runs none of the submission's code.
"""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from grading import cells, protocol
from grading.sandbox import Limits, Sandbox, Stopped
from grading.submissions import Cell
from helpers.exercises import catalogue, checking
from helpers.exercises.running import Failure, Outcome

STARTS = 4  # of a sandbox for one submission: after what stops it, the rest is graded in a new one

FOLLOWED_THROUGH = (
    "Right by itself. Another answer that it calls is not, and was replaced by the course's, as in "
    "the notebook."
)


@dataclass
class Mark:
    """What one exercise of one submission earned, and why.

    status: of `checking.Result`, or "missing" (no such name), "stopped" (it took the sandbox down)
    """

    exercise: str
    title: str
    points: float
    of: int
    status: str
    message: str
    flags: list[str] = field(default_factory=list)


@dataclass
class Graded:
    """A submission's marks, exercise by exercise, and what there is to say about the whole."""

    marks: list[Mark]
    notes: list[str] = field(default_factory=list)


def grade(
    code: list[Cell],
    handed_out: list[Cell],
    solved: list[Cell],
    chapter: int,
    *,
    staged: Path,
    seed: int = 0,
    limits: Limits | None = None,
    slot: int = 0,
    walled: bool = True,
) -> Graded:
    """Return the marks of one submission of one chapter.

    code        its code cells
    handed_out  those of the chapter's student copy
    solved      those of its solution
    staged      the folder that `sandbox.stage` made
    seed        of the cases: the same seed gives the same marks
    slot        number of the worker, which decides its user
    walled      False runs without a sandbox, for files of one's own
    """
    limits = limits or Limits()
    exercises = {exercise.name: exercise for exercise in catalogue.chapters()[chapter]}
    chosen = cells.to_run(code, handed_out, set(exercises))
    marks, notes, skipped = {}, [], set()
    for _ in range(STARTS):
        waiting = [name for name in exercises if name not in marks]
        if not waiting:
            break
        with Sandbox(staged, limits, slot=slot, walled=walled) as sandbox:
            stopped_at = _run_cells(sandbox, code, [i for i in chosen if i not in skipped], notes)
            if stopped_at is not None:
                skipped.add(stopped_at)
                continue
            for name in waiting:
                marks[name], goes_on = _mark(sandbox, exercises[name], seed)
                if not goes_on:
                    break
    for name, exercise in exercises.items():
        if name not in marks:
            reason = "Other cells of the notebook stopped the grader before this was reached."
            marks[name] = _nothing(exercise, "stopped", reason)
    own = {
        name: cells.own_code(name, set(exercises) - {name}, code, handed_out) for name in exercises
    }
    if steps := _second_sitting(own, marks, cells.answers(solved, set(exercises))):
        with Sandbox(staged, limits, slot=slot, walled=walled) as sandbox:
            if _run_cells(sandbox, code, [i for i in chosen if i not in skipped], []) is None:
                _follow_through(sandbox, steps, exercises, marks, seed)
    for name in exercises:
        marks[name].flags = cells.flags(own[name], name)
    return Graded([marks[name] for name in exercises], notes)


def _second_sitting(
    own: dict[str, str], marks: dict[str, Mark], solved: dict[str, str]
) -> list[tuple[str, str]]:
    """Return what to do so that no answer loses points for another one that it calls.

    In the notebook an answer that is not passed is replaced by the reference before the next
    exercise begins. Here the same happens once all is marked: the steps are, in order, exercises to
    mark again, each (name, ""), and answers to replace, each (name, source of the solution).
    """
    failed = [name for name, mark in marks.items() if mark.points < mark.of]
    calls = {name: cells.uses(own[name]) & set(failed) - {name} for name in failed}
    again = [name for name in failed if calls[name]]
    called = set().union(*calls.values())
    steps = []
    for name in failed:
        steps += [(name, "")] if name in again else []
        steps += [(name, solved[name])] if name in called else []
    return steps if again else []


def _follow_through(
    sandbox: Sandbox,
    steps: list[tuple[str, str]],
    exercises: dict[str, checking.Exercise],
    marks: dict[str, Mark],
    seed: int,
) -> None:
    """Go through the steps of a second sitting; change a mark only where it is a pass now.

    Nothing else of what comes back is used: by now the sandbox has seen solutions.
    """
    for name, solution in steps:
        if solution and marks[name].points < marks[name].of:
            try:
                sandbox.ask({"do": "run", "source": solution, "cell": name})
            except (Stopped, protocol.Forged):
                return
        elif not solution:
            mark, goes_on = _mark(sandbox, exercises[name], seed)
            if mark.points == mark.of:
                mark.message = FOLLOWED_THROUGH
                marks[name] = mark
            if not goes_on:
                return


def _run_cells(
    sandbox: Sandbox, code: list[Cell], chosen: list[int], notes: list[str]
) -> int | None:
    """Run cells; return the index of one that stopped the sandbox, or None."""
    for index in chosen:
        cell = code[index]
        request = {"do": "run", "source": cell.source, "cell": cell.id or str(index)}
        try:
            reply, _ = sandbox.ask(request)
        except (Stopped, protocol.Forged) as reason:
            notes.append(f"Code cell {index + 1} was left out: {reason}.")
            return index
        if isinstance(error := reply.get("error"), str) and error:
            notes.append(f"Code cell {index + 1} ended in an error: {protocol.clean(error)[:200]}")
    return None


def _mark(sandbox: Sandbox, exercise: checking.Exercise, seed: int) -> tuple[Mark, bool]:
    """Return the mark of an exercise, and whether the sandbox can go on."""
    own = [seed, zlib.crc32(exercise.name.encode())]
    cases, arrays = exercise.cases(np.random.default_rng(own)), []
    names = tuple(exercise.outputs)
    request = {
        "do": "collect",
        "name": exercise.name,
        "drive": exercise.drive.__name__,
        "outputs": names,
        "seed": seed,
        "cases": [protocol.packed(case, arrays) for case in cases],
    }
    try:
        reply, body = sandbox.ask(request, arrays)
        if reply.get("missing") is True:
            message = f"There is no `{exercise.name}` after the notebook has run."
            return _nothing(exercise, "missing", message), True
        outcomes = protocol.outcomes_from(reply, body, names, len(cases))
    except Stopped as reason:
        return _nothing(exercise, "stopped", f"When it was called, {reason}."), False
    except protocol.Forged as reason:
        message = f"What came back was no answer of the grader's worker: {reason}."
        return _nothing(exercise, "stopped", message), False
    result = judged(exercise, cases, outcomes)
    points = exercise.points * result.share
    return Mark(
        exercise.name, exercise.title, points, exercise.points, result.status, result.message
    ), True


def judged(exercise, cases: list, outcomes: list[Outcome]) -> checking.Result:
    """Return `checking.judge` of outcomes that may hold anything; what it chokes on is wrong."""
    try:
        return checking.judge(exercise, cases, outcomes)
    except Exception as error:
        misfit = Outcome(failure=Failure("misfit", f"The answer cannot be compared: {error}"))
        return checking.judge(exercise, cases, [misfit] * len(outcomes))


def _nothing(exercise: checking.Exercise, status: str, message: str) -> Mark:
    return Mark(exercise.name, exercise.title, 0.0, exercise.points, status, message)
