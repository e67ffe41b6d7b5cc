"""Draws the cases, has a submission's answers called on them, compares, and gives marks.

This side holds the answers and runs none of the submission's code. An answer is marked where its
check stands, as in the notebook, and if it does not pass there, once more when all cells have run.
"""

import functools
import hashlib
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from helpers.exercises import catalogue, judging
from helpers.exercises.contract import Exercise, Result
from helpers.exercises.judging import judge
from helpers.exercises.known import Known
from solutions.grading import cells, definitions
from solutions.grading.arrivals.reading import Cell
from solutions.grading.inside import protocol
from solutions.grading.marks import Mark, nothing
from solutions.grading.sandbox import Sandbox, Stopped
from solutions.grading.telling import Note, Teller
from solutions.grading.watch import Budget

STARTS = 6  # of a sandbox for one submission: if one is stopped, the rest is marked in a new one
LONGEST_WORDS = 200
OPEN = "There is no answer: the cell is as it was handed out."
TO_DO_WITHOUT = ", but is to be done without"


@dataclass
class Marking:
    """The marking of some exercises of one notebook, in as many sandboxes as it takes."""

    code: list[Cell]
    handed_out: list[Cell]
    exercises: dict[str, Exercise]
    seed: int
    start: Callable[[], Sandbox]
    budget: Budget
    marks: dict[str, Mark] = field(default_factory=dict)
    notes: list[Note] = field(default_factory=list)
    again: bool = False
    overwritten: set[str] = field(default_factory=set)  # passed, and then given another value

    def __post_init__(self) -> None:
        self.teller = Teller(self.code)
        self.places = {name: self._places(name) for name in self.exercises}
        self.marked_once: dict[str, int] = {}  # answer -> the only cell behind which it is marked
        self.unfinished: dict[str, str] = {}  # answer -> the cell with it that ended in an error
        self.experimented = False  # whether cells ran that no answer needs

    def _places(self, name: str) -> list[int]:
        """Return the cells behind which an answer is marked: the first, and the last few.

        They check it, or give it a value that is given again before it is checked.
        """
        given = definitions.binding(self.code, name)
        checks = [i for i, cell in enumerate(self.code) if cells.checked_in(cell.source) == name]
        events = sorted([*given, *checks])
        superseded = {one for one, two in itertools.pairwise(events) if {one, two} <= set(given)}
        tried = sorted(superseded.union(checks))
        return [*tried[:1], *tried[1:][-definitions.MOST_TRIES :]]

    def run(self, *, only_needed: bool = False) -> None:
        """Fill `marks`. only_needed: run no cell but those that the answers need."""
        needed = cells.to_run(self.code, set(self.exercises), self.code)
        chosen = cells.to_run(self.code, set(self.exercises), self.handed_out)
        chosen = needed if only_needed else chosen
        left_out: set[int] = set()
        experiments = set(chosen) - set(needed)
        self.experimented = bool(experiments)
        for _ in range(STARTS):
            if not self._waiting() or self.budget.spent():
                return
            try:
                with self.start() as sandbox:
                    left = [i for i in chosen if i not in left_out]
                    stopped_at = self._run_and_mark(sandbox, left, experiments)
            except Stopped as reason:  # before anything ran: the budget did not last so long
                self._stop(reason)
                return
            if stopped_at is not None:
                left_out.add(stopped_at)
                if stopped_at not in needed:  # experiments get no second try
                    left_out |= experiments

    def is_given(self, name: str) -> bool:
        """Return whether there is an answer, if perhaps one that could not be defined."""
        status = self.marks[name].status
        missing = status == "missing" and not definitions.binding(self.code, name)
        return status != "not attempted" and not missing

    def _waiting(self) -> list[str]:
        return [name for name in self.exercises if name not in self.marks]

    def _run_and_mark(
        self, sandbox: Sandbox, chosen: list[int], experiments: set[int]
    ) -> int | None:
        """Run cells and mark; return the index of a cell that stopped the sandbox, or None.

        experiments: no answer needs them; when one had to be interrupted, the others are left out
        """
        early: dict[str, Mark] = {}
        for index in chosen:
            if index in experiments and sandbox.watch.interrupted:
                continue
            try:
                self._run_cell(sandbox, index)
            except (Stopped, protocol.Forged) as reason:
                self._stop(reason)
                text = f"{self._called(index)} was left out: {reason}."
                self._note(Note(text, left_out=True))
                return index
            for name in self._tried_at(index):
                given, goes_on = self._mark(sandbox, name)
                early[name] = max(early.get(name, given), given, key=lambda mark: mark.points)
                if given.status in ("passed", "stopped") or name in self.marked_once:
                    self.marks[name] = given
                    if index < max(definitions.binding(self.code, name), default=0):
                        self.overwritten.add(name)
                if not goes_on:
                    return None
        for name in self._waiting():
            if name in self.marked_once:  # its place was not reached
                self.marks[name] = nothing(self.exercises[name], "missing", "")
                continue
            late, goes_on = self._mark(sandbox, name)
            before = early.get(name, late)
            self.marks[name] = before if before.points > late.points else late
            if not goes_on:
                return None
        return None

    def _tried_at(self, index: int) -> list[str]:
        places = self.places | {name: [place] for name, place in self.marked_once.items()}
        return [name for name in self._waiting() if index in places[name]]

    def _run_cell(self, sandbox: Sandbox, index: int) -> None:
        """Run a cell; if it fails, holds no answer and was altered, also run the one handed out."""
        cell, before = self.code[index], sandbox.watch.interrupted
        if not (error := _error_of(sandbox, cell)):
            return
        stopped = sandbox.watch.interrupted > before
        found = None if cells.checked_in(cell.source) else cells.names(cell.source)
        answers = found.bound & self.exercises.keys() if found else ()
        self.unfinished |= dict.fromkeys(answers, cell.source)
        then = ""
        original = next((c for c in self.handed_out if c.id == cell.id and c != cell), None)
        names = cells.names(original.source) if original else None
        if original and names and not names.bound & _every_exercise():
            _error_of(sandbox, original)
            then = " The cell as it was handed out was run after it."
        if stopped and error.startswith("KeyboardInterrupt"):
            self.again = True
            text = f"{self._called(index)} was interrupted: it took too long."
            self._note(Note(text, left_out=True))
            return
        text = f"{self._called(index)} ended in {self.teller.kind(error)}.{then}"
        self._note(Note(text, error))

    def _called(self, index: int) -> str:
        number = self.code[index].number
        return f"Code cell {number}" if number else "A cell of the hand-out"

    def _mark(self, sandbox: Sandbox, name: str) -> tuple[Mark, bool]:
        given, goes_on = mark(sandbox, self.exercises[name], self.seed, self.teller)
        if given.status == "missing" and name in self.unfinished:
            for source in definitions.alone(self.unfinished.pop(name), name):
                _error_of(sandbox, Cell("", source))
            given, goes_on = mark(sandbox, self.exercises[name], self.seed, self.teller)
        self.again |= not goes_on and sandbox.watch.late
        return given, goes_on

    def _stop(self, reason: Exception) -> None:
        self.again |= isinstance(reason, Stopped) and reason.again

    def _note(self, note: Note) -> None:
        if note not in self.notes:
            self.notes.append(note)


@functools.cache
def _every_exercise() -> frozenset[str]:
    return frozenset(e.name for chapter in catalogue.chapters().values() for e in chapter)


def _error_of(sandbox: Sandbox, cell: Cell) -> str:
    """Run a cell; return the error that it ended in, or ""."""
    reply, _ = sandbox.ask({"do": "run", "source": cell.source, "cell": cell.id}, gently=True)
    error = reply.get("error")
    return protocol.clean(error)[:LONGEST_WORDS] if isinstance(error, str) else ""


def mark(sandbox: Sandbox, exercise: Exercise, seed: int, teller: Teller) -> tuple[Mark, bool]:
    """Return the mark of an exercise, and whether the sandbox can go on."""
    known = known_of(exercise.name, seed)
    cases = exercise.handed(known.cases)
    arrays: list[np.ndarray] = []
    request = {
        "do": "collect",
        "name": exercise.name,
        "driver": [exercise.drive.__module__, exercise.drive.__name__],
        "names": exercise.collected,
        "without": sorted(exercise.by_hand),
        "seed": derived(seed, exercise.name, "inside") % 2**31,
        "cases": [protocol.packed(case, arrays) for case in cases],
    }
    try:
        reply, body = sandbox.ask(request, arrays)
        if reply.get("missing") is True:
            message = f"There is no `{exercise.name}` after the notebook has run."
            return nothing(exercise, "missing", message), True
        outcomes = protocol.outcomes_from(reply, body, exercise.collected, cases, exercise.by_hand)
    except Stopped as reason:
        return nothing(exercise, "stopped", f"When it was called, {reason}."), False
    except protocol.Forged as reason:
        message = f"What came back was no answer of the grader's worker: {reason}."
        return nothing(exercise, "stopped", message), False
    result = judge(known, outcomes, teller.told)
    points = exercise.points * result.share
    message = protocol.clean(in_a_report(result)) or result.status
    flags = [f"calls {name}{TO_DO_WITHOUT * (name in exercise.by_hand)}" for name in result.called]
    of = exercise.name, exercise.title, points, exercise.points
    failures = (outcome.failure for outcome in outcomes if outcome.failure)
    words = next((failure.message for failure in failures if failure.kind != "stub"), "")
    return Mark(*of, result.status, message, flags, words[:LONGEST_WORDS]), True


def in_a_report(result: Result) -> str:
    """Return what is said of an answer where no notebook goes on after it."""
    if result.status == "not attempted":
        return OPEN
    return result.message.removesuffix(judging.RUNS_ON)


@functools.cache
def known_of(name: str, seed: int) -> Known:
    """Return what is known of an exercise on the cases of a seed: the same for a whole class."""
    exercise, rng = catalogue.find(name), np.random.default_rng(derived(seed, name, "cases"))
    return Known(exercise, exercise.cases(rng))


def derived(seed: int, *purpose: str) -> int:
    """Return a number for one purpose that says nothing about the seed, nor about another's."""
    return int(hashlib.sha256("\n".join([str(seed), *purpose]).encode()).hexdigest(), 16)
