"""`build_forecaster`: learn to forecast series of a kind that is drawn at each check, section 4.10.

n series, T time steps. The data have no name that an answer could go by: a thousand series are
handed over, and others of the same kind are forecast. What these would be without noise stays here.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers import data, waves
from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_forecaster
from helpers.exercises.bands import Bands
from helpers.exercises.chapter_04.linear_forecast import linear_forecast
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import new_seed

SERIES, FRESH = 1000, 500
FLAWS = (
    "",
    "This returns a forecast for every step. Return the last, (n, 1).",
    "The forecast has not the shape (n, 1).",
    "With a single series the forecast loses an axis: (1, 1) is asked for. `squeeze()`?",
    "Some forecasts are NaN or infinite. Did the training diverge?",
)
BANDS = Bands(
    to_pass=0.25,  # of what least squares misses beyond the noise; measured in the benchmark
    poor="naive",
    parts={
        "no better than the naive forecast": (np.inf, 0.0),
        "better than the naive forecast, not than least squares": (np.inf, 0.25),
        "better than least squares": (0.97, 0.5),
        "half of the way from least squares to the noise": (0.5, 0.75),
    },
    flaws=FLAWS,
    found="Of the error that least squares has beyond the noise, {left} is left on "
    f"{FRESH} fresh series: {{band}}. {{bar}} passes.",
)
# The least and largest frequency of any kind, and how many are tried at first: see helpers/waves.
GRID = ((8.0, 24.0, 49), (16.0, 48.0, 65))


class Fixed(nn.Module):
    """A forecaster that has learned nothing, or elsewhere: a rule on the series x (n, T, 1)."""

    def __init__(self, rule: Callable):
        super().__init__()
        self.rule = rule

    def forward(self, x):
        return self.rule(x)


def bent(frequencies: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return sine and cosine at two frequencies (..., 2), and at three times the first."""
    return np.concatenate(
        [waves.sines(frequencies, t), waves.sines(3 * frequencies[..., :1], t)], axis=-1
    )


def fit_of_the_bent_form(x: torch.Tensor) -> torch.Tensor:
    """Return the next value (n, 1) of series x (n, T, 1), by whoever knows the form."""
    t = np.arange(x.shape[1] + 1) / 50
    return torch.from_numpy(waves.continued(x[..., 0].double().numpy(), t, bent, GRID)).float()


def build_forecaster(series):
    """Return a model from series (n, T, 1) to the next value (n, 1): a fit of the true form."""
    return Fixed(fit_of_the_bent_form)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw a kind, a thousand series of it to learn from, and others to forecast."""
    kind = new_seed(rng)
    series, _ = data.bent_waves(SERIES, 51, kind=kind, seed=new_seed(rng))
    fresh, clean = data.bent_waves(FRESH, 51, kind=kind, seed=new_seed(rng))
    return [
        {
            "series": series.numpy(),
            "x": fresh[:, :50].numpy(),
            "without noise": clean[:, 50].numpy(),
        }
    ]


def measured(case: Case, returned: Arrays) -> Arrays:
    """Return what a forecast leaves of the error that least squares has beyond the noise.

    So does the naive one, for comparison; and the number of a flaw that leaves nothing to compare.
    """
    forecast, clean = returned["forecast"], case["without noise"]

    def beyond(said) -> float:
        return float(np.square(np.asarray(said, dtype=float) - clean).mean())

    series, x = torch.from_numpy(case["series"]), torch.from_numpy(case["x"])
    linear = beyond(linear_forecast(series[:, :-1], series[:, -1], x))
    flaw = flaw_of(forecast, clean, returned["shape of one forecast"])
    left = np.inf if flaw else beyond(forecast) / linear
    return {
        "left": np.array(left),
        "naive": np.array(beyond(case["x"][:, -1]) / linear),
        "flaw": np.array(flaw),
    }


def flaw_of(forecast: np.ndarray, clean: np.ndarray, shape_of_one: np.ndarray) -> int:
    """Return the number of what makes a forecast incomparable, in FLAWS; 0 for nothing."""
    if forecast.ndim == 3 and forecast.shape[1] > 1:
        return 1
    if forecast.shape != clean.shape:
        return 2
    if len(shape_of_one) != 2:
        return 3
    return 0 if np.isfinite(forecast).all() else 4


def wrong(rule: Callable) -> Callable:
    """Return a `build_forecaster` whose model is a rule on the series."""
    return lambda series: Fixed(rule)


def by_least_squares(series):
    return Fixed(lambda x: linear_forecast(series[:, :-1], series[:, -1], x).float())


EXERCISE = Exercise(
    name="build_forecaster",
    title="a forecaster of your own",
    points=5,
    difficulty=3,
    outputs={"left": "", "naive": "", "flaw": ""},
    cases=cases,
    kept=("without noise",),
    drive=call_forecaster,
    returned=("forecast", "shape of one forecast"),
    measure=measured,
    reference=build_forecaster,
    against=f"the series without their noise, at most {BANDS.to_pass} of what least squares misses",
    tolerance=0.01,
    **BANDS.judging,
    by_hand=frozenset({"two_sine_forecast", "continued"}),
    mistakes=(
        Mistake(
            "This is the naive forecast, or nearly.",
            wrong(lambda x: x[:, -1]),
        ),
        Mistake(
            "This is the linear forecast, or nearly.",
            by_least_squares,
        ),
        Mistake(
            "This forecasts the mean of all series, whatever it sees. Was it trained with a loss "
            "that broadcasts (section 4.3)?",
            wrong(lambda x: 0 * x[:, -1]),
        ),
        Mistake(
            FLAWS[1],
            wrong(lambda x: x),
        ),
        Mistake(
            "The forecast has lost its axis: (n, 1) is asked for.",
            wrong(lambda x: x[:, -1, 0]),
        ),
        Mistake(
            FLAWS[3],
            wrong(lambda x: x.squeeze()[..., -1:]),
        ),
        Mistake(
            "This is the change from the last value. Add the last value to it.",
            wrong(lambda x: fit_of_the_bent_form(x) - x[:, -1]),
        ),
    ),
)
