"""`rolling_origin`: forecast from one origin after the other, refitting at each, section 4.9.

T time steps, K steps ahead, m origins.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_rolling_origin
from helpers.exercises.contract import Exercise, Mistake


def rolling_origin(forecaster, values, first, every, horizon):
    """Return the forecasts (m, K) made at each origin, and what came (m, K).

    forecaster(past, horizon) returns (K,) from past (t + 1,), all that is known at the origin t;
    values (T,); origins are first, first + every, … as long as K values come after. Windows of what
    came are by `np.lib.stride_tricks.sliding_window_view`.
    """
    ahead = np.lib.stride_tricks.sliding_window_view(values[first + 1 :], horizon)[::every]
    pasts = (values[: first + 1 + every * i] for i in range(len(ahead)))
    return np.stack([np.asarray(forecaster(past, horizon)) for past in pasts]), ahead.copy()


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series, some of which end just where the last horizon does, or one step before.

    One is much longer than the others, so that no past of a fixed length will do.
    """
    sizes = [(26, 10, 3, 4), (27, 12, 5, 4), (20, 7, 1, 3), (9, 5, 2, 3)]  # T, first, every, K
    sizes += [(24, 9, 2, 1), (25, 9, 7, 5), (250, 60, 40, 2), (int(rng.integers(28, 40)), 11, 4, 6)]
    return [
        {"values": rng.normal(size=T).cumsum() + 9, "first": first, "every": every, "horizon": K}
        for T, first, every, K in sizes
    ]


def wrong(
    past: Callable = lambda values, t, first: values[: t + 1],
    came: Callable = lambda values, t, K: values[t + 1 : t + 1 + K],
    origins: Callable = lambda T, first, every, K: range(first, T - K, every),
    change: Callable = lambda forecasts, truth: (forecasts, truth),
) -> Callable:
    """Return a `rolling_origin` that departs from the right one in what is given.

    change: what is returned, made of the forecasts and what came, a list of (K,) each
    """

    def answer(forecaster, values, first, every, horizon):
        steps = list(origins(len(values), first, every, horizon))
        made = [np.asarray(forecaster(past(values, t, first), horizon)) for t in steps]
        return change(np.stack(made), np.stack([came(values, t, horizon) for t in steps]))

    return answer


def cut_at_the_end(forecaster, values, first, every, horizon):
    made, came = [], []
    for t in range(first, len(values) - 1, every):
        after = values[t + 1 : t + 1 + horizon]
        made.append(np.asarray(forecaster(values[: t + 1], horizon))[: len(after)])
        came.append(after)
    return np.concatenate(made), np.concatenate(came)


def padded_at_the_end(forecaster, values, first, every, horizon):
    longer = np.append(values, np.full(horizon, np.nan))
    starts = range(first, len(values) - 1, every)
    made = [np.asarray(forecaster(values[: t + 1], horizon)) for t in starts]
    return np.stack(made), np.stack([longer[t + 1 : t + 1 + horizon] for t in starts])


def one_step_at_a_time(forecaster, values, first, every, horizon):
    forecasts, came = rolling_origin(forecaster, values, first, every, horizon)
    for i in range(len(forecasts)):
        t = first + every * i
        forecasts[i] = [forecaster(values[: t + 1 + k], horizon)[0] for k in range(horizon)]
    return forecasts, came


SEES_TOO_MUCH = (
    "The forecaster is handed more than is known at the origin: {}. At the origin t it may see "
    "`values[: t + 1]`, which ends with the value at t."
)

EXERCISE = Exercise(
    name="rolling_origin",
    title="a backtest that refits",
    points=3,
    difficulty=2,
    outputs={"forecasts": "origin k", "what came": "origin k"},
    cases=cases,
    drive=call_rolling_origin,
    reference=rolling_origin,
    against="windows by `sliding_window_view`",
    mistakes=(
        Mistake(
            SEES_TOO_MUCH.format("the first of the values that it is to forecast"),
            wrong(past=lambda values, t, first: values[: t + 2]),
        ),
        Mistake(
            SEES_TOO_MUCH.format("the whole series"),
            wrong(past=lambda values, t, first: values),
        ),
        Mistake(
            "The value at the origin itself is held back: it is known. `values[: t + 1]` ends with "
            "it, `values[:t]` before it.",
            wrong(past=lambda values, t, first: values[:t]),
        ),
        Mistake(
            "There is an origin too many at the end: fewer than K values come after it.",
            wrong(origins=lambda T, first, every, K: range(first, T - K + 1, every)),
        ),
        Mistake(
            "The forecaster gets the same past at every origin, that of the first. Hand it all "
            "that is known by then: `values[: t + 1]`.",
            wrong(past=lambda values, t, first: values[: first + 1]),
        ),
        Mistake(
            "The oldest values are dropped as the origin moves on. Hand over all that is known by "
            "then: `values[: t + 1]`.",
            wrong(past=lambda values, t, first: values[t - first : t + 1]),
            also=(wrong(past=lambda values, t, first: values[t - first + 1 : t + 1]),),
        ),
        Mistake(
            "Only the value at the origin is handed over. Hand over all that is known by then: "
            "`values[: t + 1]`.",
            wrong(past=lambda values, t, first: values[t : t + 1]),
        ),
        Mistake(
            "What came begins with the value at the origin itself, which was known. The first step "
            "ahead is t + 1.",
            wrong(came=lambda values, t, K: values[t : t + K]),
        ),
        Mistake(
            "What came begins one step too late: the first step ahead of t is t + 1.",
            wrong(
                came=lambda values, t, K: values[t + 2 : t + 2 + K],
                origins=lambda T, first, every, K: range(first, T - K - 1, every),
            ),
        ),
        Mistake(
            "The last origin is missing. t is one as long as the K values after it are all there: "
            "t + K is at most T - 1.",
            wrong(origins=lambda T, first, every, K: range(first, T - K - 1, every)),
            also=(
                wrong(
                    origins=lambda T, first, every, K: range(first, T - K, every)[:-1] or [first]
                ),
            ),
        ),
        Mistake(
            "At the last origins fewer than K values come, and these are taken as well. Take an "
            "origin only where all K have come.",
            padded_at_the_end,
            also=(cut_at_the_end,),
        ),
        Mistake(
            "The origins follow each other step by step. They are `every` steps apart.",
            wrong(origins=lambda T, first, every, K: range(first, T - K)),
        ),
        Mistake(
            "The origins are a horizon apart. They are `every` steps apart.",
            wrong(origins=lambda T, first, every, K: range(first, T - K, K)),
        ),
        Mistake(
            "The first origin is missing: begin with `first` itself.",
            wrong(
                origins=lambda T, first, every, K: range(first, T - K, every)[1:] or [first + 1],
            ),
        ),
        Mistake(
            "The origins begin with 0. The first is `first`: before it there is too little to fit.",
            wrong(origins=lambda T, first, every, K: range(0, T - K, every)),
        ),
        Mistake(
            "Each step ahead is forecast from its own eve: all are one step ahead. At an origin "
            "call the forecaster once, for all K steps.",
            one_step_at_a_time,
        ),
        Mistake(
            "Only the last of the K steps is kept. Keep all.",
            wrong(change=lambda forecasts, truth: (forecasts[:, -1], truth[:, -1])),
        ),
        Mistake(
            "The results have the steps first, and then the origins. One row for each origin: "
            "(m, K).",
            wrong(change=lambda forecasts, truth: (forecasts.T, truth.T)),
        ),
        Mistake(
            "All origins stand in one row. Make one row for each: `np.stack`.",
            wrong(change=lambda forecasts, truth: (forecasts.ravel(), truth.ravel())),
        ),
        Mistake(
            "Errors are returned, not forecasts. Return the forecasts and what came; whoever asks "
            "makes errors of them.",
            wrong(change=lambda forecasts, truth: (forecasts - truth, truth)),
            also=(wrong(change=lambda forecasts, truth: (truth - forecasts, truth)),),
        ),
        Mistake(
            "Forecasts and what came have changed places: the forecasts come first.",
            wrong(change=lambda forecasts, truth: (truth, forecasts)),
        ),
    ),
)
