"""Small forecasting pipelines on which a test for leaks is tried, chapter 4.

A pipeline takes a series, values (T,), in which NaN is a gap, and `first`, the end of what it may
be trained on. It returns forecasts (T,): at place t what was forecast at the origin t for t + 1,
NaN where nothing was forecast. Which of them look ahead is not said here.
"""

from collections.abc import Callable

import numpy as np

WINDOW = 3
RIDGE = 0.5  # without it least squares would make good for any scale
STEPS_BETWEEN_FITS = 4


def _carried(values: np.ndarray) -> np.ndarray:
    """Return values whose gaps hold the last one known, 0 at the start."""
    known = np.maximum.accumulate(np.where(np.isnan(values), -1, np.arange(len(values))))
    return np.where(known < 0, 0.0, values[known])


def _backward(values: np.ndarray) -> np.ndarray:
    """Return values whose gaps hold the next one known, or else the last."""
    return _carried(np.where(np.isnan(values), _carried(values[::-1])[::-1], values))


def _on_a_line(values: np.ndarray) -> np.ndarray:
    """Return values whose gaps lie on a line between their neighbours, NaN where one is missing."""
    known = np.flatnonzero(~np.isnan(values))
    return np.interp(np.arange(len(values)), known, values[known], left=0.0, right=np.nan)


def _from_origin(first: int, forecasts: np.ndarray) -> np.ndarray:
    """Return forecasts (T,), NaN before the origin `first`."""
    return np.where(np.arange(len(forecasts)) < first, np.nan, forecasts)


def _windows(values: np.ndarray) -> np.ndarray:
    """Return at place t the WINDOW values up to t, (T, WINDOW), 0 before the start."""
    return _around(np.append(np.zeros(WINDOW - 1), values), WINDOW)


def _around(padded: np.ndarray, width: int) -> np.ndarray:
    """Return all windows of so many values, (T, width)."""
    places = np.arange(len(padded) - width + 1)[:, None] + np.arange(width)
    return padded[places]  # several times as fast as a sliding view, on series as short as these


def _fitted(values: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Return the ridge weights (WINDOW,) of the value after each origin."""
    seen = _windows(values)[origins]
    return np.linalg.solve(
        seen.T @ seen + RIDGE * np.eye(WINDOW),
        seen.T @ values[np.minimum(origins + 1, len(values) - 1)],
    )


def _autoregression(
    values: np.ndarray, first: int, origins: np.ndarray | None = None
) -> np.ndarray:
    """Forecast by weights that were fitted at `origins`, by default those that end before first."""
    filled = _carried(values)
    trained = np.arange(WINDOW, first) if origins is None else origins
    return _from_origin(first, _windows(filled) @ _fitted(filled, trained))


def _last_value(values, first):
    """Repeat the last known value."""
    return _from_origin(first, _carried(values))


def _refitted_to(some_of: Callable) -> Callable:
    """Return an autoregression that is fitted anew every few origins, to some_of(past origins)."""

    def pipeline(values, first):
        filled = _carried(values)
        seen, forecasts = _windows(filled), np.full(len(filled), np.nan)
        for start in range(first, len(filled), STEPS_BETWEEN_FITS):
            weights = _fitted(filled, some_of(np.arange(WINDOW, start)))
            part = slice(start, start + STEPS_BETWEEN_FITS - 1)  # at every fourth nothing is said
            forecasts[part] = seen[part] @ weights
        return forecasts

    return pipeline


def _drawn_by_a_seed(origins: np.ndarray) -> np.ndarray:
    """Return two thirds of the origins in another order, always the same."""
    return np.random.default_rng(0).permutation(origins)[: len(origins) * 2 // 3]


def _smoothed_in_frequency(values, first):
    """Smooth exponentially, all at once: what comes later changes the last digits."""
    filled = _carried(values)
    kernel = 0.3 * 0.7 ** np.arange(len(filled))
    n = 2 * len(filled)
    smooth = np.fft.irfft(np.fft.rfft(filled, n) * np.fft.rfft(kernel, n), n)
    return _from_origin(first, smooth[: len(filled)])


def _fills_its_argument(values, first):
    """Fill the gaps of the very array that was given, and repeat its values."""
    values[:] = _carried(values)
    return _from_origin(first, values)


def _scaled(values, first):
    """Return an autoregression of values less the mean of all, over the sd of all."""
    filled = _carried(values)
    mean, sd = filled.mean(), filled.std()
    return mean + sd * _autoregression((filled - mean) / sd, first)


def _seasonal(part: Callable, known: Callable = _carried) -> Callable:
    """Return a pipeline that adds what part(values, first) says of the season, of four steps."""

    def pipeline(values, first):
        filled = known(values)
        chosen, places = part(filled, first), np.arange(len(filled)) % 4
        of = np.array([chosen[place::4].mean() for place in range(4)])
        return _from_origin(first, filled - of[places] + of[(places + 1) % 4])

    return pipeline


def _mean_around(before: int, after: int, known: Callable = _carried) -> Callable:
    """Return a pipeline that says the mean from so many steps before an origin to after it."""

    def pipeline(values, first):
        filled = known(values)
        padded = np.concatenate([before * [filled[0]], filled, after * [filled[-1]]])
        return _from_origin(first, _around(padded, before + after + 1).mean(axis=1))

    return pipeline


def _split_at_random(values, first):
    """Fit to two thirds of all origins."""
    return _autoregression(values, first, _drawn_by_a_seed(np.arange(WINDOW, len(values) - 1)))


def _windows_over_the_split(values, first):
    """Fit to every window that begins in the training part, wherever its target lies."""
    last = min(first + WINDOW, len(values) - 1)
    return _autoregression(values, first, np.arange(WINDOW, last))


def _towards(extreme: Callable) -> Callable:
    """Return a pipeline that repeats the last value, drawn a little to extreme(values)."""
    return lambda values, first: _from_origin(first, 0.9 * _carried(values) + 0.1 * extreme(values))


def _by_the_gaps(values, first):
    """Repeat the last value, less the share of gaps in the whole series, which is known."""
    return _from_origin(first, _carried(values) - np.isnan(values).mean())


def _ahead_at_first(values, first):
    """Say the very last value at the first two origins, and the last known one from then on."""
    filled = _carried(values)
    early = np.arange(len(values)) < first + 2
    return _from_origin(first, np.where(early, filled[-1], filled))


def _the_very_last(values):
    """Return the last value of all."""
    return values[-1]


def _the_training_part(values, first):
    """Return what may be known before the first origin."""
    return values[: first + 1]


def _all_of_it(values, first):
    """Return all values."""
    return values


def _the_last_year(values, first):
    """Return the last year of four places that is complete."""
    return values[-(len(values) % 4 + 4) :][:4]


PIPELINES: tuple[Callable[[np.ndarray, int], np.ndarray], ...] = (
    _last_value,
    _autoregression,
    _refitted_to(np.asarray),
    _refitted_to(_drawn_by_a_seed),
    _smoothed_in_frequency,
    _fills_its_argument,
    _seasonal(_the_training_part),
    _mean_around(4, 0),
    _by_the_gaps,
    lambda values, first: _from_origin(first, _on_a_line(values)),
    lambda values, first: _from_origin(first, _backward(values)),
    _scaled,
    _seasonal(_all_of_it, _on_a_line),
    _mean_around(2, 1, _on_a_line),
    _mean_around(2, 2, _on_a_line),
    _split_at_random,
    _windows_over_the_split,
    _seasonal(_the_last_year, _on_a_line),
    _ahead_at_first,
    _towards(_the_very_last),
    _towards(np.nanmax),
    _towards(np.nanmin),
)
