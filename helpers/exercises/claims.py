"""Makes the exercise of a clinic: claims to mark as right, or as wrong with their correction."""

import functools
from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import call_for_dict
from helpers.exercises.contract import Arrays, Exercise, Mistake


def claims_exercise(
    name: str, title: str, claims: dict[str, int], hints: dict[str, str]
) -> Exercise:
    """Return an exercise whose answer is a function that returns a dict like `claims`.

    claims  letter -> 0 for a right claim, the number of its correction for a wrong one
    hints   letter -> where to look again; a card shows the first, and never the right mark
    """

    def reference():
        """Return letter -> 0 for a right claim, the number of its correction for a wrong one."""
        return dict(claims)

    reference.__name__ = name
    return Exercise(
        name=name,
        title=title,
        points=2,
        outputs=dict.fromkeys(claims, ""),
        cases=lambda rng: [{"keys": " ".join(claims)}],
        drive=call_for_dict,
        reference=reference,
        against="what this chapter showed",
        explain=functools.partial(_hint, hints),
        mistakes=tuple(Mistake(hints[claim], _all_but(claim, claims)) for claim in claims),
    )


def _hint(hints: dict[str, str], got: Arrays, expected: Arrays) -> str:
    """Return where to look again, for the first claim that is marked wrongly."""
    claim = next(c for c in hints if not np.array_equal(got[c], expected[c]))
    if got[claim] and expected[claim]:
        return f"{claim} is wrong, as you say, but another number fits it better."
    return hints[claim]


def _all_but(claim: str, claims: dict[str, int]) -> Callable:
    return lambda: claims | {claim: 0 if claims[claim] else 3}
