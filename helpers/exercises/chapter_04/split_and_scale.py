"""`split_and_scale`: split a series in time, and scale all of it by its oldest part, section 4.9.

T time steps.
"""

from collections.abc import Callable

import numpy as np

from helpers.calling.arrays import Case
from helpers.calling.chapter_04 import call_split_and_scale
from helpers.exercises.contract import Exercise, Mistake


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


EXERCISE = Exercise(
    name="split_and_scale",
    title="split in time, scale by the past",
    points=2,
    outputs={
        "train": "T",
        "validation": "T",
        "test": "T",
        "train, after the future was changed": "T",
    },
    cases=cases,
    drive=call_split_and_scale,
    reference=split_and_scale,
    against="`np.split` and the mean and standard deviation of the first part",
    tolerance=3e-4,
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
            also=(lambda values, n_train, n_val: split_and_scale(values[::-1], n_train, n_val),),
        ),
        Mistake(
            "These are the parts of the series of differences. Scale the values themselves.",
            of_differences,
        ),
        Mistake(
            "The values are scaled to between 0 and 1. Subtract the mean and divide by the "
            "standard deviation.",
            wrong(scale=lambda part, known: (part - known.min()) / np.ptp(known)),
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
            "The test begins where the validation does. It begins at `n_train + n_val`.",
            wrong(cut=lambda values, n, k: [values[:n], values[n : n + k], values[n:]]),
        ),
        Mistake(
            "Only the training part is scaled. The others need the same mean and standard "
            "deviation, those that the training part had before.",
            only_training,
        ),
    ),
)
