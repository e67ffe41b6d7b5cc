"""Forecasts by whoever knows the form of a series: waves, fitted to each series by least squares.

With the frequencies given a sum of waves is linear in its sines and cosines, so that only the
frequencies are searched for: on a grid, then on finer ones around its best point.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers import data

FINER = 5, 5  # points of each finer grid, for each frequency
OVERLAP = 1.2  # a finer grid spans a fifth more than a cell, so that a best point on its edge is in
# `generate_time_series` draws the frequencies of its waves uniformly from (10, 20) and (20, 40).
# Between two points of the first grid the angle at the end of a series, time 1, differs by 1/3 and
# 1/2: near enough to the best for its peak to be the one that is found.
TWO_SINES = ((10.0, 20.0, 31), (20.0, 40.0, 41))


def two_sine_forecast(
    x: torch.Tensor, *, steps: int = 1, step: float | None = None
) -> torch.Tensor:
    """Return the next values (n, steps) of series like `generate_time_series`', x (n, T, 1).

    This one knows the formula: for each series it fits the frequencies, phases and amplitudes of
    two sines by least squares, and continues them. What it misses beyond `data.NOISE_FLOOR` is what
    T noisy values do not tell.

    step: of time from one value to the next; by default 1 / T, that of `generate_time_series` with
    one step more than x.

    Raises TypeError and ValueError as `data.checked` does.
    """
    series = data.checked(x, "x", ("n", "T", 1), least=8)[..., 0]  # (n, T)
    t = np.arange(series.shape[1] + steps) * (step or 1 / series.shape[1])  # (T + steps,)
    return torch.from_numpy(continued(series, t, sines, TWO_SINES)).float()


def sines(frequencies: np.ndarray, t: np.ndarray) -> np.ndarray:
    """Return sine and cosine at frequencies (..., F) and times t (T,): (..., T, 2 F)."""
    angles = frequencies[..., None, :] * t[:, None]  # (..., T, F)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=-1)


def continued(
    series: np.ndarray, t: np.ndarray, columns: Callable, grid: tuple[tuple, ...]
) -> np.ndarray:
    """Return how the series (n, T) go on, at the times of t (T + K,) that are left: (n, K).

    columns  (frequencies (..., F), t) -> (..., T, C), whose weighted sum is fitted
    grid     for each frequency the least, the largest, and how many are tried at first
    """
    T = series.shape[1]
    fitted = columns(best_frequencies(series, t[:T], columns, grid), t)  # (n, T + K, C)
    basis, upper = np.linalg.qr(fitted[:, :T])  # (n, T, C), (n, C, C)
    weights = np.linalg.solve(upper, np.einsum("ntj,nt->nj", basis, series)[..., None])
    return (fitted[:, T:] @ weights)[..., 0]


def best_frequencies(
    series: np.ndarray, t: np.ndarray, columns: Callable, grid: tuple[tuple, ...]
) -> np.ndarray:
    """Return the frequencies (n, F) whose waves explain most of each series (n, T)."""
    lowest, highest, first = (np.array(part) for part in zip(*grid, strict=True))
    best, width = (lowest + highest)[None] / 2, highest - lowest  # (1, F), (F,)
    for points in (first, *(np.full_like(first, k) for k in FINER)):
        offsets = np.meshgrid(*(np.linspace(-0.5, 0.5, k) for k in points))
        moves = np.stack(offsets, axis=-1).reshape(-1, len(grid))  # (k, F)
        tried = best[:, None] + width * moves  # (n or 1, k, F)
        basis, _ = np.linalg.qr(columns(tried, t))  # (n or 1, k, T, C), columns orthonormal
        explained = np.square(projected(series, basis)).sum(axis=-1)  # (n, k)
        tried = np.broadcast_to(tried, (len(series), *tried.shape[1:]))  # (n, k, F)
        best = tried[np.arange(len(series)), explained.argmax(axis=1)]  # (n, F)
        width = OVERLAP * width / (points - 1)
    return best


def projected(series: np.ndarray, basis: np.ndarray) -> np.ndarray:
    """Return the coordinates (n, k, C) of series (n, T) in each of k bases (n or 1, k, T, C)."""
    if len(basis) > 1:
        return (series[:, None, None] @ basis)[:, :, 0]
    _, k, T, C = basis.shape
    return (series @ basis[0].transpose(1, 0, 2).reshape(T, k * C)).reshape(-1, k, C)
