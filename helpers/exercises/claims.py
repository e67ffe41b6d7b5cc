"""Makes the exercise of a clinic: claims to mark as right, or as wrong with their correction."""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import call_for_dict
from helpers.exercises.contract import Arrays, Exercise, Mistake


def claims_exercise(reference: Callable, title: str, hints: dict[str, str]) -> Exercise:
    """Return an exercise whose answer returns letter -> mark, as its reference does.

    reference  returns 0 for a right claim, the number of its correction for a wrong one
    hints      letter -> where to look again; a card shows two of them at most, never a right mark
    """
    claims = reference()

    def explain(got: Arrays, expected: Arrays) -> str:
        wrong = [claim for claim in claims if not np.array_equal(got[claim], expected[claim])]
        return "\n".join(
            f"{claim} is wrong, as you say, but another number fits it better. {hints[claim]}"
            if got[claim] and expected[claim]
            else hints[claim]
            for claim in wrong[:2]
        )

    def all_but(claim: str) -> Callable:
        return lambda: claims | {claim: 0 if claims[claim] else 3}

    return Exercise(
        name=reference.__name__,
        title=title,
        points=2,
        outputs=dict.fromkeys(claims, ""),
        cases=lambda rng: [{"keys": " ".join(claims)}],
        drive=call_for_dict,
        reference=reference,
        against="what this chapter showed",
        explain=explain,
        mistakes=tuple(Mistake(hints[claim], all_but(claim)) for claim in claims),
    )
