"""Where and how an array departs from the one that was expected, in words.

Used when no known mistake explains an answer: the reader gets the output, the index, the time step
and, where there is one, the simple relation between the two arrays.
"""

from typing import Any

import numpy as np

from helpers.exercises import relations
from helpers.exercises.equality import where_equal

TIME = ("T", "T+1", "steps")


def describe(case: dict[str, Any]) -> str:
    """Return a case in one line: shapes of its arrays, values of everything else.

    What only a driver needs is left out: the seed of weights, the keys of a dict, what a way to
    learn adds.
    """
    shown = {name: value for name, value in case.items() if name not in ("seed", "keys", "added")}
    return "; ".join(f"{name} {_briefly(value)}" for name, value in shown.items())


def _briefly(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.shape}" + ("" if value.any() else " of zeros")
    if isinstance(value, list):
        return ", ".join(map(_briefly, value))
    if isinstance(value, str) and len(value) > 60:
        return f"{value[:50]!r}… of {len(value)} characters"
    if isinstance(value, str) and value.split() != [value]:
        return repr(value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def localise(
    name: str,
    dimensions: str,
    got: np.ndarray,
    expected: np.ndarray,
    tolerance: float,
    pairs: list[relations.Pair],
) -> str:
    """Return where an output first departs from the one expected: shape, or time step and index.

    dimensions  the names of its axes, as in "B T H"; those in TIME are time
    pairs       the same two arrays of every case in which they depart: what is said of how they are
                related holds in each
    """
    axes = dimensions.split()
    relation = relations.in_words(pairs, axes)
    return _localise(name, axes, got, expected, tolerance) + (relation and f" {relation}")


def _localise(
    name: str, axes: list[str], got: np.ndarray, expected: np.ndarray, tolerance: float
) -> str:
    short = expected.size <= 4 and got.size <= 8 and got.ndim == expected.ndim == 1
    if got.shape != expected.shape and not short:
        named = f", that is ({', '.join(axes)})" if axes and len(axes) == expected.ndim else ""
        return f"`{name}` has shape {got.shape}; expected {expected.shape}{named}."
    if short or not axes:
        return f"`{name}` is {_pair(got, expected)}."
    equal = where_equal(got, expected, tolerance)
    if equal.all():  # by a measure of its own the exercise finds them different
        equal = np.asarray(got == expected)
    index = tuple(int(i) for i in np.argwhere(~equal)[0])
    times = [i for i, axis in enumerate(axes) if axis in TIME]
    if times:
        index = _first_in_time(equal, times[0])
    names = ["t" if axis in TIME else axis.lower() for axis in axes]
    at = [f"{axis} = {i}" for axis, i in zip(names, index, strict=True) if not axis.isdigit()]
    return (
        f"`{name}` is wrong{_when(equal, axes)}. "
        f"At {', '.join(at)} it is {_pair(got[index], expected[index])}."
    )


def _pair(got: np.ndarray, expected: np.ndarray) -> str:
    """Return both values, with as many digits as it takes to tell them apart, six at most."""
    for digits in (4, 6):
        mine, right = _values(got, digits), _values(expected, digits)
        if mine != right:
            return f"{mine}; expected {right}"
    apart = f", {_apart(got, expected):.1g} apart" if got.shape == expected.shape else ""
    return f"{mine}; expected {right}{apart}"


def _apart(got: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest difference of two arrays of one shape, as far as there is one."""
    with np.errstate(all="ignore"):
        return float(np.max(np.abs(got.astype(float) - expected.astype(float)), initial=0.0))


def _values(array: np.ndarray, digits: int) -> str:
    if array.ndim:
        return "(" + ", ".join(_values(value, digits) for value in array.reshape(-1)) + ")"
    if (array.dtype.kind in "iu" and abs(int(array)) < 10**6) or array.dtype.kind == "b":
        return str(array)
    return f"{float(array) + 0.0:.{digits}g}"  # -0 is 0


def _first_in_time(equal: np.ndarray, axis: int) -> tuple[int, ...]:
    """Return the first wrong index of the time step at which the trouble starts.

    If an array is wrong up to some step and correct from the next one on, the trouble began at that
    step and went backwards, as gradients do.
    """
    wrong = np.argwhere(~equal)  # (wrong places, axes)
    steps = wrong[:, axis]
    backwards = steps.min() == 0 and steps.max() < equal.shape[axis] - 1
    start = steps.max() if backwards else steps.min()
    return tuple(int(i) for i in wrong[steps == start][0])


def _when(equal: np.ndarray, axes: list[str]) -> str:
    """Return the phrase that says at which time steps: from one on, up to one, or at which ones."""
    if not set(TIME) & set(axes):
        return "" if not equal.any() else f" in {(~equal).sum()} of {equal.size} places"
    others = tuple(i for i, axis in enumerate(axes) if axis not in TIME)
    right = np.asarray(equal.all(axis=others))  # (T,)
    wrong, last = np.flatnonzero(~right), len(right) - 1
    if right.all() or not right.any():
        return " at every time step"
    if right[: wrong[0]].all() and not right[wrong[0] :].any():
        return f": right for t < {wrong[0]}, wrong from t = {wrong[0]} on"
    if not right[: wrong[-1] + 1].any():
        return f": right for t ≥ {wrong[-1] + 1}, wrong from t = {wrong[-1]} backwards"
    shown = ", ".join(str(t) for t in wrong[:6]) + (", …" if len(wrong) > 6 else "")
    return f" at t = {shown} of 0 … {last}"
