"""`one_value_limit`: the best forecast of a sine from one noisy value, derived, section 4.6.

A sine of amplitude A at a random phase, seen with noise of variance N; Δ is a step in radians.
"""

import math
from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake

PHASES = 64  # any number above 2 gives the exact means of a sine's squares


def one_value_limit(step, amplitude, noise):
    """Return the weight w of the best forecast w x_t, and its mean squared error.

    By the normal equation of least squares, on phases all around the circle; noise is N.
    """
    phase = 2 * np.pi * np.arange(PHASES) / PHASES
    now, later = amplitude * np.sin(phase), amplitude * np.sin(phase + step)
    weight = np.mean(now * later) / (np.mean(now**2) + noise)
    return weight, np.mean((later - weight * now) ** 2) + weight**2 * noise + noise


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw steps on both sides of a quarter of a period. One has no noise, one amplitude is 1."""
    drawn = [(2 * math.pi / 100, 1.0, 0.0), (0.9, 1.0, 0.3), (2.4, 0.6, 0.0)]
    drawn += [tuple(rng.uniform(low, high)) for low, high in 5 * [((0.2, 0.5, 0.1), (2.8, 3, 2))]]
    names = "step", "amplitude", "noise"
    return [dict(zip(names, map(float, values), strict=True)) for values in drawn]


def wrong(
    weight: Callable = lambda d, p, n: p * math.cos(d) / (p + n),
    error: Callable = lambda d, p, n, w: p - 2 * w * p * math.cos(d) + w * w * (p + n) + n,
    power: Callable = lambda a: a * a / 2,
) -> Callable:
    """Return a `one_value_limit` that departs from the right one in what is given.

    power  the mean square p of a sine of amplitude a
    """

    def answer(step, amplitude, noise):
        p = power(amplitude)
        w = weight(step, p, noise)
        return w, error(step, p, noise, w)

    return answer


EXERCISE = Exercise(
    name="one_value_limit",
    title="what one value cannot tell, derived",
    points=4,
    difficulty=3,
    outputs={"weight": "", "error": ""},
    cases=cases,
    drive=call,
    reference=one_value_limit,
    against="least squares over phases all around the circle",
    tolerance=1e-6,
    mistakes=(
        Mistake(
            "This weight is right for a value without noise. What is seen is larger than the sine "
            "on average: its mean square holds the noise, too.",
            wrong(weight=lambda d, p, n: math.cos(d)),
        ),
        Mistake(
            "The weight divides by the mean square of the sine and twice the noise: only x is "
            "divided by, not y.",
            wrong(weight=lambda d, p, n: p * math.cos(d) / (p + 2 * n)),
        ),
        Mistake(
            "The weight takes the noise for a standard deviation, and squares it. It is a variance "
            "already.",
            wrong(weight=lambda d, p, n: p * math.cos(d) / (p + n * n)),
        ),
        Mistake(
            "The mean square of a sine of amplitude A is taken for A². It is A² / 2: the mean of "
            "sin² is a half.",
            wrong(power=lambda a: a * a),
        ),
        Mistake(
            "The amplitude does not count: this is right for A = 1.",
            wrong(power=lambda a: 0.5),
        ),
        Mistake(
            "A sine of amplitude A has the mean square A² / 2, not A / 2: both factors carry A.",
            wrong(power=lambda a: a / 2),
        ),
        Mistake(
            "The weight has a sine where a cosine belongs: after a step of 0 the value is the "
            "same, and the weight of a value without noise 1.",
            wrong(weight=lambda d, p, n: p * math.sin(d) / (p + n)),
        ),
        Mistake(
            "The weight is 1, which is the naive forecast. Which multiple of x comes nearest to y?",
            wrong(weight=lambda d, p, n: 1.0),
        ),
        Mistake(
            "The weight is upside down: what x and y have in common above, the mean square of x "
            "below.",
            wrong(weight=lambda d, p, n: (p + n) / (p * math.cos(d))),
        ),
        Mistake(
            "The weight only knows the noise, not the step: cos Δ is missing.",
            wrong(weight=lambda d, p, n: p / (p + n)),
        ),
        Mistake(
            "The error leaves out the noise of the value to come, which nobody can forecast.",
            wrong(error=lambda d, p, n, w: p - w * p * math.cos(d)),
        ),
        Mistake(
            "The error counts the noise of the value to come, and not what the noise of the value "
            "seen costs: w x holds it, too.",
            wrong(error=lambda d, p, n, w: p - 2 * w * p * math.cos(d) + w * w * p + n),
        ),
        Mistake(
            "The error is that of a value seen without noise, ½ A² sin² Δ, and the noise to come. "
            "What the noise of the value seen costs is missing.",
            wrong(error=lambda d, p, n, w: p * math.sin(d) ** 2 + n),
        ),
        Mistake(
            "The error adds the noise, w² N and N, to that of a value seen without noise, ½ A² "
            "sin² Δ. But that was the error of another w: with this one the sine itself is missed "
            "by more.",
            wrong(error=lambda d, p, n, w: p * math.sin(d) ** 2 + (1 + w * w) * n),
        ),
        Mistake(
            "The error is that of a value seen without noise, ½ A² sin² Δ: the noise is missing, "
            "before and after.",
            wrong(error=lambda d, p, n, w: p * math.sin(d) ** 2),
        ),
        Mistake(
            "The error is the mean square of what is to come: that of a forecast of 0. So it comes "
            "out, too, where (a - b)² lacks the 2 of its mixed term.",
            wrong(error=lambda d, p, n, w: p + n),
        ),
        Mistake(
            "The error is its root. The mean squared error is asked for.",
            wrong(
                error=lambda d, p, n, w: math.sqrt(
                    abs(p - 2 * w * p * math.cos(d) + w * w * (p + n) + n)
                )
            ),
        ),
        Mistake(
            "Error and weight have changed places: the weight comes first.",
            lambda *given: one_value_limit(*given)[::-1],
        ),
    ),
)
