"""Relations between what came out and what was expected: told if they hold in every case."""

import numpy as np
import pytest

from helpers.exercises import relations
from helpers.exercises.relations import Pair

SHAPES = [(2, 3, 4), (4, 2, 3), (3, 5, 4)]  # B, T, H
NORMAL = np.random.default_rng(0)


def said(slip, shapes=SHAPES, axes="B T H"):
    """Return what is said of answers that come out as `slip(expected, x)`."""
    pairs = []
    for shape in shapes:
        expected = NORMAL.normal(size=shape).astype(np.float32)
        x = np.zeros(shape)
        pairs.append(Pair(np.asarray(slip(expected, x)), expected, {"x": x, "rate": len(expected)}))
    return relations.in_words(pairs, axes.split())


@pytest.mark.parametrize(
    ("words", "slip"),
    [
        ("everywhere -2 times", lambda e, x: -2 * e),
        ("times `x.shape[1]`", lambda e, x: e * x.shape[1]),
        ("divided by `x.shape[0]`", lambda e, x: e / x.shape[0]),
        ("divided by the number of values in `x`", lambda e, x: e / x.size),
        ("where n is `x.shape[1]`", lambda e, x: e * x.shape[1] / (x.shape[1] - 1)),
        ("everywhere 0.5 more", lambda e, x: e + 0.5),
        ("laid out as (T, B, H)", lambda e, x: e.swapaxes(0, 1).reshape(e.shape)),
        ("reverse order along axis T", lambda e, x: e[:, ::-1]),
        ("another order along axis H", lambda e, x: np.roll(e, 1, 2)),
        ("the last of what is expected along axis T", lambda e, x: e[:, -1:].repeat(e.shape[1], 1)),
        (
            "the first of what is expected along axis H",
            lambda e, x: e[:, :, :1].repeat(e.shape[2], 2),
        ),
        (
            "the mean of what is expected along axis T",
            lambda e, x: e.mean(1, keepdims=True).repeat(e.shape[1], 1),
        ),
        ("It is `tanh` of", lambda e, x: np.tanh(e)),
        ("the square of", lambda e, x: e**2),
        ("the absolute value of", lambda e, x: abs(e)),
        ("the reciprocal of", lambda e, x: 1 / e),
        ("1 minus", lambda e, x: 1 - e),
        (
            "a softmax of what is expected along axis H",
            lambda e, x: np.exp(e) / np.exp(e).sum(2, keepdims=True),
        ),
        (
            "a log-softmax of what is expected along axis T",
            lambda e, x: e - np.log(np.exp(e).sum(1, keepdims=True)),
        ),
        ("the running sum of what is expected along axis T", lambda e, x: e.cumsum(1)),
        (
            "the difference from the mean of what is expected along axis H",
            lambda e, x: e - e.mean(2, keepdims=True),
        ),
        ("one place too late", lambda e, x: np.concatenate([0 * e[:, :1], e[:, :-1]], 1)),
        ("one place too early", lambda e, x: np.concatenate([e[:, 1:], e[:, :1] + 1], 1)),
        ("But for the sign of some", lambda e, x: np.where(np.arange(e.shape[2]) < 2, e, -e)),
        ("it is -0.3 or 0.3", lambda e, x: e.clip(-0.3, 0.3)),
        ("an axis of length 1 too many", lambda e, x: e[None]),
        ("stand in the order (T, B, H)", lambda e, x: e.swapaxes(0, 1)),
        ("The first place along axis T is too many", lambda e, x: np.insert(e, 0, 7, axis=1)),
        ("The last place along axis H is too many", lambda e, x: np.insert(e, e.shape[2], 7, 2)),
        ("The first place along axis T is missing", lambda e, x: e[:, 1:]),
        ("The last places along axis H are missing", lambda e, x: e[:, :, :-2]),
        ("Axis T is gone: only the last along it", lambda e, x: e[:, -1]),
        ("an axis too many, axis 1: the mean along it", lambda e, x: np.stack([e + 1, e - 1], 1)),
        ("the same numbers in the same order", lambda e, x: e.reshape(-1)),
        (relations.NAN, lambda e, x: np.where(e > 0, np.nan, e)),
    ],
)
def test_a_relation_is_told(words, slip):
    assert words in said(slip)


def test_an_axis_that_is_squeezed_away_is_told():
    assert "An axis of length 1 is missing" in said(
        lambda e, x: e.squeeze(), [(1, 3, 4), (2, 1, 4)]
    )


def test_whole_numbers_lose_their_decimals():
    assert "without its decimals" in said(lambda e, x: np.trunc(e))


def test_scalars_are_compared_over_the_cases():
    values = NORMAL.normal(size=5)
    pairs = [Pair(np.array(n * e), np.array(e), {"n": n}) for n, e in enumerate(values, start=2)]
    assert "times `n`" in relations.in_words(pairs, [])


@pytest.mark.parametrize(
    "slip",
    [
        lambda e, x: NORMAL.normal(size=e.shape),
        lambda e, x: NORMAL.normal(size=(7, *e.shape)),
        lambda e, x: 2 * e if len(e) > 2 else -e,  # in some cases only
        lambda e, x: e.swapaxes(0, 1) if len(e) > 2 else e[:, :1],
        lambda e, x: np.zeros((0, *e.shape)),
        lambda e, x: np.full(e.shape, np.inf),
        lambda e, x: e > 0,
        lambda e, x: e + 1e-4 * np.sign(e),  # nearly right: tanh and the like are as near
    ],
)
def test_nothing_is_told_of_what_is_not_related(slip):
    assert said(slip) == ""


def test_a_coincidence_of_few_values_is_not_told():
    flags = [Pair(np.array(1.0), np.array(0.0), {}) for _ in range(9)]
    assert relations.in_words(flags, []) == ""
    one = [Pair(np.array([3]), np.array([2]), {})]
    assert relations.in_words(one, ["i"]) == ""
