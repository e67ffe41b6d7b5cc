"""Facts about a batch that an answer has drawn as it likes: how they are measured and told.

Two right answers draw other numbers, so it is not these that are compared, but what must hold of
them all: shapes, frequencies, what belongs to what.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np

from helpers.exercises.contract import Arrays


@dataclass(frozen=True)
class Fact:
    """A fact about a batch that does not depend on how its numbers were drawn.

    measure  batch -> the fact; a batch has the names that `facts_of_batch` gives it
    kind     "number": about right; "shape": exact, and measured of any batch; "truth": yes or no;
             "types": exact, numbers by which NumPy knows them
    """

    label: str
    measure: Callable
    kind: str = "number"
    dimensions: str = ""

    def words(self, measured: np.ndarray) -> str:
        """Return what was measured as text."""
        if self.kind == "truth":
            return "yes" if measured else "no"
        if self.kind == "types":
            names: dict[int, str] = {
                np.dtype(code).num: np.dtype(code).name for code in "?bhilqBHILQefd"
            }
            return ", ".join(names.get(int(number), "another") for number in measured)
        numbers = ", ".join(f"{number:.4g}" for number in np.ravel(measured))
        return f"({numbers})" if self.kind == "shape" else numbers


def extremes(numbers: np.ndarray) -> list:
    """Return the smallest and the greatest number."""
    return [numbers.min(), numbers.max()]


def facts_of(facts: Sequence[Fact], batch: SimpleNamespace, fits: bool) -> Arrays:
    """Return label -> fact. Where the shapes do not fit, all facts but these are 0."""
    return {
        fact.label: np.array(fact.measure(batch) if fits or fact.kind == "shape" else [0.0])
        for fact in facts
    }


def equal_facts(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Return whether two facts about a batch agree; frequencies and means are never exact."""
    apart = np.abs(got.astype(float) - expected) if got.shape == expected.shape else np.inf
    return bool(np.max(apart) <= tolerance)


def explain_with(
    facts: Sequence[Fact], remedies: Mapping[str | tuple[str, ...], str], tolerance: float
) -> Callable:
    """Return an exercise's `explain`: the first fact that is wrong, and a remedy.

    remedies: how labels begin -> what to do where one of these is wrong
    """

    def explain(got: Arrays, expected: Arrays) -> str:
        fact = next(f for f in facts if not equal_facts(got[f.label], expected[f.label], tolerance))
        mine, right = fact.words(got[fact.label]), fact.words(expected[fact.label])
        about = "about " if fact.kind == "number" else ""
        described = f"{fact.label.capitalize()}: {mine}; expected {about}{right}."
        remedy = next((r for start, r in remedies.items() if fact.label.startswith(start)), "")
        return f"The batch is not as described. {described}\n{remedy}"

    return explain
