"""Relations of arrays whose shapes differ: axes lost, added, exchanged, cut short or flattened."""

from collections.abc import Iterator

from helpers.exercises.relations.pairs import (
    ALONG,
    Pair,
    along_axis,
    but_first,
    but_last,
    names,
    near,
    orders,
)


def of_shapes(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of axes where a shape is another: of exchanged ones if in some pairs, else in all."""
    yield from _transposed(pairs, axes)
    if not any(p.got.shape == p.expected.shape for p in pairs):
        yield from _unit_axes(pairs)
        yield from _lengths(pairs, axes)
        yield from _reduced(pairs, axes)
        yield from _not_reduced(pairs)
        yield from _flattened(pairs)


def _unit_axes(pairs: list[Pair]) -> Iterator[str]:
    """Tell of values that are right but for axes of length 1."""
    if all(near(p.got.squeeze(), p.expected.squeeze()) for p in pairs):
        if all(p.got.ndim < p.expected.ndim for p in pairs):
            yield (
                "An axis of length 1 is missing: `squeeze()` takes every such axis away, an index "
                "the one that it picks from; `unsqueeze` adds one."
            )
        if all(p.got.ndim > p.expected.ndim for p in pairs):
            yield "There is an axis of length 1 too many."


def _transposed(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of axes in another order."""
    for order in orders(axes):
        if all(near(p.got, p.expected.transpose(order)) for p in pairs):
            yield f"The axes stand in the order {names(axes, order)}."


def _lengths(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of places that are missing or too many at an end of an axis."""
    if any(p.got.ndim != p.expected.ndim for p in pairs):
        return
    for axis in range(len(axes)):
        more = [p.got.shape[axis] - p.expected.shape[axis] for p in pairs]
        place = "place{} is" if {*map(abs, more)} == {1} else "places{} are"
        for cut, end in ((but_first, "first"), (but_last, "last")):
            places = f"The {end} {place.format(along_axis(axes, axis))}"
            if min(more) > 0 and all(
                near(cut(p.got, axis, n), p.expected) for p, n in zip(pairs, more, strict=True)
            ):
                yield f"{places} too many."
            if max(more) < 0 and all(
                near(p.got, cut(p.expected, axis, -n)) for p, n in zip(pairs, more, strict=True)
            ):
                yield f"{places} missing."


def _reduced(pairs: list[Pair], axes: list[str]) -> Iterator[str]:
    """Tell of an axis along which only one slice, the sum or the mean is left."""
    for axis in range(len(axes)):
        for words, along in ALONG.items():
            if all(near(p.got, along(p.expected, axis)) for p in pairs):
                yield f"Axis {axes[axis]} is gone: only {words} along it is left."


def _not_reduced(pairs: list[Pair]) -> Iterator[str]:
    """Tell of an axis too many, of which one slice, the sum or the mean would be right."""
    if any(p.got.ndim != p.expected.ndim + 1 for p in pairs):
        return
    for axis in range(pairs[0].got.ndim):
        for words, along in ALONG.items():
            if all(near(along(p.got, axis), p.expected) for p in pairs):
                yield f"There is an axis too many, axis {axis}: {words} along it is asked for."


def _flattened(pairs: list[Pair]) -> Iterator[str]:
    """Tell of right values in another shape."""
    if all(near(p.got.ravel(), p.expected.ravel()) for p in pairs):
        yield "The shape is another, with the same numbers in the same order."
