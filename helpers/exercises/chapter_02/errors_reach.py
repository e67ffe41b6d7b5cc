"""`errors_reach`: which error reaches which step at k = 1, 2 and 5, drawn by hand, section 2.6."""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_02 import DRAWN_STEPS, call_errors_reach
from helpers.exercises.contract import Arrays, Exercise, Mistake

KS = {"k1": 1, "k2": 2, "k5": 5}


def errors_reach():
    """Return three drawings of marks: row t is the error of step t, column s a step it reaches."""
    return tuple(as_marks(reached(k)) for k in KS.values())


def reached(k: int) -> np.ndarray:
    """Return which error (row) reaches which step (column), as 0 or 1, (steps, steps)."""
    steps = np.arange(DRAWN_STEPS)
    back = steps[:, None] - steps  # how many steps before the error's own
    return ((back >= 0) & (back < k)).astype(int)


def as_marks(drawn: np.ndarray) -> str:
    """Return a drawing as text: `x` where an error reaches a step, and `.` where not."""
    return "\n".join("".join("x" if mark else "." for mark in row) for row in drawn)


def cases(rng: np.random.Generator) -> list[Case]:
    """Return one case: the drawings depend on nothing."""
    return [{"steps": DRAWN_STEPS}]


def drawn(change: Callable) -> Callable:
    """Return an `errors_reach` that draws change(k) for each k."""
    return lambda: tuple(as_marks(change(k)) for k in KS.values())


def in_blocks(k: int) -> np.ndarray:
    """Return what is reached if the series is cut into blocks of k steps."""
    block = np.arange(DRAWN_STEPS) // k
    return np.tril(block[:, None] == block)


def forwards(k: int) -> np.ndarray:
    return reached(k).T


def last_only(k: int) -> np.ndarray:
    rows = np.arange(DRAWN_STEPS)[:, None]
    return reached(k) * (rows == DRAWN_STEPS - 1)


def last_of_them(k: int) -> np.ndarray:
    return reached(k) - (reached(k - 1) if k > 1 else 0)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return the first row that is wrong, in words."""
    for name, k in KS.items():
        for t, (mine, right) in enumerate(zip(got[name], expected[name], strict=True)):
            if (mine != right).any():
                return (
                    f"k = {k}, row {t}: by your drawing the error of step {t} reaches "
                    f"{_steps(mine)}. Go back from its own step, and count."
                )
    return ""


def _steps(row: np.ndarray) -> str:
    marked = [str(s) for s in np.flatnonzero(row)]
    return f"step{'s' * (len(marked) > 1)} {', '.join(marked)}" if marked else "no step"


EXERCISE = Exercise(
    name="errors_reach",
    title="which error reaches which step",
    points=1,
    difficulty=1,
    outputs=dict.fromkeys(KS, "error step"),
    cases=cases,
    drive=call_errors_reach,
    reference=errors_reach,
    against="what k steps reach",
    tolerance=0.0,
    explain=explain,
    mistakes=(
        Mistake(
            "One step too far: at k = 1 an error reaches its own step and no other.",
            drawn(lambda k: reached(k + 1)),
        ),
        Mistake(
            "One step too short: k counts an error's own step.",
            drawn(lambda k: reached(k - 1)),
            also=(drawn(lambda k: reached(max(1, k - 1))),),
        ),
        Mistake(
            "These are blocks of k steps, as windows are cut in section 1.6. Here every error "
            "goes back k steps, wherever it arises.",
            drawn(in_blocks),
        ),
        Mistake(
            "Errors travel back in time, and here they go forwards: exchange rows and columns.",
            drawn(forwards),
        ),
        Mistake(
            "Only the last step's error travels. Each step has an error of its own.",
            drawn(last_only),
        ),
        Mistake(
            "Only the farthest step is marked. An error reaches those on its way as well.",
            drawn(last_of_them),
        ),
        Mistake(
            "An error does not skip its own step: it is the first of the k that it reaches.",
            drawn(lambda k: reached(k) - reached(1)),
            also=(drawn(lambda k: reached(k + 1) - reached(1)),),
        ),
        Mistake(
            "Whatever k is, all errors go back to the start. k says how many steps they reach.",
            drawn(lambda k: reached(DRAWN_STEPS)),
        ),
        Mistake(
            "At k = 5 the last error goes back to the start. It reaches five steps of six.",
            drawn(lambda k: reached(DRAWN_STEPS if k == 5 else k)),
        ),
        Mistake(
            "The drawings come in another order: first k = 1, then 2, then 5.",
            lambda: tuple(as_marks(reached(k)) for k in (5, 2, 1)),
        ),
    ),
)
