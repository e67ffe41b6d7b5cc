"""`mase`: errors in units of what the seasonal naive forecast missed in the past, section 4.2.

T time steps, S steps in a season. Source: R. Hyndman, A. Koehler, Another look at measures of
forecast accuracy, International Journal of Forecasting 22 (2006).
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.contract import Exercise, Mistake


def mase(forecast, target, history, season):
    """Return the mean absolute scaled error, in float64.

    forecast and target have one shape, any; history (..., T) is what sets the scale; season is S.
    """
    missed = np.subtract(forecast, target).ravel()
    past = np.moveaxis(history, -1, 0)  # (T, ...)
    steps = (past[season:] - past[: len(past) - season]).ravel()
    return np.linalg.norm(missed, 1) * steps.size / missed.size / np.linalg.norm(steps, 1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw forecasts, of one series or of several, that miss by a few outliers, and histories.

    A history changes at a rate of its own, rises, and has an odd length.
    """
    sizes = [((4, 3), (31,), 4), ((6,), (23,), 1), ((5, 1), (5, 29), 7), ((1, 1), (1, 15), 3)]
    drawn = []
    for shape, past, S in [*sizes, ((3, 8), (41,), 12)]:
        target = 10 + rng.normal(size=shape).cumsum(axis=-1)
        forecast = target + rng.normal(size=shape) ** 3 + 0.5
        history = 3 * rng.normal(size=past) + 0.4 * np.arange(past[-1]) + 5
        drawn.append({"forecast": forecast, "target": target, "history": history, "season": S})
    return drawn


def wrong(
    missed: Callable = lambda e: np.abs(e).mean(),
    scale: Callable = lambda steps: np.abs(steps).mean(),
    steps: Callable = lambda history, S: history[..., S:] - history[..., :-S],
    ratio: Callable = lambda a, b: a / b,
) -> Callable:
    """Return a `mase` that departs from the right one in what is given.

    missed  of the errors
    scale   of the steps of the history, which steps(history, S) makes
    """

    def answer(forecast, target, history, season):
        return ratio(missed(forecast - target), scale(steps(history, season)))

    return answer


def scaled_by_the_target(forecast, target, history, season):
    past = target.ravel()
    lag = min(season, len(past) - 1)
    return np.abs(forecast - target).mean() / max(
        np.abs(past[lag:] - past[: -lag or None]).mean(), 1e-9
    )


def with_zeros_in_front(history, season):
    steps = np.zeros_like(history)
    steps[..., season:] = history[..., season:] - history[..., :-season]
    return steps


def along_the_series(history, season):
    """Compare each series with another one, `season` rows above, where there is one."""
    return history[season:] - history[:-season] if len(history) > season else history


def scaled_one_by_one(forecast, target, history, season):
    steps = np.abs(history[..., season:] - history[..., :-season]).mean(axis=-1)
    return (np.abs(forecast - target).mean(axis=-1) / steps).mean()


def mean_of(values):
    return np.mean(values)


def mean_square(values):
    return np.square(values).mean()


def root_mean_square(values):
    return np.sqrt(np.square(values).mean())


def median(values):
    return np.median(np.abs(values))


EXERCISE = Exercise(
    name="mase",
    title="the error beside that of the naive forecast",
    points=2,
    difficulty=2,
    outputs={"mase": ""},
    cases=cases,
    drive=call_with_numpy,
    reference=mase,
    against="sums of absolute values by `np.linalg.norm`",
    tolerance=1e-6,
    mistakes=(
        Mistake(
            "The scale is set by steps of 1, whatever the season is. Compare each value with the "
            "one a season before.",
            wrong(steps=lambda history, S: np.diff(history)),
        ),
        Mistake(
            "`np.diff(history, S)` takes differences S times over, of differences. Compare each "
            "value with the one a season before: two slices.",
            wrong(steps=lambda history, S: np.diff(history, S)),
        ),
        Mistake(
            "The scale comes from the targets. It belongs to the past: with `history` it is known "
            "before anything is forecast, and the same for all forecasts.",
            scaled_by_the_target,
        ),
        Mistake(
            "The errors are squared, the scale is not, or both: take absolute values in both.",
            wrong(mean_square, mean_square),
            also=(wrong(mean_square), wrong(scale=mean_square)),
        ),
        Mistake(
            "These are roots of mean squares. Take means of absolute values.",
            wrong(root_mean_square, root_mean_square),
            also=(wrong(root_mean_square), wrong(scale=root_mean_square)),
        ),
        Mistake(
            "The absolute value comes after the mean, so that errors of both signs cancel. First "
            "`abs`, then the mean.",
            wrong(lambda e: abs(e.mean())),
            also=(wrong(mean_of), wrong(mean_of, mean_of), wrong(lambda e: abs(e.mean()), mean_of)),
        ),
        Mistake(
            "In the scale, steps up and down cancel. Take their absolute values, then the mean.",
            wrong(scale=lambda steps: abs(steps.mean())),
            also=(wrong(scale=mean_of),),
        ),
        Mistake(
            "The fraction is upside down: errors of the forecast above, the scale below.",
            wrong(ratio=lambda a, b: b / a),
        ),
        Mistake(
            "The errors are not divided by the scale, so that they have a unit still.",
            wrong(ratio=lambda a, b: a),
        ),
        Mistake(
            "This is the scale alone. Divide the mean absolute error by it.",
            wrong(ratio=lambda a, b: b),
        ),
        Mistake(
            "The history is compared with its mean. Its scale is what the seasonal naive forecast "
            "would have missed: the difference from a season before.",
            wrong(steps=lambda history, S: history - history.mean()),
        ),
        Mistake(
            "The errors are divided by the size of the values. Divide by what the seasonal naive "
            "forecast misses in `history`.",
            wrong(steps=lambda history, S: history),
        ),
        Mistake(
            "The errors are divided by the standard deviation of the history. Divide by the mean "
            "absolute difference from a season before.",
            wrong(steps=lambda history, S: history, scale=lambda h: h.std()),
            also=(wrong(steps=lambda history, S: history, scale=lambda h: h.std(ddof=1)),),
        ),
        Mistake(
            "The history is compared with a season before and wraps around: its first values are "
            "held against its last (`np.roll`). Leave the first season out.",
            wrong(steps=lambda history, S: history - np.roll(history, S, axis=-1)),
        ),
        Mistake(
            "The scale is divided by the length of the history. Only T - S values have one a "
            "season before.",
            wrong(steps=with_zeros_in_front),
        ),
        Mistake(
            "These are medians of absolute values. Take means.",
            wrong(median, median),
            also=(wrong(median), wrong(scale=median)),
        ),
        Mistake(
            "The errors are summed up, the scale is a mean. Take the mean of both.",
            wrong(lambda e: np.abs(e).sum()),
            also=(wrong(lambda e: np.abs(e).sum(), lambda steps: np.abs(steps).sum()),),
        ),
        Mistake(
            "Each series is scaled by a history of its own, and then the mean is taken. Take both "
            "means over all series, and divide them.",
            scaled_one_by_one,
        ),
        Mistake(
            "`history` may hold several series, (n, T): then its first axis is not time. Take "
            "`history[..., season:]`.",
            wrong(steps=along_the_series),
            also=(wrong(steps=lambda history, S: history[S:] - history[:-S]),),
        ),
        Mistake(
            "There is one number for each row. Take the mean over all errors.",
            wrong(lambda e: np.abs(np.atleast_2d(e)).mean(axis=-1)),
        ),
    ),
)
