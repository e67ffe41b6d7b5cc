"""Wrong ways to test a pipeline for leaks: what `leaking_origins` knows is made of them.

A change takes values (T,), an origin t and a sign, up or down, and returns other values (T,).
"""

from collections.abc import Callable

import numpy as np

AWAY = 1e3 * np.random.default_rng(1).uniform(1, 2, 64)  # for each place another amount


def moved(values, start, sign):
    """Return values of which each from `start` on is moved by another amount."""
    return np.where(np.arange(len(values)) >= start, values + sign * AWAY[: len(values)], values)


def with_test(
    change: Callable = lambda values, t, sign: moved(values, t + 1, sign),
    differ: Callable = lambda a, b: (np.isnan(a) != np.isnan(b)) | (abs(a - b) > 1e-6),
    read: Callable = lambda forecasts, t: forecasts[t],
    origins: Callable = lambda first, T: range(first, T),
    signs: tuple[int, ...] = (1, -1),
    copied: bool = True,
) -> Callable:
    """Return a `leaking_origins` that departs from the right one in what is given.

    change  makes another series for an origin t; read: what is compared of the forecasts
    copied  whether the pipeline gets an array of its own
    """

    def answer(pipeline, values, first):
        own = np.array if copied else np.asarray

        def depends(t):
            before = read(pipeline(own(values)), t)
            after = [read(pipeline(own(change(values, t, sign))), t) for sign in signs]
            return any(np.any(differ(before, other)) for other in after)

        return [t for t in origins(first, len(values)) if depends(t)]

    return answer


def up_to_the_origin(forecasts, t):
    """Return all forecasts made until t."""
    return np.nan_to_num(forecasts[: t + 1])


def without_gaps(values, t, sign):
    """Return values of which those after t are replaced, the gaps among them."""
    return np.where(np.arange(len(values)) > t, sign * AWAY[: len(values)], values)


def all_at_once(pipeline, values, first):
    """Change everything after `first` once, and compare what was forecast from there on."""
    changed = values.copy()
    changed[first + 1 :] += 1e3
    before, after = pipeline(values.copy()), pipeline(changed)
    return [t for t in range(first, len(values)) if abs(after[t] - before[t]) > 1e-6]


def only_before_the_change(pipeline, values, first):
    """Change the last few values once, and compare all forecasts made before."""
    start = len(values) - 5
    changed = values.copy()
    changed[start:] += 1e3
    before, after = pipeline(values.copy()), pipeline(changed)
    return [t for t in range(first, min(start, len(values))) if abs(after[t] - before[t]) > 1e-6]


def only_the_next(values, t, sign):
    changed = values.copy()
    changed[t + 1 : t + 2] += sign * 1e3
    return changed


def the_next_few(k: int) -> Callable:
    """Return a change of the next k values after an origin."""

    def change(values, t, sign):
        later = moved(values, t + 1, sign)
        return np.append(later[: t + 1 + k], values[t + 1 + k :])

    return change


def cut_off_at_each_origin(pipeline, values, first):
    """Run the pipeline on what is known at each origin, and compare."""
    whole = np.array(pipeline(values.copy()))
    return [
        t
        for t in range(first, len(values))
        if not np.isclose(pipeline(values[: t + 1].copy())[t], whole[t], equal_nan=True)
    ]


def only_the_last(values, t, sign):
    changed = values.copy()
    if t < len(values) - 1:
        changed[-1] += sign * 1e3
    return changed


def from_step(step: int) -> Callable:
    """Return a change of everything from so many steps after an origin on."""
    return lambda values, t, sign: moved(values, t + step, sign)


def as_a_whole(values, t, sign):
    return np.where(np.arange(len(values)) > t, values + sign * 1e3, values)


def with_value(value: float) -> Callable:
    """Return a change that puts one number in place of all that came after an origin."""
    return lambda values, t, sign: np.where(np.arange(len(values)) > t, value, values)


def naive_difference(a, b):
    return np.abs(a - b) > 1e-6  # False wherever one of them is NaN
