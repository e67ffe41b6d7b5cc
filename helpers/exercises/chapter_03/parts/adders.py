"""Networks with weights set by hand, on the adding problem: how they are run and what is told.

n sequences, T time steps, H units. A sequence has values and marks; the two marked values are to be
added.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.exercises.contract import Arrays

N = 150
ENOUGH, FAR_OFF = 1e-3, 0.1  # mean squared errors; always answering 1 has 0.167
SHORT = 25  # steps
LARGEST = 200  # numbers in all weights together
PARTS = "the first marked value counts", "the second", "an unmarked one"


def adding_case(rng: np.random.Generator, T: int) -> Case:
    """Draw values (N, T) and marks (N, T), one in each half of the steps."""
    rows, marks = np.arange(N), np.zeros((N, T))
    marks[rows, rng.integers(0, T // 2, N)] = 1.0
    marks[rows, rng.integers(T // 2, T, N)] = 1.0
    return {"values": rng.random((N, T)), "marks": marks}


def effects_of(case: Case, said: np.ndarray) -> np.ndarray:
    """Return what counts in what a network says (N,), how far that explains it, and its error.

    What counts are the factors of the first and the second marked value, of all unmarked ones, and
    a constant, by least squares. Then come the mean squares of what is left, and of the error.
    """
    values, marks = case["values"], case["marks"]
    if not np.isfinite(said).all():
        return np.full(6, np.nan)
    rows = np.arange(len(marks))
    first = values[rows, marks.argmax(axis=1)]
    both = (values * marks).sum(axis=1)
    seen = np.column_stack([first, both - first, values.sum(axis=1) - both, np.ones(len(marks))])
    factors = np.linalg.lstsq(seen, said, rcond=None)[0]
    errors = said - seen @ factors, said - both
    return np.append(factors, [np.mean(e**2) for e in errors])


def measured(case: Case, run: Callable, slips: dict[str, Callable], *weights: np.ndarray) -> Arrays:
    """Return `effects`, and as `slip` the number of the first slip that, undone, makes it add.

    run takes a case and weights, and returns what the network says (N,); slips: name -> a function
    of weights that yields such weights, undone. 0 is no slip.
    """
    if sum(w.size for w in weights) > LARGEST:  # not what a driver hands over
        return {"effects": np.full(6, np.nan), "slip": np.zeros((), dtype=int)}
    effects, slip = effects_of(case, run(case, *weights)), 0
    short = case["values"].shape[1] <= SHORT  # one case is enough to find it on
    if short and not effects[-1] <= FAR_OFF:  # and what is nearly right has none
        undone = ((n, w) for n, undo in enumerate(slips.values(), 1) for w in undo(*weights))
        fitting = (n for n, w in undone if effects_of(case, run(case, *w))[-1] <= ENOUGH)
        slip = next(fitting, 0)
    return {"effects": effects, "slip": np.array(slip)}


def equal_effects(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Return whether both are good enough, or say about the same. A slip decides nothing."""
    if got.shape != expected.shape:
        return False
    if not got.shape:
        return True
    if min(got[-1], expected[-1]) <= ENOUGH:
        return bool(max(got[-1], expected[-1]) <= ENOUGH)
    return bool(np.allclose(got, expected, rtol=0.02, atol=1e-3))


def explain_with(slips: dict[str, Callable]) -> Callable:
    """Return an exercise's `explain`: the error, what counts in what is said, and the slip."""

    def explain(got: Arrays, expected: Arrays) -> str:
        *factors, left, error = got["effects"]
        if not np.isfinite(error):
            return "What the network says is infinite or nan on some sequence."
        told = ", ".join(
            f"{part} {factor:.3g} times" for part, factor in zip(PARTS, factors[:3], strict=True)
        )
        message = (
            f"Its mean squared error is {error:.2g}; at most {ENOUGH:g} passes, and always "
            f"answering 1 has about 0.17. In what it says {told}, and there is a constant of "
            f"{factors[3]:.3g}. Wanted: 1, 1, 0 and 0."
        )
        if got["slip"]:
            return f"{message}\n{list(slips)[int(got['slip']) - 1]}"
        return f"{message}\n{_question(*factors) if left < 0.1 * error else ''}".rstrip()

    return explain


def _question(first: float, second: float, unmarked: float, constant: float) -> str:
    if abs(unmarked) > 0.02:
        return "Unmarked values come in: what must keep them out?"
    clearly = 0.98 if abs(second - 1) < 0.03 else 0.9  # of a scale that is right, a little tells
    if abs(second) > 0.1 and abs(first) < clearly * abs(second):
        return "What came in at the first mark fades on the way: what must keep it?"
    if abs(first - second) < 0.02 * abs(second) and abs(first) > 0.01:
        return "Both marked values count alike: it is mostly a factor or a constant that is off."
    return ""
