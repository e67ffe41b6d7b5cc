"""Networks with weights set by hand, on the adding problem: how they are run and what is told.

n sequences, T time steps, H units. A sequence has values and marks; the two marked values are to be
added.
"""

import numpy as np

from helpers.calling.arrays import Case
from helpers.exercises.contract import Arrays

N = 400
ENOUGH = 1e-3  # mean squared error; always answering 1 has 0.167
PARTS = "first marked value", "second marked value", "unmarked value"


def adding_case(rng: np.random.Generator, T: int) -> Case:
    """Draw values (N, T) and marks (N, T), one in each half of the steps."""
    rows, marks = np.arange(N), np.zeros((N, T))
    marks[rows, rng.integers(0, T // 2, N)] = 1.0
    marks[rows, rng.integers(T // 2, T, N)] = 1.0
    return {"values": rng.random((N, T)), "marks": marks}


def effects_of(case: Case, said: np.ndarray) -> Arrays:
    """Return what counts in what a network says (N,), and its mean squared error, as `effects`.

    What counts are the factors of the first and the second marked value, of all unmarked ones, and
    a constant, by least squares.
    """
    values, marks = case["values"], case["marks"]
    if not np.isfinite(said).all():
        return {"effects": np.full(5, np.nan)}
    rows = np.arange(len(marks))
    first = values[rows, marks.argmax(axis=1)]
    both = (values * marks).sum(axis=1)
    seen = np.column_stack([first, both - first, values.sum(axis=1) - both, np.ones(len(marks))])
    factors = np.linalg.lstsq(seen, said, rcond=None)[0]
    return {"effects": np.append(factors, np.mean((said - both) ** 2))}


def equal_effects(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Return whether both are good enough, or say about the same."""
    if got.shape != expected.shape:
        return False
    if min(got[-1], expected[-1]) <= ENOUGH:
        return bool(max(got[-1], expected[-1]) <= ENOUGH)
    return bool(np.allclose(got, expected, rtol=0.02, atol=1e-3))


def explain_effects(got: Arrays, expected: Arrays) -> str:
    """Return the error, and by how much each part of a sequence counts in what is said."""
    *factors, error = got["effects"]
    if not np.isfinite(error):
        return "What the network says is infinite or nan on some sequence."
    told = ", ".join(
        f"a {part} {factor:.3g} times" for part, factor in zip(PARTS, factors[:3], strict=True)
    )
    message = (
        f"Its mean squared error is {error:.2g}; at most {ENOUGH:g} passes, and always answering 1 "
        f"has 0.17. In what it says counts {told}, and a constant {factors[3]:.3g}. Wanted: 1, 1, "
        "0 and 0."
    )
    return f"{message} {_most_telling(*factors[:3])}".rstrip()


def _most_telling(first: float, second: float, unmarked: float) -> str:
    if abs(unmarked) > 0.02:
        return "Unmarked values come in: what must keep them out?"
    if abs(second) > 0.1 and abs(first) < 0.9 * abs(second):
        return "What came in at the first mark fades on the way: what must keep it?"
    return ""
