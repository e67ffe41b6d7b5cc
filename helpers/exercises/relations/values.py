"""Relations of arrays of one shape: a factor, another order, a shift, a function applied."""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from helpers.exercises.relations.pairs import (
    ALONG,
    Along,
    Pair,
    along_axis,
    but_first,
    but_last,
    different,
    names,
    near,
    orders,
)

FLOAT32 = "These are float32, whose 7 digits are too few here: compute in float64."
FIVE_DIGITS = (
    "It agrees to about five digits of the largest number: is something rounded, approximated, or "
    "in float32?"
)
ENOUGH = 4  # values that differ, of which a relation is more than a coincidence
CLEARLY = 1e-3  # of the largest number: what is nearer is no relation's to explain
SLICES = 100  # of an axis, at most, that are looked for in another order


def of_values(pairs: list[Pair], axes: list[str]) -> str:
    """Return a sentence about arrays of one shape, or "" if there is no simple relation."""
    in_float64 = all(p.expected.dtype == np.float64 for p in pairs)
    if in_float64 and all(near(p.got, p.expected) for p in pairs):
        return FLOAT32 if all(p.got.dtype == np.float32 for p in pairs) else FIVE_DIGITS
    if len(different(pairs)) < ENOUGH or all(near(p.got, p.expected, CLEARLY) for p in pairs):
        return ""
    return next(
        itertools.chain(
            _everywhere(pairs),
            _scaled(pairs),
            rearranged(pairs, axes),
            _repeated(pairs, axes),
            _shifted(pairs, axes),
            _applied(pairs),
            _along_an_axis(pairs, axes),
            _in_part(pairs),
        ),
        "",
    )


def _everywhere(pairs: list[Pair]) -> Iterator[str]:
    """Tell of one number that stands everywhere, and nothing else: too little to be told more."""
    numbers = {value for p in pairs for value in p.got.ravel().tolist()}
    if len(numbers) == 1:
        yield f"It is everywhere {numbers.pop():.4g}."


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
    if all(near(p.got - offset, p.expected) for p in pairs):
        more = f"{abs(offset):.4g} {'more' if offset > 0 else 'less'}"
        yield f"It is everywhere {more} than what is expected."


def _factor(pair: Pair) -> float | None:
    """Return the number by which all that was expected was multiplied, if there is one."""
    expected = pair.expected.astype(float).ravel()
    square = float(expected @ expected)
    scale = float(pair.got.ravel() @ expected) / square if square else 0.0
    telling = min(abs(scale), abs(scale - 1)) > CLEARLY
    return scale if telling and near(pair.got, scale * pair.expected) else None


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


def rearranged(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of axes exchanged or mixed, of an order turned round, and of another order."""
    for order in orders(axes):
        if all(near(p.got, p.expected.transpose(order)) for p in pairs):
            yield f"Its axes stand in the order {names(axes, order)}."
        if all(near(p.got, p.expected.transpose(order).reshape(p.expected.shape)) for p in pairs):
            yield (
                f"Its values are mixed: laid out as {names(axes, order)} and then viewed as "
                f"{names(axes)}. `view` and `reshape` exchange no axes; `transpose` does."
            )
    for axis in range(len(axes)):
        if all(near(p.got, np.flip(p.expected, axis)) for p in pairs):
            yield f"It runs in reverse order{along_axis(axes, axis)}."
    for axis in range(len(axes)):
        if all(_in_another_order(p.got, p.expected, axis) for p in pairs):
            yield f"Its values stand in another order{along_axis(axes, axis)}."


def _in_another_order(got: np.ndarray, expected: np.ndarray, axis: int) -> bool:
    """Return whether two arrays of one shape consist of the same slices along an axis."""
    if not near(np.sort(got, axis=None), np.sort(expected, axis=None)):
        return False
    if got.ndim == 1 or got.shape[axis] > SLICES:
        return got.ndim == 1
    free = list(np.moveaxis(expected, axis, 0))
    for part in np.moveaxis(got, axis, 0):
        same = next((i for i, right in enumerate(free) if near(part, right)), None)
        if same is None:
            return False
        free.pop(same)
    return True


def _shifted(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of values that all stand one place too late or too early."""
    for axis in range(len(axes)):
        if min(p.got.shape[axis] for p in pairs) < 2:
            continue
        if all(near(but_first(p.got, axis), but_last(p.expected, axis)) for p in pairs):
            yield f"Each value stands one place too late{along_axis(axes, axis)}."
        if all(near(but_last(p.got, axis), but_first(p.expected, axis)) for p in pairs):
            yield f"Each value stands one place too early{along_axis(axes, axis)}."


def _repeated(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of one slice that stands at all places of an axis."""
    for axis in range(len(axes)):
        for words, along in ALONG.items():
            if all(near(p.got, _spread(along, p.expected, axis)) for p in pairs):
                yield f"It is everywhere {words} of what is expected{along_axis(axes, axis)}."


def _spread(along: "Along", array: np.ndarray, axis: int) -> np.ndarray:
    return np.broadcast_to(np.expand_dims(along(array, axis), axis), array.shape)


def _applied(pairs: list[Pair]) -> Iterator[str]:
    """Tell of a function that was applied to each value."""
    for words, function in FUNCTIONS.items():
        if all(near(p.got, function(p.expected)) for p in pairs):
            yield f"It is {words} of what is expected."
    if all(near(p.got, 1 - p.expected) for p in pairs):
        yield "It is 1 minus what is expected."
    if all(near(p.got, np.trunc(p.expected)) for p in pairs):
        yield "It is what is expected without its decimals: are whole numbers divided or stored?"


def _along_an_axis(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of a function that was applied to the values along an axis."""
    for axis in range(len(axes)):
        if min(p.got.shape[axis] for p in pairs) < 2:
            continue
        for words, function in NORMALISED.items():
            if all(near(p.got, function(p.expected, axis)) for p in pairs):
                yield f"It is {words} of what is expected{along_axis(axes, axis)}."


def _in_part(pairs: list[Pair]) -> Iterator[str]:
    """Tell of signs, and of one or two numbers that stand wherever it is wrong."""
    if all(near(np.abs(p.got), np.abs(p.expected)) for p in pairs):
        yield "But for the sign of some, all values are right."
    wrong = [p.got[~np.isclose(p.got, p.expected, rtol=1e-4, atol=1e-5)] for p in pairs]
    values = np.concatenate(wrong)
    found = sorted(set(values.tolist()))
    if 1 <= len(found) <= 2 and len(values) >= ENOUGH * len(found):
        yield f"Wherever it is wrong it is {' or '.join(f'{value:.4g}' for value in found)}."


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
NORMALISED: dict[str, Along] = {
    "a softmax": _softmax,
    "a log-softmax": lambda e, axis: np.log(_softmax(e, axis)),
    "the running sum": lambda e, axis: np.cumsum(e, axis),
    "the difference from the mean": lambda e, axis: e - e.mean(axis, keepdims=True),
}
