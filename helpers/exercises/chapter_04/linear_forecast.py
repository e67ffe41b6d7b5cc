"""`linear_forecast`: the least-squares fit to all values and a constant, equation 4.3.

n series to forecast, n_train to fit, T time steps.
"""

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


def centred_by_itself(x_train, y_train, x):
    return linear_forecast(x_train - x_train.mean(dim=0), y_train, x - x.mean(dim=0))


def ones_elsewhere(x_train, y_train, x):
    return with_ones(x).roll(1, dims=1) @ fitted_weights(x_train, y_train)


def ridge(x_train, y_train, x):
    A, b = with_ones(x_train), y_train.double()
    identity = torch.eye(A.shape[1], dtype=A.dtype)
    return with_ones(x) @ torch.linalg.solve(A.T @ A + identity, A.T @ b)


EXERCISE = Exercise(
    name="linear_forecast",
    title="the linear forecast, by least squares",
    points=2,
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
            "`x` is centred with its own mean, the training series with theirs. What the weights "
            "meet later must be treated as in the fit, by the training set's mean.",
            centred_by_itself,
        ),
        Mistake(
            "The mean of the targets was taken off and not put back.",
            lambda x_train, y_train, x: linear_forecast(x_train, y_train, x) - y_train.mean(),
        ),
        Mistake(
            "These are the forecasts for the training series. Apply the weights to `x`.",
            lambda x_train, y_train, x: linear_forecast(x_train, y_train, x_train),
        ),
        Mistake(
            "Time runs backwards in `x` but not in the fit: every weight meets another step.",
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
        ),
        Mistake(
            "Only the last value is used. All T values are inputs of the linear model.",
            lambda x_train, y_train, x: linear_forecast(x_train[:, -1:], y_train, x[:, -1:]),
        ),
        Mistake(
            "The weights are shrunk (ridge). Plain least squares is asked for.",
            ridge,
        ),
        Mistake(
            "The forecast has lost its axis: (n, 1) is asked for, as the targets have.",
            lambda *given: linear_forecast(*given)[:, 0],
        ),
    ),
)
