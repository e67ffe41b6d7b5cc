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


EXERCISE = Exercise(
    name="make_windows",
    title="cut a series into windows and their targets",
    points=2,
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
            "`x` has time before the windows, (window, n, 1). Batch first: (n, window, 1).",
            wrong(change=lambda x, y: (x.transpose(0, 1), y)),
        ),
    ),
)
