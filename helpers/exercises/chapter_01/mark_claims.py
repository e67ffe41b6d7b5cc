"""`mark_claims`: eight claims from the web, marked and corrected, section 1.8."""

from collections.abc import Callable
from dataclasses import replace

from helpers.exercises.claims import claims_exercise
from helpers.exercises.contract import Mistake


def mark_claims():
    """Return letter -> 0 for what is right, the number of its correction for what is wrong."""
    return {"A": 4, "B": 1, "C": 0, "D": 6, "E": 2, "F": 0, "G": 5, "H": 0}


HINTS = {
    "A": "Claim A: count the gates in equation 1.2.",
    "B": "Claim B: `rnn_step` would be refused for this. What happens to `h_prev` there?",
    "C": "Claim C: look at what `clip_gradients` does to a gradient that has already vanished.",
    "D": "Claim D: reverse a sequence and look at the last state again (section 1.1).",
    "E": "Claim E: your network of section 1.7 had one layer. How far back did its gradient reach?",
    "F": "Claim F: how many different W_hh did `rnn_forward` use over the whole sequence?",
    "G": "Claim G: what would a gate have to learn, so that the loss falls?",
    "H": "Claim H: move the explorer of section 1.7 above a spectral radius of 1.",
}
NO_BETTER = {
    3: "Correction 3 is no better than the claims: smaller weights have a shorter horizon.",
    7: "Correction 7 is no better than the claims: a plain state reaches from step to step.",
}
ELSEWHERE = "What you chose is about something else."


def marked(**marks) -> Callable:
    """Return a `mark_claims` that gives some claims another mark."""
    return lambda: mark_claims() | marks


def another(claim: str, why: str, *numbers: int) -> Mistake:
    """Return the mistake of giving a wrong claim one of these numbers."""
    return Mistake(
        f"{claim} is wrong, as you say, but another number fits it better. {why}",
        marked(**{claim: numbers[0]}),
        also=tuple(marked(**{claim: number}) for number in numbers[1:]),
    )


WRONG = {claim: number for claim, number in mark_claims().items() if number}
BASE = claims_exercise(mark_claims, "eight claims from the web, marked and corrected", HINTS)
EXERCISE = replace(
    BASE,
    mistakes=(
        *BASE.mistakes,
        *(another(claim, why, n) for claim in WRONG for n, why in NO_BETTER.items()),
        *(another(c, ELSEWHERE, *({*WRONG.values()} - {n})) for c, n in WRONG.items()),
        Mistake(
            "This is no dict whose keys are the eight letters. Each claim has its letter as a "
            "key, a right one with the value 0.",
            lambda: WRONG,
        ),
        Mistake(
            "A right claim is marked None. Its mark is the number 0.",
            marked(C=None, F=None, H=None),
            also=(marked(F=None), marked(H=None)),
        ),
        Mistake(
            "The marks are True and False. Give numbers: 0 for a right claim, that of its "
            "correction for a wrong one.",
            lambda: {claim: number > 0 for claim, number in mark_claims().items()},
            also=(lambda: {claim: number == 0 for claim, number in mark_claims().items()},),
        ),
    ),
)
