"""`numerical_gradient`: a gradient by central differences, equation 2.9."""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_02 import call_numerical_gradient
from helpers.exercises.contract import Exercise, Mistake


def numerical_gradient(loss, w, eps=1e-3):
    """Return the gradient of loss(w), a number, by the float64 array w, with the shape of w.

    By central differences of the fourth order, whose error shrinks with eps⁴, on copies of w.
    """

    def at(index, distance):
        moved = w.copy()
        moved[index] += distance
        return loss(moved)

    gradient = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        near, far = at(i, eps) - at(i, -eps), at(i, 2 * eps) - at(i, -2 * eps)
        gradient[i] = (8 * near - far) / (12 * eps)
    return gradient


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw w, and heights a and frequencies b of waves, so high that too large a step shows.

    In the last two one entry of w is 0.
    """
    shapes = [(3, 2), (1, 1), (7, 6), (4, 1), tuple(rng.integers(1, 5, 2)), (5, 2)]
    drawn = [
        {"w": rng.normal(size=s), "a": rng.normal(size=s), "b": rng.uniform(4, 8, size=s)}
        for s in shapes
    ]
    for case in drawn[-2:]:
        case["w"].flat[0] = 0.0
    return drawn


def wrong(
    eps=1e-5, down=1.0, restore=True, slope=lambda difference, eps: difference / (2 * eps)
) -> Callable:
    """Return a `numerical_gradient` that departs from the right one in what is given.

    eps: the step where the caller says nothing; down: how many eps the lower point lies below w
    """
    usual = eps

    def answer(loss, w, eps=usual):
        gradient = np.zeros_like(w)
        for i in np.ndindex(w.shape):
            kept = w[i]
            w[i] = kept + eps
            above = loss(w)
            w[i] = kept - down * eps
            gradient[i] = slope(above - loss(w), eps)
            if restore:
                w[i] = kept
        return gradient

    return answer


def one_sided(eps: float) -> Callable:
    """Return a `numerical_gradient` whose lower point is w itself."""
    return wrong(eps, down=0.0, slope=lambda difference, eps: difference / eps)


def all_at_once(loss, w, eps=1e-5):
    return np.full_like(w, (loss(w + eps) - loss(w - eps)) / (2 * eps))


EXERCISE = Exercise(
    name="numerical_gradient",
    title="a gradient by central differences",
    points=2,
    outputs={"gradient": "row column", "w afterwards": "row column", "`eps` has an effect": ""},
    cases=cases,
    drive=call_numerical_gradient,
    reference=numerical_gradient,
    against="differences of the fourth order",
    tolerance=3e-9,
    by_hand=frozenset({"_make_dual", "backward", "grad", "run_backward"}),
    mistakes=(
        Mistake(
            "These are one-sided differences, whose error shrinks with eps only. Step to both "
            "sides and divide by 2 eps: then it shrinks with eps².",
            one_sided(1e-5),
            also=(one_sided(1e-6), one_sided(1e-4)),
        ),
        Mistake(
            "The step is too large: its error shows. About 1e-5 is best in float64.",
            wrong(eps=1e-2),
            also=(wrong(eps=1e-1), wrong(eps=1e-3), wrong(eps=1e-4)),
        ),
        Mistake(
            "The gradient has the digits of float32 only. Make it with `np.zeros_like(w)`.",
            lambda loss, w, eps=1e-5: wrong()(loss, w, eps).astype(np.float32),
        ),
        Mistake(
            "`/ 2 * eps` divides by 2 and multiplies by eps. Write `/ (2 * eps)`.",
            wrong(slope=lambda difference, eps: difference / 2 * eps),
        ),
        Mistake(
            "The sign is reversed: the value above minus the value below.",
            wrong(slope=lambda difference, eps: -difference / (2 * eps)),
        ),
        Mistake(
            "The weight is not put back after its two steps: put it back before the next one.",
            wrong(restore=False),
        ),
        Mistake(
            "The two points are 2 eps apart; this divides by eps.",
            wrong(slope=lambda difference, eps: difference / eps),
        ),
        Mistake(
            "`eps` is overwritten or not used. Take the step that is asked for.",
            lambda loss, w, eps=1e-5: wrong()(loss, w),
        ),
        Mistake(
            "All weights are moved together. Move one entry at a time.",
            all_at_once,
        ),
        Mistake(
            "It is 0 everywhere: `loss` never saw a change. Was a copy moved, and `loss(w)` asked?",
            lambda loss, w, eps=1e-5: np.zeros_like(w),
        ),
    ),
)
