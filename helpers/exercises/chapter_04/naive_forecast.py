"""`naive_forecast`: repeat the last value of each series, section 4.2.

n series, T time steps.
"""

import numpy as np

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def naive_forecast(x):
    """Return the last value (n, 1) of each series x (n, T, 1), by `torch.Tensor.select`."""
    return x.select(1, -1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series. Where n = T, the last series, `x[-1]`, has the shape of a forecast."""
    sizes = [(4, 6), (1, 5), (5, 5), (3, 2), (2, 60)]  # n, T
    sizes += [tuple(rng.integers(3, 9, size=2)) for _ in range(6)]
    return [{"x": normal(rng, n, T, 1)} for n, T in sizes]


EXERCISE = Exercise(
    name="naive_forecast",
    title="the naive forecast",
    points=1,
    difficulty=1,
    outputs={"forecast": "n 1"},
    cases=cases,
    drive=call,
    reference=naive_forecast,
    against="the last value of each series",
    mistakes=(
        Mistake(
            "This is the last value but one. The naive forecast repeats the last: `x[:, -1]`.",
            lambda x: x[:, -2],
        ),
        Mistake(
            "This is the first value of each series. The newest comes last: `x[:, -1]`.",
            lambda x: x[:, 0],
        ),
        Mistake(
            "This is the second value of each series. The newest comes last: `x[:, -1]`.",
            lambda x: x[:, 1],
        ),
        Mistake(
            "`x[-1]` is the last series, all of it. Time is axis 1: `x[:, -1]`.",
            lambda x: x[-1],
            also=(lambda x: x[-1:],),
        ),
        Mistake(
            "The feature axis is gone. A forecast has the shape (n, 1), as the target has; (n,) "
            "would broadcast against it.",
            lambda x: x[:, -1, 0],
            also=(lambda x: x[:, -1].squeeze(), lambda x: x.squeeze()[:, -1]),
        ),
        Mistake(
            "`squeeze()` takes away every axis of size 1, also that of a batch of one series. Take "
            "`x[:, -1]`, which has the shape (n, 1) already.",
            lambda x: x.squeeze()[..., -1:],
            also=(lambda x: x.squeeze()[:, -1:],),
        ),
        Mistake(
            "(n, 1, 1) has an axis too many: `x[:, -1]` is (n, 1) already.",
            lambda x: x[:, -1:],
        ),
        Mistake(
            "This is the mean of each series. The naive forecast is its last value.",
            lambda x: x.mean(dim=1),
        ),
        Mistake(
            "This continues the last change. That is another forecast; the naive one is the last "
            "value itself.",
            lambda x: 2 * x[:, -1] - x[:, -2],
        ),
        Mistake(
            "This is the last change alone. The naive forecast is the last value itself.",
            lambda x: x[:, -1] - x[:, -2],
        ),
        Mistake(
            "This averages the last few values. The naive forecast is the last one alone.",
            lambda x: x[:, -2:].mean(dim=1),
            also=(lambda x: x[:, -3:].mean(dim=1),),
        ),
        Mistake(
            "This is the largest value of each series, not its newest: `x[:, -1]`.",
            lambda x: x.amax(dim=1),
        ),
        Mistake(
            "The step is fixed at 49. A series may have any length; its last step is `x[:, -1]`.",
            lambda x: x[:, :50][:, -1],
            also=(lambda x: x[:, 49],),
        ),
        Mistake(
            "`len(x)` is the number of series, not of steps. The last step is `x[:, -1]`.",
            lambda x: x[:, len(x) - 1],
        ),
        Mistake(
            "These are the last n numbers of the whole batch, as they come after a `reshape`: "
            "series and steps are mixed. Take `x[:, -1]`.",
            lambda x: x.reshape(-1, 1)[-len(x) :],
        ),
        Mistake(
            "All steps are still there. Time is axis 1, the feature axis 2: take `x[:, -1]`.",
            lambda x: x[:, :, -1],
            also=(lambda x: x,),
        ),
        Mistake(
            "One number comes back for the whole batch. Take the last of each series: `x[:, -1]`.",
            lambda x: x[-1, -1],
            also=(
                lambda x: x[-1, -1, 0],
                lambda x: x[0, -1],
                lambda x: x[0, -1, 0],
                lambda x: x[:, -1].mean(),
            ),
        ),
    ),
)
