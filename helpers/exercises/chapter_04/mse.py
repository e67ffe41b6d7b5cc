"""`mse`: a mean squared error that refuses to broadcast, section 4.3."""

from collections.abc import Callable

import numpy as np
from torch.nn import functional as F

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import ERROR_RETURNED, call_guarded_loss
from helpers.exercises.chapter_04 import IN_PLACE
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import CARRIES_NO_GRADIENT, NO_VALUE_ERROR, normal


def mse(prediction, target):
    """Return the mean squared error of two tensors of one shape, a scalar, by `F.mse_loss`.

    Raises ValueError, with both shapes in its message, where they differ.
    """
    if prediction.shape != target.shape:
        raise ValueError(f"prediction {tuple(prediction.shape)}, target {tuple(target.shape)}")
    return F.mse_loss(prediction, target)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw pairs of tensors: first one of equal shapes, then (5,) against (5, 1), then the others.

    Most shapes that differ agree in something: the length, the number of axes or of values.
    """
    shapes = [((5, 1), (5, 1)), ((5,), (5, 1))]
    others = [((4, 3, 1), (4, 3, 1)), ((6,), (6,)), ((5, 1), (5,)), ((4, 3, 1), (4, 1, 1))]
    others += [((4, 1), (4,)), ((3, 4), (1, 4)), ((1, 6), (1, 6)), ((6, 1), (1, 6))]
    shapes += [others[i] for i in rng.permutation(len(others))]
    return [{"prediction": normal(rng, *p), "target": normal(rng, *t)} for p, t in shapes]


def wrong(
    differ=lambda p, t: p.shape != t.shape,
    error=ValueError,
    named=lambda p, t: (p, t),
    loss=F.mse_loss,
) -> Callable:
    """Return an `mse` that departs from the right one in what is given.

    named: the tensors whose shapes the error names
    """

    def answer(prediction, target):
        if differ(prediction, target):
            raise error(f"{[x.shape for x in named(prediction, target)]}")
        return loss(prediction, target)

    return answer


def returns_the_error(prediction, target):
    differ = prediction.shape != target.shape
    return ValueError() if differ else mse(prediction, target)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return that shapes were not refused, or not named; else ""."""
    if got["refused"] == expected["refused"]:
        return ""
    if got["refused"]:
        return "It refuses, but the message does not name both shapes."
    return "Two shapes that differ went through. Raise a ValueError that names both."


EXERCISE = Exercise(
    name="mse",
    title="a mean squared error that does not broadcast",
    points=2,
    difficulty=1,
    outputs={"refused": "", "loss": "", "gradient": "entry"},
    cases=cases,
    drive=call_guarded_loss,
    reference=mse,
    explain=explain,
    against="`F.mse_loss`, with its gradient, where shapes agree",
    mistakes=(
        Mistake(
            "Shapes that differ go through, and are stretched to fit. Compare "
            "`prediction.shape` and `target.shape` first, and raise a ValueError.",
            F.mse_loss,
            also=(lambda p, t: ((p - t) ** 2).mean(),),
        ),
        Mistake(
            "This mends the shapes without a word. The caller whose shapes differ has a mistake "
            "elsewhere, and should hear of it: raise a ValueError.",
            lambda p, t: F.mse_loss(p.reshape(-1), t.reshape(-1)),
            also=(
                lambda p, t: F.mse_loss(p.squeeze(), t.squeeze()),
                lambda p, t: F.mse_loss(p.reshape(t.shape), t),
                lambda p, t: F.mse_loss(p, t.reshape(p.shape)),
                lambda p, t: F.mse_loss(p.view_as(t), t),
            ),
        ),
        Mistake(
            "It refuses, but the message does not name both shapes. Whoever reads it has to look "
            "for them: put `prediction.shape` and `target.shape` into it.",
            wrong(named=lambda p, t: ()),
            also=(wrong(named=lambda p, t: (p,)), wrong(named=lambda p, t: (t,))),
        ),
        Mistake(
            ERROR_RETURNED,
            returns_the_error,
        ),
        Mistake(
            NO_VALUE_ERROR,
            wrong(error=AssertionError),
            also=tuple(wrong(error=e) for e in (TypeError, RuntimeError, Exception, IndexError)),
        ),
        Mistake(
            "Only the number of axes is compared: (4, 3, 1) against (4, 1, 1) still broadcasts.",
            wrong(lambda p, t: p.ndim != t.ndim),
        ),
        Mistake(
            "Only the length is compared: (5,) against (5, 1) still broadcasts.",
            wrong(lambda p, t: len(p) != len(t)),
        ),
        Mistake(
            "Only the number of values is compared: it is 5 for (5,) and for (5, 1).",
            wrong(lambda p, t: p.numel() != t.numel()),
        ),
        Mistake(
            "The numbers of axes and of values are compared, not the shapes: (6, 1) and (1, 6) "
            "agree in both, and broadcast to (6, 6).",
            wrong(lambda p, t: p.ndim != t.ndim or p.numel() != t.numel()),
        ),
        Mistake(
            "Only the last axis is compared: (4, 3, 1) against (4, 1, 1) still broadcasts.",
            wrong(lambda p, t: p.shape[-1] != t.shape[-1]),
        ),
        Mistake(
            "Sizes are compared in pairs, up to the end of the shorter shape: (5,) against (5, 1) "
            "still broadcasts.",
            wrong(lambda p, t: any(a != b for a, b in zip(p.shape, t.shape, strict=False))),
        ),
        Mistake(
            "Shapes that agree are refused as well. Raise only where `!=` finds them different.",
            wrong(lambda p, t: True),
        ),
        Mistake(
            "The condition is upside down: this refuses shapes that agree.",
            wrong(lambda p, t: p.shape == t.shape),
        ),
        Mistake(
            "This is the sum of the squares. Take their mean.",
            wrong(loss=lambda p, t: F.mse_loss(p, t, reduction="sum")),
        ),
        Mistake(
            "This is the root of the mean squared error. Leave out the root.",
            wrong(loss=lambda p, t: F.mse_loss(p, t).sqrt()),
        ),
        Mistake(
            "This is the mean absolute error. Square the differences.",
            wrong(loss=F.l1_loss),
        ),
        Mistake(
            "The sum of the squares is divided by `len(prediction)`, the number of series. Divide "
            "it by that of all values: take the mean.",
            wrong(loss=lambda p, t: (p - t).square().sum() / len(p)),
        ),
        Mistake(
            "This adds up the squares along the last axis. Take the mean over all axes.",
            wrong(loss=lambda p, t: (p - t).square().sum(dim=-1).mean()),
        ),
        Mistake(
            "The mean is taken first and squared then, so that errors of both signs cancel. Square "
            "each difference.",
            wrong(loss=lambda p, t: (p - t).mean().square()),
        ),
        Mistake(
            "This is the root of the sum of the squares. Take the mean, without the root.",
            wrong(loss=lambda p, t: (p - t).norm()),
        ),
        Mistake(
            "Both are squared, and then subtracted. Subtract first.",
            wrong(loss=lambda p, t: (p**2 - t**2).mean()),
        ),
        Mistake(
            "The differences are not squared, so that errors of both signs cancel.",
            wrong(loss=lambda p, t: (p - t).mean()),
            also=(wrong(loss=lambda p, t: (t - p).mean()),),
        ),
        Mistake(
            "This returns a square for every value. Return their mean, a scalar.",
            wrong(loss=lambda p, t: (p - t).square()),
        ),
        Mistake(
            IN_PLACE,
            wrong(loss=lambda p, t: p.sub_(t).square().mean()),
        ),
        Mistake(
            CARRIES_NO_GRADIENT,
            wrong(loss=lambda p, t: F.mse_loss(p, t).item()),
        ),
    ),
)
