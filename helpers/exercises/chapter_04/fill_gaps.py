"""`fill_gaps`: fill gaps with the last known value, never with a later one, section 4.9."""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_fill_gaps
from helpers.exercises.contract import Arrays, Exercise, Mistake
from helpers.exercises.shared import NO_VALUE_ERROR


def fill_gaps(values):
    """Return an array (T,) in which every NaN of values (T,) is the last value known before it.

    By `np.searchsorted`. Raises ValueError where nothing is known before a gap.
    """
    if np.isnan(values[0]):
        raise ValueError("the series begins with a gap: there is nothing to carry forward")
    known = np.flatnonzero(~np.isnan(values))
    last = np.searchsorted(known, np.arange(len(values)), side="right") - 1  # (T,), into `known`
    return values[known[last]]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw random walks, a long gap first; others have one at the start, at the end, or none.

    One has a single value. The one with the longest gap goes through negative values, and one value
    of it is 0.
    """
    drawn = []
    for gaps in ([3], [4, 5, 6], [2, 7, 8], [11], [], [0, 1, 5], [2, 3, 4, 5, 6, 7, 9]):
        values = 300 * (len(gaps) < 7) + rng.normal(size=12).cumsum()
        values[gaps] = np.nan
        drawn.append({"values": values})
    drawn[6]["values"][10] = 0.0
    drawn.append({"values": rng.normal(size=1)})
    return [drawn[i] for i in (1, *rng.permutation([0, 2, 3, 4, 5, 6, 7]))]


def wrong(fill: Callable) -> Callable:
    """Return a `fill_gaps` that refuses what it should, and otherwise returns fill(a copy)."""

    def answer(values):
        if np.isnan(values[0]):
            raise ValueError("a gap at the start")
        return fill(values.copy())

    return answer


def by_interpolation(values):
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known])


def from_the_next(values):
    values[-1] = values[np.isfinite(values)][-1]  # nothing follows a gap at the end
    return fill_gaps(values[::-1])[::-1]


def without_refusal(first: int) -> Callable:
    """Return a `fill_gaps` that refuses nothing, and looks for gaps from index `first` on."""

    def answer(values):
        values = values.copy()
        for i in range(first, len(values)):
            if np.isnan(values[i]):
                values[i] = values[i - 1]
        return values

    return answer


def by_running_index(values):
    known = np.where(np.isnan(values), 0, np.arange(len(values)))
    return values[np.maximum.accumulate(known)]


def starts_with_the_first_known(values):
    values = values.copy()
    values[0] = values[np.isfinite(values)][0]
    return fill_gaps(values)


def refuses_every_gap(values):
    if np.isnan(values).any():
        raise ValueError("a gap")
    return values.copy()


def asserts(values):
    assert not np.isnan(values[0])
    return fill_gaps(values)


def in_place(values):
    values[:] = fill_gaps(values)
    return values


def explain(got: Arrays, expected: Arrays) -> str:
    """Return that a series was not refused; else ""."""
    if got["refused"] == expected["refused"]:
        return ""
    return (
        "A series that begins with a gap went through. There is nothing to carry forward: raise a "
        "ValueError."
    )


EXERCISE = Exercise(
    name="fill_gaps",
    title="fill gaps without looking ahead",
    points=1,
    outputs={"refused": "", "filled": "T"},
    cases=cases,
    drive=call_fill_gaps,
    reference=fill_gaps,
    explain=explain,
    against="the last known value, found by `np.searchsorted`",
    mistakes=(
        Mistake(
            "This draws a line to the next measured value, which nobody knew during the gap: a "
            "leak from the future. Carry the last known value forward.",
            wrong(by_interpolation),
        ),
        Mistake(
            "This takes the next measured value, which nobody knew during the gap: a leak from the "
            "future. Carry the last known value forward.",
            wrong(from_the_next),
        ),
        Mistake(
            "The gaps are filled with 0, far from every measurement.",
            wrong(lambda values: np.nan_to_num(values, nan=0.0)),
        ),
        Mistake(
            "The gaps are filled with the mean of the whole series, the future included: a leak.",
            wrong(lambda values: np.where(np.isnan(values), np.nanmean(values), values)),
            also=(wrong(lambda values: np.where(np.isnan(values), np.nanmedian(values), values)),),
        ),
        Mistake(
            "The gaps are dropped, so that every later week moves: week i is no longer week i.",
            wrong(lambda values: values[np.isfinite(values)]),
        ),
        Mistake(
            "Only the first week of a longer gap is filled. Go through time, so that a filled "
            "value can be carried on.",
            wrong(lambda values: np.where(np.isnan(values), np.roll(values, 1), values)),
        ),
        Mistake(
            "Nothing is filled. (A NaN is not equal to anything, not even to itself: ask "
            "`np.isnan`.)",
            wrong(lambda values: values),
            also=(lambda values: values.copy(),),
        ),
        Mistake(
            "A series that begins with a gap comes back with NaN in it. There is nothing to carry "
            "forward: raise a ValueError.",
            without_refusal(first=1),
            also=(by_running_index,),
        ),
        Mistake(
            "Every gap is refused. Only one at the very start is: the others have a value before "
            "them.",
            refuses_every_gap,
        ),
        Mistake(
            NO_VALUE_ERROR,
            asserts,
        ),
        Mistake(
            "A gap at the start is filled from the other end of the series: in Python, index -1 is "
            "the last. Raise a ValueError there.",
            without_refusal(first=0),
        ),
        Mistake(
            "A gap at the start is filled with a value measured later. Raise a ValueError there.",
            starts_with_the_first_known,
        ),
        Mistake(
            "Your function changed its argument `values` in place. Fill a copy: `values.copy()`.",
            in_place,
        ),
    ),
)
