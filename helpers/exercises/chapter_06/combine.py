"""`combine`: two stretches of a linear recurrence as one, section 6.4.

A stretch is a pair (a, b) of any shape: it turns a state h into a h + b.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_with_pairs
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def combine(first, second):
    """Return the pair of both stretches: what they do to the states 0 and 1, one after the other.

    first and second are pairs of tensors of one shape.
    """

    def after_both(h):
        for a, b in (first, second):
            h = a * h + b
        return h

    from_nothing = after_both(torch.zeros_like(first[0]))
    return after_both(torch.ones_like(first[0])) - from_nothing, from_nothing


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw pairs (B, T, D) of several shapes; in one, each third factor is 0."""
    names = ("a_1", "b_1", "a_2", "b_2")
    shapes = ((1, 1, 1), (4, 1, 2), (2, 5, 3), (1, 6, 2), (3, 2, 2))
    drawn = [{name: np.asarray(normal(rng, *shape)) for name in names} for shape in shapes]
    for name in ("a_1", "a_2"):
        drawn[2][name].ravel()[::3] = 0.0
    return drawn


def pair(formula: Callable) -> Callable:
    """Return a `combine` whose result is formula(a_1, b_1, a_2, b_2)."""
    return lambda first, second: formula(*first, *second)


EXERCISE = Exercise(
    name="combine",
    title="two stretches of a linear recurrence as one",
    points=1,
    difficulty=1,
    outputs={"a": "B T d", "b": "B T d"},
    cases=cases,
    drive=call_with_pairs,
    reference=combine,
    against="what both do to a state, one after the other,",
    mistakes=(
        Mistake(
            "The stretches are joined in the wrong order: what the second does comes after the "
            "first.",
            pair(lambda a, b, c, d: (a * c, a * d + b)),
        ),
        Mistake(
            "The first b is not faded. It goes through the second stretch: times its a.",
            pair(lambda a, b, c, d: (a * c, b + d)),
        ),
        Mistake(
            "The factors are added. Fading by a and then by another a is fading by their product.",
            pair(lambda a, b, c, d: (a + c, c * b + d)),
        ),
        Mistake(
            "The first b is faded by its own a. That stands before it: the second a fades it.",
            pair(lambda a, b, c, d: (a * c, a * b + d)),
        ),
        Mistake(
            "Factors are multiplied by way of logarithms, which numbers below 0 do not have.",
            pair(lambda a, b, c, d: ((a.log() + c.log()).exp(), c * b + d)),
        ),
        Mistake(
            "There is a division by a factor, and a factor may be 0.",
            pair(lambda a, b, c, d: (a * c, c * (b + d / c))),
            also=(pair(lambda a, b, c, d: (a * c, a * c * (b / a) + d)),),
        ),
        Mistake(
            "The second b is missing.",
            pair(lambda a, b, c, d: (a * c, c * b)),
        ),
        Mistake(
            "The b are multiplied. They are added, the first after fading.",
            pair(lambda a, b, c, d: (a * c, b * d)),
        ),
        Mistake(
            "Both b are faded by the second a. The second comes in behind it.",
            pair(lambda a, b, c, d: (a * c, c * (b + d))),
        ),
        Mistake(
            "The first b is faded by both a. Its own a came before it.",
            pair(lambda a, b, c, d: (a * c, a * c * b + d)),
        ),
        Mistake(
            "The pair comes back as (b, a). First the factor, then what is added.",
            pair(lambda a, b, c, d: (c * b + d, a * c)),
        ),
        Mistake(
            "The a of the pair is the second's alone.",
            pair(lambda a, b, c, d: (c, c * b + d)),
            also=(pair(lambda a, b, c, d: (a, c * b + d)),),
        ),
    ),
)
