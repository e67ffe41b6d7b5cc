"""Makes the exercise of a clinic: claims to mark as right, or as wrong with their correction."""

from collections.abc import Callable

from helpers.calling.arrays import call_for_dict
from helpers.exercises.contract import Arrays, Exercise, Mistake

CORRECTIONS = range(1, 8)


def claims_exercise(
    reference: Callable,
    title: str,
    hints: dict[str, str],
    misplaced: dict[int, str],
    here: dict[tuple[str, int], str] | None = None,
) -> Exercise:
    """Return an exercise whose answer returns letter -> mark, as its reference does.

    reference  returns 0 for a right claim, the number of its correction for a wrong one
    hints      letter -> where to look again; a card shows two of them at most, never a right mark
    misplaced  correction -> why it does not belong to a claim that needs another one
    here       the same for a claim of which there is more to say
    """
    claims = reference()

    def why(claim: str, number: int) -> str:
        nowhere = f"the corrections have the numbers 1 to {CORRECTIONS[-1]}."
        reason = (here or {}).get((claim, number)) or misplaced.get(number, nowhere)
        return f"{claim} is wrong, as you say, but not mended by {number}: {reason}"

    def explain(got: Arrays, expected: Arrays) -> str:
        wrong = [claim for claim in claims if got[claim] != expected[claim]]
        return "\n".join(
            why(claim, int(got[claim])) if got[claim] and expected[claim] else hints[claim]
            for claim in wrong[:2]
        )

    def marked(**marks: object) -> Callable:
        return lambda: claims | marks

    right = [claim for claim in claims if not claims[claim]]
    return Exercise(
        name=reference.__name__,
        title=title,
        points=2,
        difficulty=1,
        outputs=dict.fromkeys(claims, ""),
        cases=lambda rng: [{"keys": " ".join(claims)}],
        drive=call_for_dict,
        reference=reference,
        against="what this chapter showed",
        explain=explain,
        mistakes=(
            *(Mistake(hints[c], marked(**{c: 0 if claims[c] else 3})) for c in claims),
            *(
                Mistake(why(claim, number), marked(**{claim: number}))
                for claim in claims
                for number in CORRECTIONS
                if claims[claim] not in (0, number)
            ),
            Mistake(
                "A letter is missing. The keys are all eight letters, capitals, and the values the "
                "numbers: 0 for what is right.",
                lambda: {claim: mark for claim, mark in claims.items() if mark},
            ),
            Mistake(
                "None is no mark. Give 0 for what is right, else the number of the correction.",
                marked(**dict.fromkeys(right)),
                also=tuple(marked(**{claim: None}) for claim in right),
            ),
            Mistake(
                "A mark is True or False. Give numbers: 0 for what is right, else that of the "
                "correction.",
                lambda: {claim: mark > 0 for claim, mark in claims.items()},
                also=(lambda: {claim: mark == 0 for claim, mark in claims.items()},),
            ),
        ),
    )
