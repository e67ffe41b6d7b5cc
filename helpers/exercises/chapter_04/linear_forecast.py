"""`linear_forecast`: the least-squares fit to all values and a constant, equation 4.4.

n series to forecast, n_train to fit, T time steps.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def linear_forecast(x_train, y_train, x):
    """Return the forecast (n, 1) for x (n, T, 1) in float64, by `torch.linalg.lstsq`.

    x_train (n_train, T, 1) and y_train (n_train, 1) are what the weights are fitted to.
    """
    return with_ones(x) @ fitted_weights(x_train, y_train)


def with_ones(x: torch.Tensor) -> torch.Tensor:
    """Return the series as rows, with a column of ones for the intercept, (n, T + 1) in float64."""
    return torch.cat([x.flatten(1), x.new_ones(len(x), 1)], dim=1).double()


def fitted_weights(x_train: torch.Tensor, y_train: torch.Tensor) -> torch.Tensor:
    """Return the weights (T + 1, 1) that fit best, in float64; the intercept comes last."""
    return torch.linalg.lstsq(with_ones(x_train), y_train.double()).solution


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series with noisy targets and an intercept.

    `x` has another mean and spread than the training series, so that a mix-up of the two shows.
    """
    sizes = [(30, 4, 6), (40, 3, 1), (25, 6, 8)]  # n_train, T, n
    sizes += [(rng.integers(30, 60), *rng.integers(3, 8, size=2)) for _ in range(5)]
    drawn = []
    for n_train, T, n in sizes:
        x_train, x = (3 + normal(rng, k, T, 1) for k in (n_train, n))
        y_train = x_train[:, :, 0] @ normal(rng, T, 1) + 5 + 0.3 * normal(rng, n_train, 1)
        drawn.append({"x_train": x_train, "y_train": y_train, "x": 1 + 2 * x})
    return drawn


def without_intercept(x_train, y_train, x):
    return x.flatten(1) @ torch.linalg.lstsq(x_train.flatten(1), y_train).solution


def intercept_left_out_later(x_train, y_train, x):
    return x.flatten(1).double() @ fitted_weights(x_train, y_train)[:-1]


def prepared(prepare: Callable) -> Callable:
    """Return a `linear_forecast` that prepares both sets of series, each by itself."""
    return lambda x_train, y_train, x: linear_forecast(prepare(x_train), y_train, prepare(x))


def fitted_on(prepare: Callable) -> Callable:
    """Return a `linear_forecast` that prepares the training series alone."""
    return lambda x_train, y_train, x: linear_forecast(prepare(x_train), y_train, x)


def scaled(axis: int, correction: int = 1) -> Callable:
    """Return a function that takes off means along an axis and divides by standard deviations."""

    def scale(x):
        mean, sd = x.mean(axis, keepdim=True), x.std(axis, keepdim=True, correction=correction)
        return (x - mean) / sd

    return scale


def fitted_to(part: Callable) -> Callable:
    """Return a `linear_forecast` whose weights are fitted to the first part(n_train) series."""

    def answer(x_train, y_train, x):
        k = part(len(x_train))
        return linear_forecast(x_train[:k], y_train[:k], x)

    return answer


def on_targets(change: Callable) -> Callable:
    """Return a `linear_forecast` that is fitted to targets changed by change(x_train, y_train)."""
    return lambda x_train, y_train, x: linear_forecast(x_train, change(x_train, y_train), x)


def mean_for_an_intercept(x_train, y_train, x):
    mean = y_train.mean()
    return without_intercept(x_train, y_train - mean, x) + mean


def ones_elsewhere(x_train, y_train, x):
    return with_ones(x).roll(1, dims=1) @ fitted_weights(x_train, y_train)


def ones_elsewhere_in_the_fit(x_train, y_train, x):
    return with_ones(x) @ fitted_weights(x_train, y_train).roll(1, dims=0)


def ridge(penalty: float, on_intercept: bool = True) -> Callable:
    """Return a `linear_forecast` by ridge regression."""

    def answer(x_train, y_train, x):
        A, b = with_ones(x_train), y_train.double()
        shrunk = penalty * torch.eye(A.shape[1], dtype=A.dtype)
        shrunk[-1, -1] *= on_intercept
        return with_ones(x) @ torch.linalg.solve(A.T @ A + shrunk, A.T @ b)

    return answer


EXERCISE = Exercise(
    name="linear_forecast",
    title="the linear forecast, by least squares",
    points=2,
    difficulty=2,
    outputs={"forecast": "n 1"},
    cases=cases,
    drive=call,
    reference=linear_forecast,
    against="`torch.linalg.lstsq` in double precision",
    tolerance=3e-4,
    mistakes=(
        Mistake(
            "There is no intercept: append a column of ones, in the fit and in the forecast.",
            without_intercept,
        ),
        Mistake(
            "The intercept is fitted and then left out of the forecast: append the ones to `x` as "
            "well.",
            intercept_left_out_later,
        ),
        Mistake(
            "One of the weights is the intercept's. Append a column of ones to `x`, too.",
            lambda x_train, y_train, x: x.flatten(1).double() @ fitted_weights(x_train, y_train),
        ),
        Mistake(
            "`x` and its column of ones differ in length. It takes `len(x)` of them.",
            lambda x_train, y_train, x: torch.cat([x[..., 0], torch.ones(len(x_train), 1)], 1),
            also=(
                lambda x_train, y_train, x: torch.cat([torch.ones(len(x_train), 1), x[..., 0]], 1),
            ),
        ),
        Mistake(
            "`torch.linalg.lstsq` returns several things. The weights are its `.solution`.",
            lambda x_train, y_train, x: x[..., 0] @ torch.linalg.lstsq(x_train[..., 0], y_train),
        ),
        Mistake(
            "`x` is centred with its own mean, the training series with theirs. What the weights "
            "meet later must be treated as in the fit, by the training set's mean.",
            prepared(lambda x: x - x.mean(dim=0)),
            also=(
                prepared(lambda x: x - x.mean()),
                prepared(scaled(0)),
                prepared(scaled(0, correction=0)),
            ),
        ),
        Mistake(
            "The training series are centred and `x` is not. What the weights meet later must be "
            "treated as in the fit, by the training set's mean.",
            fitted_on(lambda x: x - x.mean(dim=0)),
            also=(
                fitted_on(lambda x: x - x.mean()),
                fitted_on(scaled(0)),
                fitted_on(lambda x: (x - x.mean()) / x.std()),
            ),
        ),
        Mistake(
            "Each series is scaled by its own mean or standard deviation. Equation 4.3 takes the "
            "values as they are.",
            prepared(lambda x: x / x.std(dim=1, keepdim=True)),
            also=(prepared(lambda x: x - x.mean(dim=1, keepdim=True)), prepared(scaled(1))),
        ),
        Mistake(
            "The mean of the targets was taken off and not put back.",
            on_targets(lambda x_train, y_train: y_train - y_train.mean()),
        ),
        Mistake(
            "This is the change from the last value. Add the last value to it.",
            on_targets(lambda x_train, y_train: y_train - x_train[:, -1]),
        ),
        Mistake(
            "The mean of the targets stands in for the intercept. That is right only where the "
            "series are centred: append a column of ones.",
            mean_for_an_intercept,
        ),
        Mistake(
            "The weights are fitted to a part of the training series only. Use all of them.",
            fitted_to(lambda n_train: n_train // 2),
            also=(
                fitted_to(lambda n_train: (n_train + 1) // 2),
                fitted_to(lambda n_train: int(0.8 * n_train)),
                fitted_to(lambda n_train: n_train - 1),
            ),
        ),
        Mistake(
            "These are the forecasts for the training series. Apply the weights to `x`.",
            lambda x_train, y_train, x: linear_forecast(x_train, y_train, x_train),
        ),
        Mistake(
            "Time runs backwards in `x`, or in the weights, but not in the fit: every weight meets "
            "another step.",
            lambda x_train, y_train, x: linear_forecast(x_train, y_train, x.flip(1)),
        ),
        Mistake(
            "These are the weights. Multiply `x`, with its column of ones, by them.",
            lambda x_train, y_train, x: fitted_weights(x_train, y_train),
        ),
        Mistake(
            "The ones come last in one place and first in the other: the intercept is multiplied "
            "by a value, and every value meets another step's weight.",
            ones_elsewhere,
            also=(ones_elsewhere_in_the_fit,),
        ),
        Mistake(
            "Only the last value is used. All T values are inputs of the linear model.",
            lambda x_train, y_train, x: linear_forecast(x_train[:, -1:], y_train, x[:, -1:]),
        ),
        Mistake(
            "One step of each series is left out. All T values are inputs of the linear model.",
            prepared(lambda x: x[:, 1:]),
            also=(prepared(lambda x: x[:, :-1]),),
        ),
        Mistake(
            "This is the naive forecast. Multiply all values, and the ones, by fitted weights.",
            lambda x_train, y_train, x: x[:, -1],
        ),
        Mistake(
            "This says the mean of the targets, whatever the series.",
            lambda x_train, y_train, x: y_train.mean().expand(len(x), 1),
        ),
        Mistake(
            "The weights are shrunk (ridge). Plain least squares is asked for.",
            ridge(1),
            also=(ridge(1, on_intercept=False), ridge(0.1), ridge(10)),
        ),
        Mistake(
            "The forecast has lost its axis: (n, 1) is asked for, as the targets have.",
            lambda *given: linear_forecast(*given)[:, 0],
        ),
    ),
)
