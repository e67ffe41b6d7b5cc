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
        return self._on_the_first(len(self.cases), answer)

    def on(self, case: int, answer: Callable) -> Outcome:
        """Return its outcome on one case; it is not called on those that follow."""
        return self._on_the_first(case + 1, answer)[case]

    def _on_the_first(self, n: int, answer: Callable) -> list[Outcome]:
        done = self._outcomes.setdefault(answer, [])
        if new := self.cases[len(done) : n]:
            done += self.measured(self._called(answer, new), new)
        return done

    def collected(self, answer: Callable, without: frozenset[str] = frozenset()) -> list[Outcome]:
        """Call any answer on the cases, without what is kept here; return what came out.

        without: the names of functions that are watched, as for `calling.collect`
        """
        return self._called(answer, self.cases, without)

    def _called(
        self, answer: Callable, cases: list[Case], without: frozenset[str] = frozenset()
    ) -> list[Outcome]:
        e = self.exercise
        return calling.collect(e.name, answer, e.drive, e.collected, e.handed(cases), without)

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

    def measured(self, outcomes: list[Outcome], cases: list[Case] | None = None) -> list[Outcome]:
        """Return outcomes as they are compared: for most exercises as they are.

        cases: those that they are of, if not all
        """
        measure = self.exercise.measure
        if measure is None:
            return outcomes
        return [
            outcome if outcome.failure else replace(outcome, outputs=measure(case, outcome.outputs))
            for case, outcome in zip(cases or self.cases, outcomes, strict=True)
        ]
