"""Simple relations between what came out and what was expected, in words.

Some slips look alike in every exercise: an axis squeezed away, two axes exchanged, a sum in place
of a mean, one step too many. Each is told of all the cases in which an answer departs, and only if
it holds in each of them.
"""

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

FLOAT32 = "These are float32, whose 7 digits are too few here: compute in float64."
FIVE_DIGITS = "It agrees to about five digits: is something rounded on the way, or in float32?"
NAN = (
    "Where does the first nan come from: a division by 0, a logarithm, or memory that was never "
    "filled? (A check fills `empty` with nan.)"
)
ENOUGH = 4  # values that differ, of which a relation is more than a coincidence
CLEARLY = 1e-3  # of the largest number: what is nearer is no relation's to explain
SLICES = 100  # of an axis, at most, that are looked for in another order


class Pair(NamedTuple):
    """What came out, what was expected, and the arguments, in one case."""

    got: np.ndarray
    expected: np.ndarray
    case: dict[str, Any]


def in_words(pairs: list[Pair], axes: list[str]) -> str:
    """Return a sentence about all pairs, or "" if no relation holds in every one of them.

    axes: the names of the axes of what is expected, as in ["B", "T", "H"]
    """
    floats = all({p.got.dtype.kind, p.expected.dtype.kind} <= set("iuf") for p in pairs)
    if floats and all(np.isnan(p.got).any() > np.isnan(p.expected).any() for p in pairs):
        return NAN
    if not _comparable(pairs, axes):
        return ""
    with np.errstate(all="ignore"):
        if all(p.got.shape == p.expected.shape for p in pairs):
            return _of_values(pairs, axes)
        relation = next(_of_shapes(pairs, axes), "")
        return relation and f"{relation} But for this it is right."


def to_a_mistake(pairs: list[Pair], axes: list[str]) -> str:
    """Return a sentence about pairs of what came out and a known mistake's output, or "".

    It says what the answer does besides: only what leaves the numbers as they are.
    """
    if not _comparable(pairs, axes) or len(_different(pairs)) < ENOUGH:
        return ""
    with np.errstate(all="ignore"):
        if all(p.got.shape == p.expected.shape for p in pairs):
            return next(_rearranged(pairs, axes), "")
        return next(_of_shapes(pairs, axes), "")


def _comparable(pairs: list[Pair], axes: list[str]) -> bool:
    """Return whether all arrays hold finite numbers, and there are names for all axes."""
    return all(
        {p.got.dtype.kind, p.expected.dtype.kind} <= set("iuf")
        and p.got.size * p.expected.size
        and np.isfinite(p.got).all()
        and np.isfinite(p.expected).all()
        and p.expected.ndim == len(axes)
        for p in pairs
    )


def _different(pairs: list[Pair]) -> set[float]:
    return {value for p in pairs for value in p.expected.ravel().tolist()}


def _of_values(pairs: list[Pair], axes: list[str]) -> str:
    in_float64 = all(p.expected.dtype == np.float64 for p in pairs)
    if in_float64 and all(_near(p.got, p.expected) for p in pairs):
        return FLOAT32 if all(p.got.dtype == np.float32 for p in pairs) else FIVE_DIGITS
    if len(_different(pairs)) < ENOUGH or all(_near(p.got, p.expected, CLEARLY) for p in pairs):
        return ""
    return next(
        itertools.chain(
            _scaled(pairs),
            _rearranged(pairs, axes),
            _shifted(pairs, axes),
            _repeated(pairs, axes),
            _applied(pairs),
            _along_an_axis(pairs, axes),
            _in_part(pairs),
        ),
        "",
    )


def _of_shapes(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of axes where a shape is another: of exchanged ones if in some pairs, else in all."""
    yield from _transposed(pairs, axes)
    if not any(p.got.shape == p.expected.shape for p in pairs):
        yield from _unit_axes(pairs)
        yield from _lengths(pairs, axes)
        yield from _reduced(pairs, axes)
        yield from _not_reduced(pairs)
        yield from _flattened(pairs)


def _near(got: np.ndarray, expected: np.ndarray, digits: float = 1e-5) -> bool:
    """Return whether two arrays agree in shape and to some digits of the largest number."""
    if got.shape != expected.shape:
        return False
    apart = digits * float(np.max(np.abs(expected), initial=0.0))
    whole = expected.dtype.kind in "iu"
    return np.allclose(got, expected, rtol=0, atol=min(apart, 0.5) if whole else apart)


# --- the same shape ------------------------------------------------------------------------------


def _scaled(pairs: list[Pair]) -> Iterator[str]:
    """Tell of one factor, of a factor that is a size or a number of the case, and of an offset."""
    factors = [factor for factor in map(_factor, pairs) if factor is not None]
    if len(factors) == len(pairs):
        if np.ptp(factors) <= 1e-4 * abs(factors[0]):
            yield f"It is everywhere {factors[0]:.4g} times what is expected."
        for name, numbers in _numbers(pairs):
            if np.allclose(factors, numbers, rtol=1e-4):
                yield (
                    f"It is everywhere what is expected times {name}: a sum in place of a mean, or "
                    "a division left out?"
                )
            if np.allclose(np.multiply(factors, numbers), 1, rtol=1e-4):
                yield (
                    f"It is everywhere what is expected divided by {name}: a mean in place of a "
                    "sum, or divided once too often?"
                )
            if np.allclose(np.multiply(factors, np.subtract(numbers, 1)), numbers, rtol=1e-4):
                yield (
                    f"It is everywhere n / (n - 1) times what is expected, where n is {name}: is 1 "
                    "taken off before a division?"
                )
    offset = float(np.mean(pairs[0].got - pairs[0].expected))
    if all(_near(p.got, p.expected + offset) for p in pairs):
        more = f"{abs(offset):.4g} {'more' if offset > 0 else 'less'}"
        yield f"It is everywhere {more} than what is expected."


def _factor(pair: Pair) -> float | None:
    """Return the number by which all that was expected was multiplied, if there is one."""
    expected = pair.expected.astype(float).ravel()
    square = float(expected @ expected)
    scale = float(pair.got.ravel() @ expected) / square if square else 0.0
    telling = min(abs(scale), abs(scale - 1)) > CLEARLY
    return scale if telling and _near(pair.got, scale * pair.expected) else None


def _numbers(pairs: list[Pair]) -> Iterator[tuple[str, list[float]]]:
    """Give the numbers of the cases, arguments and their sizes, that differ from case to case."""
    for name in pairs[0].case:
        values = [p.case[name] for p in pairs]
        if all(isinstance(value, int | float) for value in values):
            several = {f"`{name}`": values}
        elif all(isinstance(value, str | list) for value in values):
            several = {f"`len({name})`": [len(value) for value in values]}
        elif len({np.ndim(value) if isinstance(value, np.ndarray) else -1 for value in values}) > 1:
            several = {}
        else:
            axes = range(np.ndim(values[0]))
            several = {f"`{name}.shape[{k}]`": [v.shape[k] for v in values] for k in axes}
            several[f"the number of values in `{name}`"] = [np.size(value) for value in values]
        yield from ((words, n) for words, n in several.items() if len(set(n)) > 1 and min(n) > 0)


def _rearranged(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of axes exchanged or mixed, of an order turned round, and of another order."""
    for order in _orders(axes):
        if all(_near(p.got, p.expected.transpose(order)) for p in pairs):
            yield f"Its axes stand in the order {_names(axes, order)}."
        if all(_near(p.got, p.expected.transpose(order).reshape(p.expected.shape)) for p in pairs):
            yield (
                f"Its values are mixed: laid out as {_names(axes, order)} and then viewed as "
                f"{_names(axes)}. `view` and `reshape` exchange no axes; `transpose` does."
            )
    for axis in range(len(axes)):
        if all(_near(p.got, np.flip(p.expected, axis)) for p in pairs):
            yield f"It runs in reverse order{_along(axes, axis)}."
    for axis in range(len(axes)):
        if all(_in_another_order(p.got, p.expected, axis) for p in pairs):
            yield f"Its values stand in another order{_along(axes, axis)}."


def _orders(axes: list[str]) -> Iterator[tuple[int, ...]]:
    """Give all orders of the axes but their own."""
    yield from itertools.islice(itertools.permutations(range(len(axes))), 1, None)


def _in_another_order(got: np.ndarray, expected: np.ndarray, axis: int) -> bool:
    """Return whether two arrays of one shape consist of the same slices along an axis."""
    if not _near(np.sort(got, axis=None), np.sort(expected, axis=None)):
        return False
    if got.ndim == 1 or got.shape[axis] > SLICES:
        return got.ndim == 1
    free = list(np.moveaxis(expected, axis, 0))
    for part in np.moveaxis(got, axis, 0):
        same = next((i for i, right in enumerate(free) if _near(part, right)), None)
        if same is None:
            return False
        free.pop(same)
    return True


def _shifted(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of values that all stand one place too late or too early."""
    for axis in range(len(axes)):
        if min(p.got.shape[axis] for p in pairs) < 2:
            continue
        if all(_near(_but_first(p.got, axis), _but_last(p.expected, axis)) for p in pairs):
            yield f"Each value stands one place too late{_along(axes, axis)}."
        if all(_near(_but_last(p.got, axis), _but_first(p.expected, axis)) for p in pairs):
            yield f"Each value stands one place too early{_along(axes, axis)}."


def _but_first(array: np.ndarray, axis: int, n: int = 1) -> np.ndarray:
    return np.take(array, range(n, array.shape[axis]), axis)


def _but_last(array: np.ndarray, axis: int, n: int = 1) -> np.ndarray:
    return np.take(array, range(array.shape[axis] - n), axis)


def _repeated(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of one slice that stands at all places of an axis."""
    for axis in range(len(axes)):
        for words, along in ALONG.items():
            if all(_near(p.got, _spread(along, p.expected, axis)) for p in pairs):
                yield f"It is everywhere {words} of what is expected{_along(axes, axis)}."


def _spread(along: "Along", array: np.ndarray, axis: int) -> np.ndarray:
    return np.broadcast_to(np.expand_dims(along(array, axis), axis), array.shape)


def _applied(pairs: list[Pair]) -> Iterator[str]:
    """Tell of a function that was applied to each value."""
    for words, function in FUNCTIONS.items():
        if all(_near(p.got, function(p.expected)) for p in pairs):
            yield f"It is {words} of what is expected."
    if all(_near(p.got, 1 - p.expected) for p in pairs):
        yield "It is 1 minus what is expected."
    if all(_near(p.got, np.trunc(p.expected)) for p in pairs):
        yield "It is what is expected without its decimals: are whole numbers divided or stored?"


def _along_an_axis(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of a function that was applied to the values along an axis."""
    for axis in range(len(axes)):
        for words, function in NORMALISED.items():
            if all(_near(p.got, function(p.expected, axis)) for p in pairs):
                yield f"It is {words} of what is expected{_along(axes, axis)}."


def _in_part(pairs: list[Pair]) -> Iterator[str]:
    """Tell of signs, and of one or two numbers that stand wherever it is wrong."""
    if all(_near(np.abs(p.got), np.abs(p.expected)) for p in pairs):
        yield "But for the sign of some, all values are right."
    wrong = [p.got[~np.isclose(p.got, p.expected, rtol=1e-4, atol=1e-5)] for p in pairs]
    values = np.concatenate(wrong)
    found = sorted(set(values.tolist()))
    if 1 <= len(found) <= 2 and len(values) >= ENOUGH * len(found):
        yield f"Wherever it is wrong it is {' or '.join(f'{value:.4g}' for value in found)}."


# --- another shape -------------------------------------------------------------------------------


def _unit_axes(pairs: list[Pair]) -> Iterator[str]:
    """Tell of values that are right but for axes of length 1."""
    if all(_near(p.got.squeeze(), p.expected.squeeze()) for p in pairs):
        if all(p.got.ndim < p.expected.ndim for p in pairs):
            yield (
                "An axis of length 1 is lost: `squeeze()` takes every such axis away, an index "
                "the one that it picks from."
            )
        if all(p.got.ndim > p.expected.ndim for p in pairs):
            yield "There is an axis of length 1 too many."


def _transposed(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of axes in another order."""
    for order in _orders(axes):
        if all(_near(p.got, p.expected.transpose(order)) for p in pairs):
            yield f"The axes stand in the order {_names(axes, order)}."


def _lengths(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of places that are missing or too many at an end of an axis."""
    if any(p.got.ndim != p.expected.ndim for p in pairs):
        return
    for axis in range(len(axes)):
        more = [p.got.shape[axis] - p.expected.shape[axis] for p in pairs]
        place = "place{} is" if {*map(abs, more)} == {1} else "places{} are"
        for cut, end in ((_but_first, "first"), (_but_last, "last")):
            places = f"The {end} {place.format(_along(axes, axis))}"
            if min(more) > 0 and all(
                _near(cut(p.got, axis, n), p.expected) for p, n in zip(pairs, more, strict=True)
            ):
                yield f"{places} too many."
            if max(more) < 0 and all(
                _near(p.got, cut(p.expected, axis, -n)) for p, n in zip(pairs, more, strict=True)
            ):
                yield f"{places} missing."


def _reduced(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of an axis along which only one slice, the sum or the mean is left."""
    for axis in range(len(axes)):
        for words, along in ALONG.items():
            if all(_near(p.got, along(p.expected, axis)) for p in pairs):
                yield f"Axis {axes[axis]} is gone: only {words} along it is left."


def _not_reduced(pairs: list[Pair]) -> Iterator[str]:
    """Tell of an axis too many, of which one slice, the sum or the mean would be right."""
    if any(p.got.ndim != p.expected.ndim + 1 for p in pairs):
        return
    for axis in range(pairs[0].got.ndim):
        for words, along in ALONG.items():
            if all(_near(along(p.got, axis), p.expected) for p in pairs):
                yield f"There is an axis too many, axis {axis}: {words} along it is asked for."


def _flattened(pairs: list[Pair]) -> Iterator[str]:
    """Tell of right values in another shape."""
    if all(_near(p.got.ravel(), p.expected.ravel()) for p in pairs):
        yield "The shape is another, with the same numbers in the same order."


def _along(axes: list[str], axis: int) -> str:
    return f" along axis {axes[axis]}" if len(axes) > 1 else ""


def _names(axes: list[str], order: Iterable[int] | None = None) -> str:
    return "(" + ", ".join(axes if order is None else [axes[i] for i in order]) + ")"


def _softmax(array: np.ndarray, axis: int) -> np.ndarray:
    above = np.exp(array - array.max(axis, keepdims=True))
    return above / above.sum(axis, keepdims=True)


FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "`tanh`": np.tanh,
    "`sigmoid`": lambda e: 1 / (1 + np.exp(-e)),
    "`relu`": lambda e: np.maximum(e, 0),
    "the exponential": np.exp,
    "the logarithm": np.log,
    "the square": np.square,
    "the square root": np.sqrt,
    "the absolute value": np.abs,
    "the reciprocal": lambda e: 1 / e,
}
Along = Callable[[np.ndarray, int], np.ndarray]
NORMALISED: dict[str, Along] = {
    "a softmax": _softmax,
    "a log-softmax": lambda e, axis: np.log(_softmax(e, axis)),
    "the running sum": lambda e, axis: np.cumsum(e, axis),
    "the distance from the mean": lambda e, axis: e - e.mean(axis, keepdims=True),
}
ALONG: dict[str, Along] = {
    "the last": lambda e, axis: np.take(e, -1, axis),
    "the first": lambda e, axis: np.take(e, 0, axis),
    "the mean": lambda e, axis: e.mean(axis),
    "the sum": lambda e, axis: e.sum(axis),
}
