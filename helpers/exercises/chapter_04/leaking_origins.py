"""`leaking_origins`: the origins at which a forecast knows what came later, section 4.9.

T time steps. An origin t is the time at which a forecast is made.
"""

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_leaking_origins
from helpers.exercises.chapter_04.parts.leak_tests import (
    all_at_once,
    as_a_whole,
    cut_off_at_each_origin,
    from_step,
    naive_difference,
    only_before_the_change,
    only_the_last,
    only_the_next,
    the_next_few,
    up_to_the_origin,
    with_test,
    with_value,
    without_gaps,
)
from helpers.exercises.contract import Arrays, Exercise, Mistake

TOLERANCE = 1e-6  # of the sd of the series: less is rounding
FAR = 100.0  # sds by which the future is moved

# What the pipelines of helpers/calling/pipelines.py do, in their order: the honest ones first.
HONEST = (
    "repeats the last known value",
    "is fitted to the training part",
    "is refitted from time to time to what is known by then",
    "is refitted from time to time to a part of the past that is drawn by a seed",
    "smooths the past by way of its frequencies, so that what comes later changes last digits",
    "fills the gaps in the array that it is given, in place",
    "takes the season from the training part",
    "says the mean of the last five values",
    "goes by how many weeks are missing in the whole series, which counts as known",
)
LEAKING = (
    "fills gaps by a line to the next value",
    "fills gaps with the next value",
    "scales by the whole series",
    "takes the season from the whole series",
    "says a mean that holds the value to be forecast",
    "says the mean of five values with the origin in the middle",
    "is fitted to a part of the whole series, split at random",
    "is fitted to windows that reach over the end of the training part",
    "takes the season from the last four values of the series",
    "says the very last value at the first two origins, and is honest from then on",
    "is drawn a little towards the last value of the series",
    "is drawn a little towards the largest value of all",
    "is drawn a little towards the smallest value of all",
)


def leaking_origins(pipeline, values, first):
    """Return the list of origins t, first ≤ t < T, whose forecast depends on what came after t.

    pipeline: takes values (T,) and returns forecasts (T,), the one made at t at place t, NaN where
    none was made. The future of each origin is moved up and down, far and unevenly.
    """
    sd, places = np.nanstd(values), np.arange(len(values))
    away = FAR * sd * np.random.default_rng(0).uniform(1, 2, len(values))  # (T,)

    def forecast(t, sign):
        return np.asarray(pipeline(np.where(places > t, values + sign * away, values)))[t]

    def depends(t):
        tried = np.array([forecast(t, sign) for sign in (0, 1, -1)])
        nothing = np.isnan(tried)
        return nothing.any() != nothing.all() or bool(np.ptp(tried) > TOLERANCE * sd)

    return [t for t in range(first, len(values)) if depends(t)]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw one series for each pipeline, with a gap over the end of the training part and others.

    In one of them nothing comes after `first`, in some only two values. The series lie high above
    0.
    """
    drawn: list[Case] = []
    for number in range(len(HONEST) + len(LEAKING)):
        T, first = int(rng.integers(19, 21)), int(rng.integers(8, 10))
        values = 20 + np.sin(np.arange(T) * np.pi / 2) + 0.5 * rng.normal(size=T)
        values[[2, 3]] += 6, -6  # the extremes lie in the past
        values[[0, first - 1, first, first + 4, first + 5]] = np.nan
        drawn.append({"values": values, "first": first, "pipeline": number})
    last = drawn[int(rng.integers(len(HONEST)))]
    drawn.append({**last, "values": last["values"][: last["first"] + 1], "pipeline": 11})
    for number in (-1, -2) * 4:  # a largest and a smallest value, which luck may miss in one series
        case = drawn[int(rng.integers(len(HONEST), len(HONEST) + len(LEAKING)))]
        short = case["values"][: case["first"] + 3]
        drawn.append({**case, "values": short, "pipeline": len(HONEST) + len(LEAKING) + number})
    return [drawn[i] for i in rng.permutation(len(drawn))]


def explain(got: Arrays, expected: Arrays) -> str:
    """Return the pipeline in words, and the first origin at which it was misjudged."""
    number = int(expected["pipeline"])
    what = (HONEST + LEAKING)[number]
    mine, right = got["depends on what came later"], expected["depends on what came later"]
    if mine.shape != right.shape:
        return ""
    t = int(np.argmax(mine != right)) + int(expected["first"])
    if mine[t - int(expected["first"])]:
        return f"False alarm at t = {t}: this pipeline {what}."
    return f"Not found at t = {t}: this pipeline {what}."


def as_truth_values(pipeline, values, first):
    found = leaking_origins(pipeline, values, first)
    return [t in found for t in range(first, len(values))]


def counted_from_first(pipeline, values, first):
    return [t - first for t in leaking_origins(pipeline, values, first)]


def the_honest_ones(pipeline, values, first):
    found = leaking_origins(pipeline, values, first)
    return [t for t in range(first, len(values)) if t not in found]


BOTH_WAYS = (
    "The future is only moved {}. A leak by way of a bound, a largest or smallest value, shows "
    "only when the future goes the other way: try both."
)

EXERCISE = Exercise(
    name="leaking_origins",
    title="the test that finds a leak",
    points=5,
    difficulty=3,
    outputs={"depends on what came later": "origin", "pipeline": "", "first": ""},
    cases=cases,
    drive=call_leaking_origins,
    reference=leaking_origins,
    explain=explain,
    against="a future moved up and down, far and unevenly, at every origin",
    mistakes=(
        Mistake(
            "The future is changed once for all origins, so that later forecasts may see it: for "
            "them it is past. Change it anew for every origin t, from t + 1 on, and look at the "
            "forecast made at t.",
            all_at_once,
        ),
        Mistake(
            "The future is changed in one place for all origins: a leak that reaches less far, or "
            "an origin behind it, is never seen. Change it anew for every origin t.",
            only_before_the_change,
        ),
        Mistake(
            "The value at the origin itself is changed, which a forecast may know. Change what "
            "comes after it.",
            with_test(from_step(0)),
        ),
        Mistake(
            "The value right after the origin stays as it was: a window that holds its target gets "
            "through. Change all from t + 1 on.",
            with_test(from_step(2)),
        ),
        Mistake(
            "Only the next value is changed. In a gap, the one that leaks lies farther off: change "
            "all that comes after t.",
            with_test(only_the_next),
        ),
        Mistake(
            "Only the next few values are changed: a leak that comes from farther off gets "
            "through. Change all that comes after t.",
            with_test(the_next_few(3)),
            also=tuple(with_test(the_next_few(k)) for k in (2, 4, 5, 6)),
        ),
        Mistake(
            "The future is cut off, or hardly moved. What depends on an extreme that lies in the "
            "past says the same then, and would not if the future went farther: move it, up and "
            "down.",
            cut_off_at_each_origin,
        ),
        Mistake(
            "Only the last value of the series is changed. Change all that comes after t.",
            with_test(only_the_last),
        ),
        Mistake(
            BOTH_WAYS.format("up"),
            with_test(signs=(1,)),
            also=(with_test(with_value(1e6)),),
        ),
        Mistake(
            BOTH_WAYS.format("down"),
            with_test(signs=(-1,)),
            also=(with_test(with_value(-1e6)), with_test(with_value(0.0))),
        ),
        Mistake(
            "The whole future is moved by the same amount. A season, the difference of its places, "
            "stays as it was then: move every value by an amount of its own.",
            with_test(as_a_whole),
        ),
        Mistake(
            "Forecasts that differ in their last digits are called different: that is rounding, "
            "not knowledge. Allow for a small difference.",
            with_test(differ=lambda a, b: a != b and not (np.isnan(a) and np.isnan(b))),
        ),
        Mistake(
            "Where no forecast is made, before and after are NaN, and NaN is unequal to itself. "
            "Nothing was forecast there, so nothing has leaked.",
            with_test(differ=lambda a, b: not abs(a - b) < 1e-6),
            also=(
                with_test(differ=lambda a, b: a != b),
                with_test(differ=lambda a, b: not np.isclose(a, b)),
            ),
        ),
        Mistake(
            "The future is replaced by NaN, and the comparison is never true of a NaN: a forecast "
            "that is lost is a leak, too.",
            with_test(with_value(np.nan), differ=naive_difference),
        ),
        Mistake(
            "A pipeline may fill gaps in the very array that it is given. Hand each run a copy: "
            "here the series is not the same any more in the runs after it.",
            with_test(copied=False),
        ),
        Mistake(
            "All forecasts are compared, those made after t as well, which may know more. Compare "
            "the one made at t.",
            with_test(read=lambda forecasts, t: np.nan_to_num(forecasts)),
        ),
        Mistake(
            "Forecasts made before t are compared as well: they may have seen what was future to "
            "*them*. Compare the one made at t.",
            with_test(read=up_to_the_origin),
        ),
        Mistake(
            "A gap of the future is filled, or a value replaced by a gap: which weeks are missing "
            "counts as known, and an honest pipeline may go by it. Leave gaps as they are.",
            with_test(without_gaps),
        ),
        Mistake(
            "The forecast that is compared was made one step after t: it knows the next value "
            "rightly. Compare the one made at t.",
            with_test(read=lambda forecasts, t: forecasts[min(t + 1, len(forecasts) - 1)]),
        ),
        Mistake(
            "The forecast that is compared was made one step before t.",
            with_test(read=lambda forecasts, t: forecasts[t - 1]),
        ),
        Mistake(
            "The first origin is left out. Windows that reach over the end of the training part "
            "leak there, and soon no more.",
            with_test(origins=lambda first, T: range(first + 1, T)),
        ),
        Mistake(
            "True and False come back, one for each origin. Return the list of the origins "
            "themselves.",
            as_truth_values,
        ),
        Mistake(
            "The origins are counted from `first`. Return t itself, its place in the series.",
            counted_from_first,
        ),
        Mistake(
            "These are the origins at which nothing leaks. Return those at which something does.",
            the_honest_ones,
        ),
        Mistake(
            "Nothing is ever found.",
            lambda pipeline, values, first: [],
        ),
        Mistake(
            "Every origin is called leaking, whatever the pipeline does.",
            lambda pipeline, values, first: list(range(first, len(values))),
        ),
    ),
)
