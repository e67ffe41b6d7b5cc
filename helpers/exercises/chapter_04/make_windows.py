"""`make_windows`: cut a series into windows, each with the value after it, section 4.6.

T time steps, W steps in a window, n = T - W windows.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_make_windows
from helpers.exercises.contract import Exercise, Mistake


def make_windows(series, window):
    """Return x (n, W, 1) and y (n, 1) in float32, by `torch.Tensor.unfold`.

    series (T,), of any dtype; window is W.
    """
    rows = torch.as_tensor(series).float().unfold(0, window + 1, 1)  # (n, W + 1)
    return rows[:, :-1].unsqueeze(-1), rows[:, -1:]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series in float64, as NumPy has them; one is just long enough for one window."""
    sizes = [(9, 3), (6, 1), (5, 4)] + [(int(rng.integers(10, 20)), W) for W in range(2, 6)]  # T, W
    return [{"series": rng.normal(size=T), "window": W} for T, W in sizes]


def wrong(
    starts=lambda n, window: range(n),
    target=lambda start, window: start + window,
    change=lambda x, y: (x, y),
) -> Callable:
    """Return a `make_windows` that departs from the right one in what is given.

    change: what is returned, made of the windows x (n, W, 1) and the targets y (n, 1)
    """

    def answer(series, window):
        numbers = torch.as_tensor(series).float()
        chosen = starts(len(numbers) - window, window)
        x = torch.stack([numbers[i : i + window] for i in chosen])  # (n, W)
        y = torch.stack([numbers[target(i, window)] for i in chosen])  # (n,)
        return change(x[..., None], y[:, None])

    return answer


def of_another(change: Callable) -> Callable:
    """Return a `make_windows` that cuts change(series, window), another series."""
    return lambda series, window: make_windows(change(series, window), window)


def one_start_too_many(convert: Callable) -> Callable:
    """Return a `make_windows` that looks for a target behind the end of convert(series)."""

    def answer(series, window):
        numbers = convert(series)
        return None, [numbers[i + window] for i in range(len(numbers) - window + 1)]

    return answer


def every_start(target: Callable) -> Callable:
    """Return a `make_windows` that starts a window at every value."""

    def answer(series, window):
        numbers, starts = torch.as_tensor(series).float(), range(len(series))
        x = torch.stack([numbers[i : i + window] for i in starts])
        return x, torch.stack([target(numbers, i + window) for i in starts])

    return answer


def window_without_target(series, window):
    x = torch.as_tensor(series).float().unfold(0, window, 1)
    return x[..., None], make_windows(series, window)[1]


EXERCISE = Exercise(
    name="make_windows",
    title="cut a series into windows and their targets",
    points=2,
    difficulty=2,
    outputs={"x": "n window 1", "y": "n 1", "bits per number": "array"},
    cases=cases,
    drive=call_make_windows,
    reference=make_windows,
    against="slices taken by `torch.Tensor.unfold`",
    mistakes=(
        Mistake(
            "The target is the window's own last value: whoever has the window has the answer. The "
            "target of window i is `series[i + window]`.",
            wrong(target=lambda start, window: start + window - 1),
        ),
        Mistake(
            "The target lies two steps behind the window. That of window i is "
            "`series[i + window]`.",
            wrong(
                starts=lambda n, window: range(n - 1),
                target=lambda start, window: start + window + 1,
            ),
        ),
        Mistake(
            "The target is the first value of its own window. That of window i is the value after "
            "it, `series[i + window]`.",
            wrong(target=lambda start, window: start),
        ),
        Mistake(
            "The target of window i is `series[i + 1]` here, which a window of two steps or more "
            "holds. Take `series[i + window]`.",
            wrong(target=lambda start, window: start + 1),
        ),
        Mistake(
            "`y` holds a target for every step of the window. Only the value after the window is "
            "asked for: (n, 1).",
            wrong(change=lambda x, y: (x, torch.cat([x[:, 1:], y[:, None]], dim=1))),
            also=(wrong(change=lambda x, y: (x, torch.cat([x[:, 1:, 0], y], dim=1))),),
        ),
        Mistake(
            "The two results are swapped. Return the windows first, then the targets.",
            wrong(change=lambda x, y: (y, x)),
        ),
        Mistake(
            "Both results are the same. Return the windows first, then the targets.",
            wrong(change=lambda x, y: (x, x)),
            also=(wrong(change=lambda x, y: (y, y)),),
        ),
        Mistake(
            "There is not one target for each window: each window has the value after it.",
            wrong(change=lambda x, y: (x, y[:-1])),
            also=(
                wrong(change=lambda x, y: (x, y[1:])),
                wrong(change=lambda x, y: (x, torch.cat([x[:1, -1], y]))),
                wrong(change=lambda x, y: (x[:-1], y)),
                wrong(change=lambda x, y: (x[1:], y)),
            ),
        ),
        Mistake(
            "Window i begins at i + 1 here, and holds its own target. It begins at i.",
            wrong(change=lambda x, y: (torch.cat([x[:, 1:], y[:, None]], dim=1), y)),
        ),
        Mistake(
            "The last windows are too short to be stacked with the others. There are "
            "`len(series) - window` windows that have all their values and a target.",
            every_start(lambda numbers, i: numbers[i]),
            also=(every_start(lambda numbers, i: numbers[i : i + 1]),),
        ),
        Mistake(
            "`x` has a window too many: the last one has no target. There are "
            "`len(series) - window`.",
            window_without_target,
        ),
        Mistake(
            "An index goes beyond the end of the series. There are `len(series) - window` windows, "
            "and the target of window i is `series[i + window]`.",
            one_start_too_many(np.asarray),
            also=(one_start_too_many(torch.as_tensor), one_start_too_many(list)),
        ),
        Mistake(
            "The series is taken for a circle, where behind its end it begins anew. Leave out the "
            "windows that have no value after them.",
            of_another(lambda series, window: np.append(series, series[:window])),
        ),
        Mistake(
            "The last window is lost: there are `len(series) - window` of them.",
            wrong(starts=lambda n, window: range(n - 1)),
        ),
        Mistake(
            "The first window is lost: windows start at 0.",
            wrong(starts=lambda n, window: range(1, n)),
        ),
        Mistake(
            "The windows hold their target as well: one value too many.",
            wrong(change=lambda x, y: (torch.cat([x, y[:, None]], dim=1), y)),
        ),
        Mistake(
            "The numbers are float64, as NumPy makes them; the weights of a network are float32, "
            "and the two do not mix. Convert with `.float()`.",
            wrong(change=lambda x, y: (x.double(), y.double())),
        ),
        Mistake(
            "`y` is still float64, and `x` is not. Convert both with `.float()`, or the series.",
            wrong(change=lambda x, y: (x, y.double())),
        ),
        Mistake(
            "`x` is still float64, and `y` is not. Convert both with `.float()`, or the series.",
            wrong(change=lambda x, y: (x.double(), y)),
        ),
        Mistake(
            "The numbers have been float16, which keeps three digits. Convert with `.float()`, "
            "which is float32.",
            of_another(lambda series, window: np.float16(series)),
            also=(wrong(change=lambda x, y: (x.half(), y.half())),),
        ),
        Mistake(
            "The series is scaled before it is cut. Leave its values as they are.",
            of_another(lambda series, window: (series - series.mean()) / series.std()),
            also=(
                of_another(lambda series, window: (series - series.mean()) / series.std(ddof=1)),
                of_another(lambda series, window: (series - series.min()) / np.ptp(series)),
            ),
        ),
        Mistake(
            "Something is taken off each window, its mean or its last value. Leave the values as "
            "they are.",
            wrong(change=lambda x, y: (x - x.mean(1, keepdim=True), y - x.mean(1))),
            also=(
                wrong(change=lambda x, y: (x - x.mean(1, keepdim=True), y)),
                wrong(change=lambda x, y: (x - x[:, -1:], y - x[:, -1])),
                wrong(change=lambda x, y: (x - x[:, -1:], y)),
            ),
        ),
        Mistake(
            "The feature axis is missing: a network takes (n, window, 1). Add it with "
            "`unsqueeze(-1)` or `[..., None]`.",
            wrong(change=lambda x, y: (x[..., 0], y)),
        ),
        Mistake(
            "The targets have the shape (n,). Give them (n, 1), that of a prediction.",
            wrong(change=lambda x, y: (x, y[:, 0])),
        ),
        Mistake(
            "The feature axis is missing from `x` and the last axis from `y`: (n, window, 1) and "
            "(n, 1).",
            wrong(change=lambda x, y: (x[..., 0], y[:, 0])),
        ),
        Mistake(
            "`y` has an axis too many: (n, 1) is asked for.",
            wrong(change=lambda x, y: (x, y[..., None])),
        ),
        Mistake(
            "The windows do not overlap here. Start one at every step of the series.",
            wrong(starts=lambda n, window: range(0, n, window)),
        ),
        Mistake(
            "Time runs backwards in the windows: the oldest value comes first.",
            wrong(change=lambda x, y: (x.flip(1), y)),
        ),
        Mistake(
            "`x` has its feature axis in the middle, (n, 1, window). It comes last: "
            "`unsqueeze(-1)`.",
            wrong(change=lambda x, y: (x.transpose(1, 2), y)),
        ),
        Mistake(
            "`x` has time before the windows, (window, n, 1). Batch first: (n, window, 1).",
            wrong(change=lambda x, y: (x.transpose(0, 1), y)),
        ),
    ),
)
