"""How pytest treats notebooks, and what several files of tests need."""

import os

import numpy as np
import pytest
import torch
from nbval.plugin import IPyNbCell, IPyNbFile

from helpers import calling
from helpers.environment import COURSE
from helpers.exercises import judging
from solutions.grading import walls

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the kernels: two at once keep two cores busy


def pytest_collectstart(collector):
    """Compare plain text only: every HTML output carries the same words as its plain text."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += ("text/html",)


def pytest_collection_modifyitems(items):
    """Let `-m "not notebook"` leave out what executes chapters."""
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker(pytest.mark.notebook)


@pytest.fixture(scope="session")
def sandboxed():
    """Skip what needs a sandbox where there is none."""
    try:
        walls.check_available()
    except walls.Unavailable as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def staged(sandboxed):
    """What a submission finds of the course in its sandbox."""
    with walls.stage(COURSE) as folder:
        yield folder


@pytest.fixture
def judged(monkeypatch):
    """Return (exercise, answer, seed) -> the result of `examine`.

    An answer is compared with the reference and all known mistakes of its exercise; so what these
    do on a case is remembered, while the answer itself is always run anew.
    """
    run, cases, known = judging.outcomes_of, {}, {}

    def remembered(exercise, answer, drawn):
        key = id(answer), id(drawn)
        if key not in known:
            known[key] = run(exercise, answer, drawn)
        return known[key]

    monkeypatch.setattr(judging, "outcomes_of", remembered)

    def result(exercise, answer, seed=0):
        key = exercise.name, seed
        if key not in cases:
            cases[key] = exercise.cases(np.random.default_rng(seed))
        with torch.random.fork_rng(devices=[]):
            arguments = exercise.name, answer, exercise.drive, exercise.collected, cases[key]
            return judging.judge(exercise, cases[key], calling.collect(*arguments))

    return result
