"""The cases of an exercise tell apart what an answer must tell apart.

Where all cases share a symmetry - equal rows, levels in order, two sizes that always agree - an
answer that relies on it passes, and is wrong.
"""

import functools
import itertools

import numpy as np
import pytest

from helpers.calling.arrays import Given
from helpers.exercises import catalogue

EXERCISES = [exercise for chapter in catalogue.chapters().values() for exercise in chapter]
PYTHONS_OWN = (int, float, str, bool, type(None), np.ndarray)
SEEDS = range(5)
# What these return is tried by the check: their cases are not handed to an answer.
HANDED_NOTHING = ("parity_weights", "remember_first", "adding_lstm", "adding_rnn")


def draws(exercise):
    """Return the cases of several seeds, a list for each, as answers get them."""
    return draws_of(exercise.name)


@functools.cache
def draws_of(name):
    exercise = catalogue.find(name)
    drawn = (exercise.handed(exercise.cases(np.random.default_rng(s))) for s in SEEDS)
    return [[Given(case) for case in cases] for cases in drawn]


def arrays(case):
    """Yield name and array of all arrays of a case, those in lists among them."""
    for name, value in case.items():
        parts = value if isinstance(value, list) else [value]
        yield from ((name, part) for part in parts if isinstance(part, np.ndarray))


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_arguments_have_the_types_that_the_chapters_have(exercise):
    for case in itertools.chain(*draws(exercise)):
        for name, value in case.items():
            parts = value if isinstance(value, list) else [value]
            assert all(type(part) in PYTHONS_OWN for part in parts), name


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_in_some_case_no_two_rows_are_equal(exercise):
    for cases in draws(exercise) if exercise.name not in HANDED_NOTHING else []:
        tall = [(name, a) for case in cases for name, a in arrays(case) if a.ndim > 1 < len(a)]
        for name in {name for name, _ in tall}:
            rows = [a.reshape(len(a), -1) for other, a in tall if other == name]
            assert any(len(np.unique(a, axis=0)) == len(a) for a in rows), name


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_in_some_case_all_sizes_of_an_array_differ(exercise):
    for cases in draws(exercise):
        shapes = [(name, [n for n in a.shape if n > 1]) for c in cases for name, a in arrays(c)]
        for name in {name for name, _ in shapes}:
            of_name = [sizes for other, sizes in shapes if other == name]
            square = all(len(set(sizes)) < len(sizes) for sizes in of_name)
            assert not square or all(len(sizes) == 2 for sizes in of_name), name


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_numbers_in_a_list_are_not_always_in_order(exercise):
    for cases in draws(exercise):
        lists = [(n, v) for c in cases for n, v in c.items() if isinstance(v, list) and len(v) > 1]
        numbers = [(n, v) for n, v in lists if all(isinstance(part, float) for part in v)]
        for name in {name for name, _ in numbers}:
            assert any(v != sorted(v) for other, v in numbers if other == name), name


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_two_sizes_do_not_always_agree(exercise):
    for cases in draws(exercise):
        names = [name for name, value in cases[0].items() if type(value) is int]
        for one, other in itertools.combinations(names, 2):
            assert any(case[one] != case[other] for case in cases), (one, other)


# With a batch of one.
ASKED_BY_THE_DRIVER = ("RNNTextGen", "CharLSTM", "sample_next", "learn_recall")


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_some_size_is_the_smallest_there_is(exercise):
    for cases in draws(exercise):
        shapes = [a.shape for case in cases for _, a in arrays(case) if a.ndim]
        sizes = [n for shape in shapes for n in shape]
        sizes += [value for case in cases for value in case.values() if type(value) is int]
        if exercise.name not in ASKED_BY_THE_DRIVER + HANDED_NOTHING:
            assert not shapes or {0, 1} & set(sizes)
