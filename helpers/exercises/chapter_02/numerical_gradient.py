"""`numerical_gradient`: a gradient by central differences, equation 2.9."""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_02 import call_numerical_gradient
from helpers.exercises.contract import Arrays, Exercise, Mistake


def numerical_gradient(loss, w, eps=None):
    """Return the gradient of loss(w), a number, by the float64 array w, with the shape of w.

    On copies of w: by equation 2.9 with eps, or without it by differences of the fourth order,
    which are closer.
    """

    def slope(index, distance):
        up, down = w.copy(), w.copy()
        up[index] += distance
        down[index] -= distance
        return (loss(up) - loss(down)) / (2 * distance)

    gradient = np.zeros_like(w)
    for i in np.ndindex(w.shape):
        gradient[i] = slope(i, eps) if eps else (4 * slope(i, 1e-3) - slope(i, 2e-3)) / 3
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
    eps=1e-5,
    step=lambda eps, entry: eps,
    up=1.0,
    down=1.0,
    left=0.0,
    slope=lambda difference, eps: difference / (2 * eps),
    indices=lambda shape: np.ndindex(shape),
) -> Callable:
    """Return a `numerical_gradient` that departs from the right one in what is given.

    eps: the step where the caller says nothing; up, down: how many steps the two points lie above
    and below w; left: how many steps above it the entry is left
    """
    usual = eps

    def answer(loss, w, eps=usual):
        gradient = np.zeros_like(w)
        for i in indices(w.shape):
            kept = np.copy(w[i])
            h = step(eps, kept)
            w[i] = kept + up * h
            above = loss(w)
            w[i] = kept - down * h
            gradient[i] = slope(above - loss(w), h)
            w[i] = kept + left * h
        return gradient

    return answer


def one_sided(eps: float, up: float = 1.0, down: float = 0.0) -> Callable:
    """Return a `numerical_gradient` one of whose points is w itself."""
    return wrong(eps, up=up, down=down, slope=lambda difference, eps: difference / eps)


def on_a_copy(answer: Callable, usual: float = 1e-5) -> Callable:
    """Return a `numerical_gradient` that works on a copy of w."""
    return lambda loss, w, eps=usual: answer(loss, w.copy(), eps)


def leaves(index: tuple[int, int], by: float) -> Callable:
    """Return a right `numerical_gradient` that leaves an entry of w changed by so many eps."""

    def answer(loss, w, eps=1e-5):
        gradient = wrong()(loss, w, eps)
        w[index] += by * eps
        return gradient

    return answer


def without(places: tuple) -> Callable:
    """Return a `numerical_gradient` that is 0 in some places."""

    def answer(loss, w, eps=1e-5):
        gradient = wrong()(loss, w, eps)
        gradient[places] = 0
        return gradient

    return answer


def to_and_fro(eps: float) -> Callable:
    """Return a `numerical_gradient` that moves an entry by += and -=, with this step."""
    usual = eps

    def answer(loss, w, eps=usual):
        moved, gradient = w.copy(), np.zeros_like(w)
        for i in np.ndindex(w.shape):
            moved[i] += eps
            above = loss(moved)
            moved[i] -= 2 * eps
            gradient[i] = (above - loss(moved)) / (2 * eps)
            moved[i] += eps
        return gradient

    return answer


RELATIVE = (
    "The step is eps times the entry, so that it is 0 where an entry is 0. Step by eps itself."
)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return what is said of a gradient that is nan exactly where an entry is 0."""
    gradient, w = got["gradient"], expected["w afterwards"]
    return RELATIVE if np.array_equal(np.isnan(gradient), w == 0) and (w == 0).any() else ""


def all_at_once(loss, w, eps=1e-5):
    return np.full_like(w, (loss(w + eps) - loss(w - eps)) / (2 * eps))


EXERCISE = Exercise(
    name="numerical_gradient",
    title="a gradient by central differences",
    points=2,
    difficulty=2,
    outputs={"gradient": "row column", "w afterwards": "row column", "`eps` has an effect": ""},
    cases=cases,
    drive=call_numerical_gradient,
    reference=numerical_gradient,
    against="differences of the fourth order",
    tolerance=3e-9,
    explain=explain,
    by_hand=frozenset({"_make_dual", "backward", "grad", "run_backward"}),
    mistakes=(
        Mistake(
            "These are one-sided differences, whose error shrinks with eps only. Step to both "
            "sides and divide by 2 eps: then it shrinks with eps².",
            one_sided(1e-5),
            also=(one_sided(1e-6), one_sided(1e-4), one_sided(1e-5, up=0.0, down=1.0)),
        ),
        Mistake(
            "One of the two points is w itself, and the difference is divided by 2 eps: half of a "
            "one-sided difference. Take w + eps, then w - eps, then put the entry back.",
            wrong(down=0.0),
            also=(wrong(up=0.0), wrong(down=0.0, left=1.0)),
        ),
        Mistake(
            "The step is too large: its error shows. About 1e-5 is best in float64.",
            wrong(eps=1e-2),
            also=(wrong(eps=1e-1), wrong(eps=1e-3), wrong(eps=1e-4)),
        ),
        Mistake(
            "The step is too small: the difference loses its digits. About 1e-5 is best in "
            "float64.",
            wrong(eps=1e-8),
            also=(
                wrong(eps=1e-9),
                wrong(eps=1e-10),
                wrong(eps=1e-12),
                to_and_fro(1e-8),
                to_and_fro(1e-10),
            ),
        ),
        Mistake(
            RELATIVE,
            wrong(step=lambda eps, entry: eps * abs(entry)),
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
            "The sign is lost: take the difference as it is, without `abs`.",
            wrong(slope=lambda difference, eps: abs(difference) / (2 * eps)),
        ),
        Mistake(
            "The weight is not put back after its two steps: put it back before the next one.",
            wrong(left=-1.0),
            also=(wrong(left=1.0), on_a_copy(wrong(left=-1.0)), on_a_copy(wrong(left=1.0))),
        ),
        Mistake(
            "One entry of `w` is not put back. Leave `w` as you found it.",
            leaves((-1, -1), by=-1),
            also=(leaves((-1, -1), by=1), leaves((0, 0), by=-1), leaves((0, 0), by=1)),
        ),
        Mistake(
            "The two points are 2 eps apart; this divides by eps.",
            wrong(slope=lambda difference, eps: difference / eps),
        ),
        Mistake(
            "The difference is not divided by eps. Divide it by how far the points are apart, "
            "2 eps.",
            wrong(slope=lambda difference, eps: difference),
            also=(wrong(slope=lambda difference, eps: difference / 2),),
        ),
        Mistake(
            "`eps` is overwritten or not used. Take the step that is asked for.",
            lambda loss, w, eps=1e-5: wrong()(loss, w),
        ),
        Mistake(
            "The last entries are left out. Go through all of `w`: `np.ndindex(w.shape)`.",
            without((-1, -1)),
            also=(without((-1,)), without((..., -1)), without((slice(1, None),))),
        ),
        Mistake(
            "The first entries are left out. Go through all of `w`: `np.ndindex(w.shape)`.",
            without((0, 0)),
            also=(without((0,)), without((..., 0))),
        ),
        Mistake(
            "Whole rows, or columns, are moved at once: with one number i, `w[i]` is a row. Take "
            "the entries one by one: `np.ndindex(w.shape)`.",
            wrong(indices=lambda shape: range(shape[0])),
            also=(
                wrong(indices=lambda shape: range(shape[0] * shape[1])),
                wrong(indices=lambda shape: [(slice(None), j) for j in range(shape[1])]),
            ),
        ),
        Mistake(
            "All weights are moved together. Move one entry at a time.",
            all_at_once,
        ),
        Mistake(
            "It is 0 everywhere: nothing was filled in, or `loss` saw the same numbers both times. "
            "Was a copy moved, and `loss(w)` asked?",
            lambda loss, w, eps=1e-5: np.zeros_like(w),
        ),
    ),
)
