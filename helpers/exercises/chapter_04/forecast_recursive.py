"""`forecast_recursive`: many steps from a model of one, by feeding forecasts back, section 4.7.

B series in a batch, T steps in a window.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_with_a_model
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed, normal


def forecast_recursive(model, x, steps):
    """Return the forecasts (B, steps) that follow the windows x (B, T, 1).

    model takes windows (B, T, 1) and returns the next values (B, 1). The windows are cut from the
    series joined with the forecasts, by `torch.Tensor.narrow`.
    """
    T, joined = x.shape[1], x
    with torch.no_grad():
        for step in range(steps):
            y = model(joined.narrow(1, step, T))  # (B, 1)
            joined = torch.cat([joined, y[:, None]], dim=1)  # (B, T + step + 1, 1)
    return joined[:, T:, 0]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw windows. With B = 1, or one step, `squeeze()` drops an axis too many."""
    sizes = [(3, 5, 4), (1, 4, 3), (4, 3, 6), (2, 6, 1)]  # B, T, steps
    sizes += [tuple(rng.integers(2, 7, size=3)) for _ in range(3)]
    return [
        {"x": normal(rng, B, T, 1), "steps": int(steps), "seed": new_seed(rng)}
        for B, T, steps in sizes
    ]


def wrong(
    move=lambda window, y: torch.cat([window[:, 1:], y], dim=1),
    finish=lambda made: torch.cat(made, dim=1),
) -> Callable:
    """Return a `forecast_recursive` that departs from the right one in what is given.

    move    makes the next window of the last one (B, T, 1) and the new value (B, 1, 1)
    finish  makes the result of a list of forecasts (B, 1)
    """

    def answer(model, x, steps):
        made, window = [], x
        with torch.no_grad():
            for _ in range(steps):
                made.append(model(window))
                window = move(window, made[-1][:, None])
        return finish(made)

    return answer


def with_model(change: Callable) -> Callable:
    """Return a `forecast_recursive` that calls change(model) in place of the model."""
    return lambda model, x, steps: forecast_recursive(change(model), x, steps)


def with_forecasts(change: Callable) -> Callable:
    """Return a `forecast_recursive` that returns change(x, forecasts (B, steps))."""
    return lambda model, x, steps: change(x, forecast_recursive(model, x, steps))


def joined(x, made):
    return torch.cat([x, made[..., None]], dim=1)


def asks_the_model_for(name: str) -> Callable:
    """Return a `forecast_recursive` that wants an attribute of the model first."""
    return lambda model, x, steps: getattr(model, name)


def not_beyond_the_window(x, made):
    k = min(x.shape[1], made.shape[1])
    return torch.cat([made[:, :k], torch.zeros_like(made[:, k:])], dim=1)


def begins_with_the_last_known(model, x, steps):
    return torch.cat([x[:, -1], forecast_recursive(model, x, steps - 1)], dim=1)


def overwrites_its_input(model, x, steps):
    made = []
    with torch.no_grad():
        for _ in range(steps):
            made.append(model(x))
            x[:, :-1] = x[:, 1:].clone()
            x[:, -1] = made[-1]
    return torch.cat(made, dim=1)


EXERCISE = Exercise(
    name="forecast_recursive",
    title="a forecast of many steps from a model of one",
    points=3,
    difficulty=2,
    outputs={"forecast": "B steps"},
    cases=cases,
    drive=call_with_a_model,
    reference=forecast_recursive,
    against="the model run on windows cut from the joined series",
    mistakes=(
        Mistake(
            "The forecast is not fed back: every step repeats the first. Append it to the window.",
            wrong(move=lambda window, y: window),
        ),
        Mistake(
            "The window grows: the oldest value stays. The model was trained on windows of T "
            "steps, so drop one for each that you append.",
            wrong(move=lambda window, y: torch.cat([window, y], dim=1)),
        ),
        Mistake(
            "The newest value is dropped instead of the oldest. Time runs along axis 1: keep "
            "`window[:, 1:]`.",
            wrong(move=lambda window, y: torch.cat([window[:, :-1], y], dim=1)),
        ),
        Mistake(
            "The forecast is put in front of the window. It is the newest value: append it.",
            wrong(move=lambda window, y: torch.cat([y, window[:, 1:]], dim=1)),
            also=(wrong(move=lambda window, y: torch.cat([y, window[:, :-1]], dim=1)),),
        ),
        Mistake(
            "The last known value is counted as the first forecast. Begin with what the model "
            "says.",
            begins_with_the_last_known,
        ),
        Mistake(
            "The first forecast is fed back and not returned. Keep each forecast before the window "
            "moves on.",
            lambda model, x, steps: forecast_recursive(model, x, steps + 1)[:, 1:],
            also=(
                with_forecasts(lambda x, made: made[:, 1:]),
                wrong(finish=lambda made: torch.cat(made[1:], dim=1)),
            ),
        ),
        Mistake(
            "The forecast is added to the last value. The model says the next value, not a change.",
            with_model(lambda model: lambda window: window[:, -1] + model(window)),
        ),
        Mistake(
            "The oldest value comes round to the end of the window, and the forecast is not in it.",
            wrong(move=lambda window, y: window.roll(-1, dims=1)),
        ),
        Mistake(
            "From the second step on the model sees the last forecast alone. Append it to the "
            "window, and drop the oldest value.",
            wrong(move=lambda window, y: y),
        ),
        Mistake(
            "Every series is continued with the same number. Append to each its own forecast.",
            wrong(move=lambda window, y: torch.cat([window[:, 1:], y[:1].expand_as(y)], dim=1)),
            also=(
                wrong(
                    move=lambda window, y: torch.cat(
                        [window[:, 1:], y.mean(dim=0).expand_as(y)], dim=1
                    )
                ),
            ),
        ),
        Mistake(
            "The forecast is (B, 1), the window (B, T, 1). Give the forecast an axis for time: "
            "`y.unsqueeze(1)`.",
            wrong(move=lambda window, y: torch.cat([window[:, 1:], y[:, 0]], dim=1)),
        ),
        Mistake(
            "The forecast gets its axis in front of the series, (1, B, 1). Time comes after them: "
            "`y.unsqueeze(1)`.",
            wrong(move=lambda window, y: torch.cat([window[:, 1:], y.transpose(0, 1)], dim=1)),
        ),
        Mistake(
            "`torch.cat` joins along the batch if it is told nothing. Join along time: `dim=1`.",
            wrong(move=lambda window, y: torch.cat([window[:, 1:], y])),
        ),
        Mistake(
            "`window[1:]` drops a series. Time is axis 1: drop the oldest value by "
            "`window[:, 1:]`.",
            wrong(move=lambda window, y: torch.cat([window[1:], y], dim=1)),
        ),
        Mistake(
            "`model` may be any function, which can be called and no more. Leave out `eval()` and "
            "the like.",
            asks_the_model_for("eval"),
            also=tuple(
                asks_the_model_for(name) for name in ("train", "training", "parameters", "to")
            ),
        ),
        Mistake(
            "The forecasts are read from the last window, which holds T at most. Collect them in a "
            "list.",
            with_forecasts(lambda x, made: made[:, -x.shape[1] :]),
            also=(
                with_forecasts(lambda x, made: joined(x, made)[:, -x.shape[1] :]),
                with_forecasts(lambda x, made: joined(x, made)[:, -x.shape[1] :, 0]),
            ),
        ),
        Mistake(
            "The known values are returned as well. Return the forecasts alone, (B, steps).",
            with_forecasts(lambda x, made: joined(x, made)[..., 0]),
            also=(with_forecasts(joined),),
        ),
        Mistake(
            "There are as many forecasts as the window has steps. Make `steps` of them.",
            lambda model, x, steps: forecast_recursive(model, x, x.shape[1]),
        ),
        Mistake(
            "Nothing is forecast beyond the first T steps. Go on with the window that you have.",
            with_forecasts(not_beyond_the_window),
        ),
        Mistake(
            "Only the last forecast is returned. Return all, (B, steps).",
            wrong(finish=lambda made: made[-1]),
        ),
        Mistake(
            "`squeeze()` takes away every axis of size 1, also that of a batch of one series. Name "
            "the axis: `squeeze(-1)`.",
            wrong(finish=lambda made: torch.stack(made, dim=1).squeeze()),
        ),
        Mistake(
            "The result is (B, steps, 1). Drop the feature axis: (B, steps).",
            wrong(finish=lambda made: torch.stack(made, dim=1)),
        ),
        Mistake(
            "The result has the steps first, and then the series. Put the steps side by side: "
            "`torch.cat(..., dim=1)`.",
            with_forecasts(lambda x, made: made.T),
            also=(with_forecasts(lambda x, made: made.T[..., None]),),
        ),
        Mistake(
            "The result has B * steps rows. Put the steps side by side: `torch.cat(..., dim=1)`.",
            wrong(finish=torch.cat),
            also=(wrong(finish=lambda made: torch.cat(made)[:, 0]),),
        ),
        Mistake(
            "The forecasts come in reverse order: the nearest step comes first.",
            wrong(finish=lambda made: torch.cat(made[::-1], dim=1)),
        ),
        Mistake(
            "The model sees only the newest value. Hand it the whole window.",
            lambda model, x, steps: forecast_recursive(model, x[:, -1:], steps),
        ),
        Mistake(
            "Your function changed its argument `x` in place: the caller's series is overwritten "
            "with forecasts. Make a new window in every step.",
            overwrites_its_input,
        ),
    ),
)
