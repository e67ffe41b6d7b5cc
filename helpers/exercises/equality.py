"""When two results count as equal: arrays up to a tolerance, samples by their distribution."""

import math

import numpy as np

FALSE_ALARM = 1e-6  # how often two samples of one distribution may be called different


def equal_arrays(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Return whether two arrays are equal: in shape, and up to tolerance (1 + 10 |expected|)."""
    if got.shape != expected.shape:
        return False
    return np.array_equal(got, expected) or bool(where_equal(got, expected, tolerance).all())


def where_equal(got: np.ndarray, expected: np.ndarray, tolerance: float) -> np.ndarray:
    """Return, for each place of two arrays of the same shape, whether their values are equal."""
    if not (np.issubdtype(got.dtype, np.number) and np.issubdtype(expected.dtype, np.number)):
        return np.asarray(got == expected)
    return np.isclose(got, expected, atol=tolerance, rtol=10 * tolerance, equal_nan=True)


def equal_counts(got: np.ndarray, expected: np.ndarray, tolerance: float) -> bool:
    """Return whether two rows of counts can come from one distribution; scalars must be equal.

    Σ (a - b)² / (a + b) over the categories is bounded like χ² with as many degrees of freedom (the
    bound is Chernoff's). Two samples of the same distribution fail at most once in 1 / FALSE_ALARM.
    """
    if got.shape != expected.shape:
        return False
    if not got.ndim:
        return bool(got == expected)
    if got.dtype.kind not in "iu" or (got < 0).any() or got.sum() != expected.sum():
        return False
    both = got + expected
    n = np.count_nonzero(both)
    distance = float((np.square(got - expected) / np.maximum(both, 1)).sum())
    excess = distance / n - 1 - math.log(distance / n) if distance > n else 0.0
    return math.exp(-0.5 * n * excess) > FALSE_ALARM
