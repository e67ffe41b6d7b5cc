"""`split_and_scale`: split a series in time, and scale all of it by its oldest part, section 4.9.

T time steps.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_split_and_scale
from helpers.exercises.contract import Arrays, Exercise, Mistake


def split_and_scale(values, n_train, n_val):
    """Return three arrays, train (n_train,), validation (n_val,) and test (the rest).

    They are the parts of values (T,), cut by `np.split`, less the mean of the first and divided by
    the standard deviation of the first, as NumPy has it: by n, not n - 1.
    """
    parts = np.split(values, [n_train, n_train + n_val])
    return tuple((part - parts[0].mean()) / parts[0].std() for part in parts)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series that rise and swing, so that the parts differ in mean and standard deviation.

    They are long, so that it does not matter whether these divide by n or by n - 1. Some have no
    validation part, or no test. Each has an outlier.
    """
    sizes = [(500, 60, 80), (450, 50, 50), (480, 0, 70), (460, 40, 0)]  # n_train, n_val, n_test
    sizes += [(int(rng.integers(450, 600)), *rng.integers(40, 90, size=2).tolist())]
    drawn = []
    for n_train, n_val, n_test in sizes:
        t = np.arange(n_train + n_val + n_test)
        values = 300 + 0.05 * t + 3 * np.sin(t / 8) + rng.normal(size=len(t))
        values[rng.integers(n_train)] += 90
        drawn.append({"values": values, "n_train": n_train, "n_val": n_val})
    return drawn


PARTS = "train", "validation", "test"
TOLERANCE = 3e-4
SAME_LINE = 1e-5  # of the range of the values: so near to a straight line are numbers on it
ALIKE = (
    "The parts are cut correctly and scaled alike. What is subtracted is the training part's mean "
    "{:+.4g} of its standard deviations; what is divided by is {:.4g} of them."
)
NOT_ALIKE = (
    "The parts are cut correctly, but each is scaled by other numbers.\n"
    "Scale all by the mean and the standard deviation of the training part."
)
OUT_OF_ORDER = (
    "The values are there, scaled alike, but not in their order in time.\n"
    "Cut in time, the oldest part for training."
)


def wrong(
    cut=lambda values, n, k: [values[:n], values[n : n + k], values[n + k :]],
    known=lambda parts: parts[0],
    scale=lambda part, known: (part - known.mean()) / known.std(),
) -> Callable:
    """Return a `split_and_scale` that departs from the right one in what is given.

    known: the values whose mean and standard deviation are taken
    """

    def answer(values, n_train, n_val):
        parts = cut(values, n_train, n_val)
        return tuple(scale(part, known(parts)) for part in parts)

    return answer


def at_random(values, n_train, n_val):
    return split_and_scale(np.random.default_rng(0).permutation(values), n_train, n_val)


def of_differences(values, n_train, n_val):
    return split_and_scale(np.diff(values, prepend=values[0]), n_train, n_val)


def only_training(values, n_train, n_val):
    train, *_ = split_and_scale(values, n_train, n_val)
    return train, values[n_train : n_train + n_val], values[n_train + n_val :]


def from_the_end(values, n, k):
    test = len(values) - n - k
    return [values[len(values) - n :], values[test : test + k], values[:test]]


def on_a_line(got: np.ndarray, expected: np.ndarray) -> tuple[float, float] | None:
    """Return a and b with got = a expected + b, if there are such numbers."""
    if not np.isfinite(got).all() or np.ptp(got) == 0:
        return None
    a, b = np.polyfit(expected, got, 1)
    apart = np.abs(a * expected + b - got).max()
    return (a, b) if apart < SAME_LINE * np.ptp(got) else None


def explain(got: Arrays, expected: Arrays) -> str:
    """Return how the parts differ from the right ones, if that is their scale or order."""
    mine, right = ([arrays[name] for name in PARTS] for arrays in (got, expected))
    if [part.shape for part in mine] != [part.shape for part in right]:
        return ""
    every, wanted = np.concatenate(mine), np.concatenate(right)
    if np.allclose(every, wanted, atol=TOLERANCE, rtol=10 * TOLERANCE):
        return ""
    if line := on_a_line(every, wanted):
        return ALIKE.format(round(-line[1] / line[0], 6) + 0.0, 1 / line[0])
    if on_a_line(np.sort(every), np.sort(wanted)):
        return OUT_OF_ORDER
    each = all(on_a_line(*pair) for pair in zip(mine, right, strict=True) if len(pair[0]))
    return NOT_ALIKE if each else ""


EXERCISE = Exercise(
    name="split_and_scale",
    title="split in time, scale by the past",
    points=2,
    difficulty=2,
    outputs={
        "train": "T",
        "validation": "T",
        "test": "T",
        "train, after the future was changed": "T",
    },
    cases=cases,
    drive=call_split_and_scale,
    reference=split_and_scale,
    explain=explain,
    against="`np.split` and the mean and standard deviation of the first part",
    tolerance=TOLERANCE,
    mistakes=(
        Mistake(
            "Mean and standard deviation come from the whole series, validation and test included: "
            "a leak from the future. Take those of the training part.",
            wrong(known=lambda parts: np.concatenate(parts)),
        ),
        Mistake(
            "Mean and standard deviation come from training and validation together. Take those "
            "of the training part alone.",
            wrong(known=lambda parts: np.concatenate(parts[:2])),
        ),
        Mistake(
            "Every part is scaled by its own mean and standard deviation. The forecaster never "
            "sees those of the future: scale all three by the training part's.",
            wrong(scale=lambda part, known: (part - part.mean()) / part.std()),
        ),
        Mistake(
            "The split is random: the training part then holds weeks from after the test. Cut in "
            "time, the oldest part for training.",
            at_random,
        ),
        Mistake(
            "The training part is taken from the end of the series. It is the oldest part, and the "
            "test the newest.",
            wrong(cut=from_the_end),
            also=(lambda values, n_train, n_val: split_and_scale(values[::-1], n_train, n_val),),
        ),
        Mistake(
            "Mean and standard deviation come from different parts: one of them from the whole "
            "series, a leak from the future. Take both from the training part.",
            wrong(
                known=lambda parts: parts,
                scale=lambda part, known: (part - known[0].mean()) / np.concatenate(known).std(),
            ),
            also=(
                wrong(
                    known=lambda parts: parts,
                    scale=lambda part, known: (
                        (part - np.concatenate(known).mean()) / known[0].std()
                    ),
                ),
            ),
        ),
        Mistake(
            "These are the parts of the series of differences. Scale the values themselves.",
            of_differences,
        ),
        Mistake(
            "The values are scaled to between 0 and 1. Subtract the mean and divide by the "
            "standard deviation.",
            wrong(scale=lambda part, known: (part - known.min()) / np.ptp(known)),
            also=(
                wrong(
                    known=np.concatenate,
                    scale=lambda part, known: (part - known.min()) / np.ptp(known),
                ),
            ),
        ),
        Mistake(
            "The median is subtracted. Subtract the mean of the training part.",
            wrong(scale=lambda part, known: (part - np.median(known)) / known.std()),
        ),
        Mistake(
            "This divides by the mean absolute deviation. Divide by the standard deviation.",
            wrong(
                scale=lambda part, known: (
                    (part - known.mean()) / np.abs(known - known.mean()).mean()
                )
            ),
        ),
        Mistake(
            "This divides by the root of the mean square of the values. The standard deviation is "
            "that of their distances from the mean.",
            wrong(scale=lambda part, known: (part - known.mean()) / np.sqrt((known**2).mean())),
        ),
        Mistake(
            "The values are divided by the standard deviation first, and the mean of the unscaled "
            "ones is subtracted then. Subtract first.",
            wrong(scale=lambda part, known: part / known.std() - known.mean()),
        ),
        Mistake(
            "Validation and test are swapped: the test comes last.",
            wrong(cut=lambda values, n, k: [values[:n], values[n + k :], values[n : n + k]]),
        ),
        Mistake(
            "The mean is not subtracted.",
            wrong(scale=lambda part, known: part / known.std()),
        ),
        Mistake(
            "The division by the standard deviation is missing.",
            wrong(scale=lambda part, known: part - known.mean()),
        ),
        Mistake(
            "This divides by the variance. Its root is the standard deviation.",
            wrong(scale=lambda part, known: (part - known.mean()) / known.var()),
        ),
        Mistake(
            "`values - mean / sd` divides first. Put brackets around the difference.",
            wrong(scale=lambda part, known: part - known.mean() / known.std()),
        ),
        Mistake(
            "The parts are not scaled.",
            wrong(scale=lambda part, known: part),
        ),
        Mistake(
            "The second cut is at `n_val`. It is at `n_train + n_val`.",
            wrong(cut=lambda values, n, k: [values[:n], values[n:k], values[k:]]),
        ),
        Mistake(
            "The validation part ends at `n_val`. It ends at `n_train + n_val`.",
            wrong(cut=lambda values, n, k: [values[:n], values[n:k], values[n + k :]]),
        ),
        Mistake(
            "An index counts from the end here, and where it is -0 it means the beginning. Cut at "
            "`n_train` and `n_train + n_val`.",
            wrong(cut=lambda v, n, k: [v[:n], v[n : n + k - len(v)], v[n + k :]]),
            also=(
                wrong(cut=lambda v, n, k: [v[:n], v[n : n + k - len(v)], v[n + k - len(v) :]]),
                wrong(cut=lambda v, n, k: [v[:n], v[n : n + k], v[n + k - len(v) :]]),
                wrong(cut=lambda v, n, k: [v[:n], v[: n + k][-k:], v[n + k :]]),
            ),
        ),
        Mistake(
            "A value is lost at a cut. Each part begins at the index where the one before ends.",
            wrong(cut=lambda v, n, k: [v[:n], v[n : n + k], v[n + k + 1 :]]),
            also=(
                wrong(cut=lambda v, n, k: [v[:n], v[n + 1 : n + k], v[n + k :]]),
                wrong(cut=lambda v, n, k: [v[:n], v[n + 1 : n + k], v[n + k + 1 :]]),
                wrong(cut=lambda v, n, k: [v[:n], v[n + 1 : n + k + 1], v[n + k + 1 :]]),
            ),
        ),
        Mistake(
            "The test begins where the validation does. It begins at `n_train + n_val`.",
            wrong(cut=lambda values, n, k: [values[:n], values[n : n + k], values[n:]]),
        ),
        Mistake(
            "Only the training part is scaled. The others need the same mean and standard "
            "deviation, those that the training part had before.",
            only_training,
        ),
        Mistake(
            "The training part is not scaled, and the others are.",
            lambda values, n, k: (values[:n], *split_and_scale(values, n, k)[1:]),
        ),
    ),
)
