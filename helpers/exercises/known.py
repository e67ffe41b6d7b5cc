"""What is known of an exercise on some cases: right outcomes, and those of the known mistakes."""

from collections.abc import Callable
from dataclasses import replace

from helpers import calling
from helpers.calling import Outcome
from helpers.calling.arrays import Case
from helpers.exercises.contract import Exercise


class ReferenceFailed(Exception):
    """The course's own reference has failed, so that no answer can be judged here."""


class Known:
    """The outcomes of an exercise's reference and of its known mistakes on the same cases.

    Each is called when it is asked for, and once: whoever judges many answers on the same cases, as
    a grader does for a class, keeps one `Known` for all of them.
    """

    def __init__(self, exercise: Exercise, cases: list[Case]):
        self.exercise, self.cases = exercise, cases
        self._outcomes: dict[Callable, list[Outcome]] = {}
        self._shows: dict[Callable, set[str]] = {}

    @property
    def expected(self) -> list[Outcome]:
        """The outcomes of the reference. Raises ReferenceFailed: nothing may be compared then."""
        expected = self.of(self.exercise.reference)
        if failure := next((o.failure for o in expected if o.failure), None):
            raise ReferenceFailed(f"The reference of {self.exercise.name}: {failure.message}")
        return expected

    def of(self, answer: Callable) -> list[Outcome]:
        """Return the outcomes of the reference or of a known mistake, as they are compared."""
        if answer not in self._outcomes:
            self._outcomes[answer] = self.measured(self.collected(answer))
        return self._outcomes[answer]

    def collected(self, answer: Callable, without: frozenset[str] = frozenset()) -> list[Outcome]:
        """Call any answer on the cases, without what is kept here; return what came out.

        without: the names of functions that are watched, as for `calling.collect`
        """
        e, handed = self.exercise, self.exercise.handed(self.cases)
        return calling.collect(e.name, answer, e.drive, e.collected, handed, without)

    def shows(self, mistake: Callable) -> set[str]:
        """Return the outputs in which a known mistake departs from the reference on some case.

        There are none if it fails on a case.
        """
        if mistake not in self._shows:
            e, pairs = self.exercise, list(zip(self.of(mistake), self.expected, strict=True))
            failed = any(outcome.failure for outcome, _ in pairs)
            self._shows[mistake] = {
                name
                for name in (() if failed else e.outputs)
                if not all(e.equal(a.outputs[name], b.outputs[name], e.tolerance) for a, b in pairs)
            }
        return self._shows[mistake]

    def measured(self, outcomes: list[Outcome]) -> list[Outcome]:
        """Return outcomes as they are compared: for most exercises as they are."""
        measure = self.exercise.measure
        if measure is None:
            return outcomes
        return [
            outcome if outcome.failure else replace(outcome, outputs=measure(case, outcome.outputs))
            for case, outcome in zip(self.cases, outcomes, strict=True)
        ]
