"""Simple relations between what came out and what was expected, in words.

Some slips look alike in every exercise: an axis squeezed away, two axes exchanged, a sum in place
of a mean, one step too many. Each is told of all the cases in which an answer departs, and only if
it holds in each of them.

pairs.py   what came out and what was expected, and what is asked of both
shapes.py  where their shapes differ
values.py  where they do not
"""

import numpy as np

from helpers.exercises.relations.pairs import Pair, comparable, different
from helpers.exercises.relations.shapes import of_shapes
from helpers.exercises.relations.values import ENOUGH, of_values, rearranged

__all__ = ["NAN", "Pair", "in_words", "to_a_mistake"]

NAN = (
    "Where does the first nan come from: a division by 0, a logarithm or a root, inf - inf, or "
    "memory that was never filled? (A check fills `empty` with nan.)"
)


def in_words(pairs: list[Pair], axes: list[str]) -> str:
    """Return a sentence about all pairs, or "" if no relation holds in every one of them.

    axes: the names of the axes of what is expected, as in ["B", "T", "H"]
    """
    floats = all({p.got.dtype.kind, p.expected.dtype.kind} <= set("iuf") for p in pairs)
    if floats and all(np.isnan(p.got).any() > np.isnan(p.expected).any() for p in pairs):
        return NAN
    if not comparable(pairs, axes):
        return ""
    with np.errstate(all="ignore"):
        if all(p.got.shape == p.expected.shape for p in pairs):
            return of_values(pairs, axes)
        relation = next(of_shapes(pairs, axes), "")
        return relation and f"{relation} But for this the numbers agree."


def to_a_mistake(pairs: list[Pair], axes: list[str]) -> str:
    """Return a sentence about pairs of what came out and a known mistake's output, or "".

    It says what the answer does besides: only what leaves the numbers as they are.
    """
    if not comparable(pairs, axes) or len(different(pairs)) < ENOUGH:
        return ""
    with np.errstate(all="ignore"):
        if all(p.got.shape == p.expected.shape for p in pairs):
            return next(rearranged(pairs, axes), "")
        return next(of_shapes(pairs, axes), "")
