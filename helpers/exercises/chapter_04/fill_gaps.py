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


REFUSE = "There is nothing to carry forward: raise a ValueError."


def wrong(
    fill: Callable = fill_gaps,
    refused: Callable = lambda values: np.isnan(values[0]),
    error: type[Exception] = ValueError,
) -> Callable:
    """Return a `fill_gaps` that refuses what is to be refused, and otherwise fills a copy."""

    def answer(values):
        if refused(values):
            raise error("a gap")
        return fill(values.copy())

    return answer


def by_interpolation(values):
    known = np.flatnonzero(np.isfinite(values))
    return np.interp(np.arange(len(values)), known, values[known])


def with_all(of: Callable) -> Callable:
    """Return a function that puts of(values), one number or one for each step, into the gaps."""
    return lambda values: np.where(np.isnan(values), of(values), values)


def zero(values):
    return 0.0


def without_gaps(values):
    return values[np.isfinite(values)]


def from_the_next(values):
    values[-1] = values[np.isfinite(values)][-1]  # nothing follows a gap at the end
    return fill_gaps(values[::-1])[::-1]


def to_the_left(values):
    return without_refusal(first=1)(values[::-1])[::-1]


def from_the_nearest(values):
    known = np.flatnonzero(np.isfinite(values))
    apart = np.abs(np.arange(len(values))[:, None] - known)  # (T, known)
    return values[known[apart.argmin(axis=1)]]


def in_rounds(rounds: int) -> Callable:
    """Return a function that fills the first `rounds` weeks of every gap."""

    def fill(values):
        for _ in range(rounds):
            values = np.where(np.isnan(values), np.roll(values, 1), values)
        return values

    return fill


def with_the_past(of: Callable) -> Callable:
    """Return a function that fills a gap with of(all values before it)."""
    return with_all(lambda values: [of(values[: max(i, 1)]) for i in range(len(values))])


def open_at_the_end(values):
    after = np.flatnonzero(np.isfinite(values))[-1] + 1
    return np.append(fill_gaps(values[:after]), values[after:])


def only_positive(values):
    return np.where(values > 0, values, np.nan)


def only_positive_after_the_first(values):
    return np.append(values[0], only_positive(values[1:]))


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


def begins_with(first: Callable) -> Callable:
    """Return a `fill_gaps` that puts first(values) in place of a gap's first week at the start."""

    def answer(values):
        start = first(values) if np.isnan(values[0]) else values[0]
        return fill_gaps(np.append(start, values[1:]))

    return answer


def in_place(values):
    values[:] = fill_gaps(values)
    return values


def explain(got: Arrays, expected: Arrays) -> str:
    """Return that a series was not refused; else ""."""
    went_through = f"A series that begins with a gap went through.\n{REFUSE}"
    return went_through if got["refused"] != expected["refused"] else ""


EXERCISE = Exercise(
    name="fill_gaps",
    title="fill gaps without looking ahead",
    points=1,
    difficulty=1,
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
            also=(wrong(to_the_left),),
        ),
        Mistake(
            "This takes the nearest measured value, which often comes after the gap: a leak from "
            "the future. Carry the last known value forward.",
            wrong(from_the_nearest),
        ),
        Mistake(
            "This takes the middle between the values before and after a gap: a leak from the "
            "future. Carry the last known value forward.",
            wrong(lambda values: (fill_gaps(values) + from_the_next(values)) / 2),
        ),
        Mistake(
            "The gaps are filled with the mean of all values before, not with the last one.",
            wrong(with_the_past(np.nanmean)),
        ),
        Mistake(
            "The gaps are filled with the largest value so far, not with the last one.",
            wrong(with_the_past(np.nanmax)),
        ),
        Mistake(
            "The gaps are filled with the first value of the series, not with the last one before.",
            wrong(with_all(lambda values: values[0])),
        ),
        Mistake(
            "The gaps are filled with 0. Carry the last known value forward.",
            wrong(with_all(zero)),
        ),
        Mistake(
            "The gaps are filled with the mean or median of the whole series, the future included: "
            "a leak.",
            wrong(with_all(np.nanmean)),
            also=(wrong(with_all(np.nanmedian)),),
        ),
        Mistake(
            "The gaps are dropped, so that every later week moves: week i is no longer week i.",
            wrong(without_gaps),
        ),
        Mistake(
            "Only the first week of a longer gap is filled: the others read a value that is "
            "missing. Read from the copy that you fill, in the order of time.",
            wrong(in_rounds(1)),
        ),
        Mistake(
            "The first weeks of a longer gap are filled, and the rest stays open. Carry the last "
            "known value to its end.",
            wrong(in_rounds(4)),
            also=tuple(wrong(in_rounds(rounds)) for rounds in (2, 3, 5)),
        ),
        Mistake(
            "A gap at the end of the series stays open. It has a value before it, and needs no "
            "other.",
            wrong(open_at_the_end),
        ),
        Mistake(
            "Zeros and negative values count as missing here. Only NaN does: ask `np.isnan`.",
            wrong(lambda values: fill_gaps(only_positive_after_the_first(values))),
            also=(lambda values: fill_gaps(only_positive(values)),),
        ),
        Mistake(
            "The values come out as whole numbers. Fill an array of floats.",
            wrong(lambda values: np.trunc(fill_gaps(values))),
            also=(wrong(lambda values: np.rint(fill_gaps(values))),),
        ),
        Mistake(
            "Nothing is filled. (A NaN is not equal to anything, not even to itself: ask "
            "`np.isnan`.)",
            wrong(lambda values: values),
            also=(lambda values: values.copy(),),
        ),
        Mistake(
            f"A series that begins with a gap comes back with NaN in it. {REFUSE}",
            without_refusal(first=1),
            also=(by_running_index,),
        ),
        Mistake(
            "A gap is refused that has a value before it. Refuse only one at the very start.",
            wrong(refused=lambda values: np.isnan(values).any()),
            also=(wrong(refused=lambda values: np.isnan(values[[0, -1]]).any()),),
        ),
        Mistake(
            NO_VALUE_ERROR,
            wrong(error=AssertionError),
            also=tuple(
                wrong(error=error)
                for error in (IndexError, TypeError, RuntimeError, Exception, UnboundLocalError)
            ),
        ),
        Mistake(
            "A gap at the start is filled from the other end of the series: in Python, index -1 is "
            f"the last. {REFUSE}",
            without_refusal(first=0),
        ),
        Mistake(
            f"A gap at the start is filled with a value measured later. {REFUSE}",
            begins_with(lambda values: values[np.isfinite(values)][0]),
        ),
        Mistake(
            f"A gap at the start is filled with 0, which nobody measured. {REFUSE}",
            begins_with(zero),
        ),
        Mistake(
            f"A gap at the start is cut off, so that every later week moves. {REFUSE}",
            lambda values: fill_gaps(values[np.isfinite(values).argmax() :]),
        ),
        Mistake(
            "No series is refused, and gaps are not filled with the last known value. Carry it on "
            "in a loop over time, and raise a ValueError where a series begins with a gap.",
            by_interpolation,
            also=(with_all(zero), with_all(np.nanmean), to_the_left, without_gaps),
        ),
        Mistake(
            "Your function changed its argument `values` in place. Fill a copy: `values.copy()`.",
            in_place,
        ),
    ),
)
