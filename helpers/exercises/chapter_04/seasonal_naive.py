"""`seasonal_naive`: repeat the last season as often as it takes, section 4.9.

T time steps, S steps in a season, K steps ahead.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case, call_with_numpy
from helpers.exercises.contract import Exercise, Mistake


def seasonal_naive(past, horizon, season):
    """Return the forecasts (K,) that follow past (T,): its last S values in turn, by `np.resize`.

    horizon is K, season is S.
    """
    return np.resize(past[-season:], horizon)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series. Some horizons are longer than a season, one is as long, one season is a step."""
    sizes = [(20, 9, 4), (17, 3, 5), (12, 6, 6), (9, 5, 1), (7, 1, 7)]  # T, K, S
    sizes += [(int(rng.integers(16, 25)), int(rng.integers(8, 15)), S) for S in (3, 5, 7)]
    return [{"past": rng.normal(size=T), "horizon": K, "season": S} for T, K, S in sizes]


def at(index: Callable) -> Callable:
    """Return a `seasonal_naive` that takes past[index(T, k, S)] for each step k = 0 … K - 1."""
    return lambda past, horizon, season: np.array(
        [past[index(len(past), k, season) % len(past)] for k in range(horizon)]
    )


def changed(change: Callable) -> Callable:
    """Return a `seasonal_naive` that returns change(forecast, past, horizon, season)."""
    return lambda past, horizon, season: change(
        seasonal_naive(past, horizon, season), past, horizon, season
    )


def ends_with_the_season(past, horizon, season):
    return past[-season:][:horizon]


def stays_where_the_season_ends(forecast, past, horizon, season):
    return np.where(np.arange(horizon) < season, forecast, past[-1])


def without_a_forecast(value: float) -> Callable:
    """Return a function that puts a number where the last season does not reach."""
    return lambda forecast, past, horizon, season: np.where(
        np.arange(horizon) < season, forecast, value
    )


EXERCISE = Exercise(
    name="seasonal_naive",
    title="as one season ago",
    points=2,
    difficulty=2,
    outputs={"forecast": "k"},
    cases=cases,
    drive=call_with_numpy,
    reference=seasonal_naive,
    against="the last season, repeated by `np.resize`",
    mistakes=(
        Mistake(
            "Every step gets the value of one season before the first. The season goes on: step k "
            "gets the value one season before *it*.",
            at(lambda T, k, S: T - S),
        ),
        Mistake(
            "Where the horizon is longer than a season, there is no forecast any more. Begin the "
            "season anew.",
            ends_with_the_season,
            also=(changed(without_a_forecast(np.nan)), changed(without_a_forecast(0.0))),
        ),
        Mistake(
            "After one season the forecast stays at the last value. Begin the season anew.",
            changed(stays_where_the_season_ends),
        ),
        Mistake(
            "After one season this goes on at the beginning of the series: an index that counts "
            "from the end has come to 0. Begin the last season anew.",
            at(lambda T, k, S: T - S + k if k < S else k - S),
        ),
        Mistake(
            "One step too early: the first forecast is the value before the one a season ago. The "
            "step after the end is T, so one season before it is T - S.",
            at(lambda T, k, S: T - S - 1 + k % S),
        ),
        Mistake(
            "One step too late: the first forecast is one season *after* too little. The step "
            "after the end is T, so one season before it is T - S, not T - S + 1.",
            at(lambda T, k, S: T - S + (k + 1) % S),
            also=(at(lambda T, k, S: T - S + 1 + k % S),),
        ),
        Mistake(
            "This repeats the first season of the series. Take the last.",
            at(lambda T, k, S: k % S),
        ),
        Mistake(
            "This is the naive forecast: the last value. One season ago is `season` steps before.",
            at(lambda T, k, S: T - 1),
        ),
        Mistake(
            "The season runs backwards. The value a season ago comes first.",
            at(lambda T, k, S: T - 1 - k % S),
        ),
        Mistake(
            "These are the last values as they stand, as many as the horizon has steps. Take the "
            "last `season` values, and repeat them.",
            lambda past, horizon, season: np.resize(past[-horizon:], horizon),
            also=(lambda past, horizon, season: np.resize(past[-min(horizon, season) :], horizon),),
        ),
        Mistake(
            "This is two seasons ago. Take the newest value that is known for this place in the "
            "season.",
            at(lambda T, k, S: T - 2 * S + k % S),
        ),
        Mistake(
            "This averages over all seasons of the past. The seasonal naive forecast takes the "
            "last one alone.",
            lambda past, horizon, season: np.array(
                [past[::-1][season - 1 - k % season :: season].mean() for k in range(horizon)]
            ),
        ),
        Mistake(
            "The whole of the last seasons is returned. Cut it to `horizon` steps.",
            lambda past, horizon, season: np.tile(past[-season:], -(-horizon // season) + 1),
            also=(
                lambda past, horizon, season: np.tile(past[-season:], -(-horizon // season)),
                lambda past, horizon, season: past[-season:],
                lambda past, horizon, season: np.tile(past[-season:], horizon),
            ),
        ),
        Mistake(
            "Each value is repeated before the next comes (`np.repeat`). Repeat the season as a "
            "whole: `np.tile`.",
            lambda past, horizon, season: np.repeat(past[-season:], -(-horizon // season))[
                :horizon
            ],
        ),
        Mistake(
            "Only the last step is returned. Return all, (K,).",
            lambda past, horizon, season: seasonal_naive(past, horizon, season)[-1],
            also=(lambda past, horizon, season: seasonal_naive(past, horizon, season)[-1:],),
        ),
    ),
)
