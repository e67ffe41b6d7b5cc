"""Pairs of what came out and what was expected, and what is asked of them."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

Along = Callable[[np.ndarray, int], np.ndarray]


class Pair(NamedTuple):
    """What came out, what was expected, and the arguments, in one case."""

    got: np.ndarray
    expected: np.ndarray
    case: dict[str, Any]


def near(got: np.ndarray, expected: np.ndarray, digits: float = 1e-5) -> bool:
    """Return whether two arrays agree in shape and to some digits of the largest number."""
    if got.shape != expected.shape:
        return False
    apart = digits * float(np.max(np.abs(expected), initial=0.0))
    whole = expected.dtype.kind in "iu"
    return np.allclose(got, expected, rtol=0, atol=min(apart, 0.5) if whole else apart)


def comparable(pairs: list[Pair], axes: list[str]) -> bool:
    """Return whether all arrays hold finite numbers, and there are names for all axes."""
    return all(
        {p.got.dtype.kind, p.expected.dtype.kind} <= set("iuf")
        and p.got.size * p.expected.size
        and np.isfinite(p.got).all()
        and np.isfinite(p.expected).all()
        and p.expected.ndim == len(axes)
        for p in pairs
    )


def different(pairs: list[Pair]) -> set[float]:
    """Return all values that were expected."""
    return {value for p in pairs for value in p.expected.ravel().tolist()}


def orders(axes: list[str]) -> Iterator[tuple[int, ...]]:
    """Give all orders of the axes but their own."""
    yield from itertools.islice(itertools.permutations(range(len(axes))), 1, None)


def but_first(array: np.ndarray, axis: int, n: int = 1) -> np.ndarray:
    """Return an array without the first n places along an axis."""
    return np.take(array, range(n, array.shape[axis]), axis)


def but_last(array: np.ndarray, axis: int, n: int = 1) -> np.ndarray:
    """Return an array without the last n places along an axis."""
    return np.take(array, range(array.shape[axis] - n), axis)


def along_axis(axes: list[str], axis: int) -> str:
    """Return the phrase that names an axis, or "" if there is no other."""
    return f" along axis {axes[axis]}" if len(axes) > 1 else ""


def names(axes: list[str], order: Iterable[int] | None = None) -> str:
    """Return the names of all axes, in an order, as in "(T, B, H)"."""
    return "(" + ", ".join(axes if order is None else [axes[i] for i in order]) + ")"


ALONG: dict[str, Along] = {
    "the last": lambda e, axis: np.take(e, -1, axis),
    "the first": lambda e, axis: np.take(e, 0, axis),
    "the mean": lambda e, axis: e.mean(axis),
    "the sum": lambda e, axis: e.sum(axis),
}
