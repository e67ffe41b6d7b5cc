"""Where and how an array departs from the one that was expected, in words.

Used when no known mistake explains an answer: the reader gets the output, the index, the time step
and, where there is one, the simple relation between the two arrays.
"""

from typing import Any

import numpy as np

from helpers.exercises.equality import equal_arrays, where_equal

TIME = ("T", "T+1")


def describe(case: dict[str, Any]) -> str:
    """Return a case in one line: shapes of its arrays, values of everything else.

    What only a driver needs is left out: the seed of weights and the keys of a dict.
    """
    shown = {name: value for name, value in case.items() if name not in ("seed", "keys")}
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
    dimensions: dict[str, str],
    got: dict[str, np.ndarray],
    expected: dict[str, np.ndarray],
    tolerance: float = 1e-5,
) -> str:
    """Return where `got` first departs from `expected`: output, shape or time step and index.

    dimensions: output name -> the names of its axes, as in "B T H"; T and T+1 are time.
    """
    name = next(n for n in dimensions if not equal_arrays(got[n], expected[n], tolerance))
    mine, right = got[name], expected[name]
    axes = dimensions[name].split()
    if right.size <= 4 and mine.size <= 8 and mine.ndim == right.ndim == 1:
        return f"`{name}` is {_pair(mine, right)}.{_relation(mine, right)}"
    if mine.shape != right.shape:
        named = f", that is ({', '.join(axes)})" if axes and len(axes) == right.ndim else ""
        return f"`{name}` has shape {mine.shape}; expected {right.shape}{named}."
    if not axes:
        return f"`{name}` is {_pair(mine, right)}.{_relation(mine, right)}"
    equal = where_equal(mine, right, tolerance)
    index = tuple(int(i) for i in np.argwhere(~equal)[0])
    times = [i for i, axis in enumerate(axes) if axis in TIME]
    if times:
        index = _first_in_time(equal, times[0])
    names = ["t" if axis in TIME else axis.lower() for axis in axes]
    at = [f"{axis} = {i}" for axis, i in zip(names, index, strict=True) if not axis.isdigit()]
    return (
        f"`{name}` is wrong{_when(equal, axes)}. "
        f"At {', '.join(at)} it is {_pair(mine[index], right[index])}.{_relation(mine, right)}"
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
    return f"{float(array):.{digits}g}"


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


def _relation(got: np.ndarray, expected: np.ndarray) -> str:
    """Return a sentence if a factor, a sign, a transposition or a reversal explains all of it."""
    number = np.issubdtype(got.dtype, np.number) and np.isfinite(got).all()
    if got.shape != expected.shape or not number or expected.size < 2:
        return ""
    scale = float((got * expected).sum() / max(float((expected**2).sum()), 1e-300))
    if (
        abs(scale) > 1e-6
        and abs(scale - 1) > 1e-3
        and np.allclose(got, scale * expected, rtol=1e-4, atol=1e-8)
    ):
        return f" It is everywhere {scale:.4g} times what is expected."
    if got.ndim == 2 and got.shape[0] == got.shape[1] and np.allclose(got.T, expected, rtol=1e-4):
        return " It is the transpose of what is expected."
    for axis in range(got.ndim):
        if np.allclose(np.flip(got, axis), expected, rtol=1e-4):
            return f" It is what is expected in reverse order along axis {axis}."
    return ""
