"""Makes the exercise of a clinic: claims to mark as right, or as wrong with their correction."""

import numpy as np

from helpers.exercises import drivers
from helpers.exercises.checking import Exercise, Mistake


def claims_exercise(name: str, title: str, claims: dict[str, int], hints: dict[str, str]):
    """Return an exercise whose answer is a function that returns a dict like `claims`.

    claims  letter -> 0 for a right claim, the number of its correction for a wrong one
    hints   letter -> where to look again; a card shows the first, and never the right mark
    """

    def reference():
        return dict(claims)

    reference.__name__ = name

    def explain(got, expected):
        claim = next(c for c in claims if not np.array_equal(got[c], expected[c]))
        if got[claim] and expected[claim]:
            return f"{claim} is wrong, as you say, but another number fits it better."
        return hints[claim]

    def all_but(claim):
        return lambda: claims | {claim: 0 if claims[claim] else 3}

    return Exercise(
        name=name,
        title=title,
        points=2,
        outputs=dict.fromkeys(claims, ""),
        cases=lambda rng: [{"keys": " ".join(claims)}],
        drive=drivers.call_for_dict,
        reference=reference,
        against="what this chapter showed",
        explain=explain,
        mistakes=tuple(Mistake(hints[claim], all_but(claim)) for claim in claims),
    )
