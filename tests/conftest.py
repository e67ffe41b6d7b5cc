"""What several files of tests need."""

import numpy as np
import pytest
import torch

from helpers.environment import COURSE
from helpers.exercises.judging import judge
from helpers.exercises.known import Known
from solutions.grading import walls


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


@pytest.fixture(scope="session")
def known_of():
    """Return (exercise, seed) -> what is known of it on the cases of this seed, made once."""

    kept = {}

    def known(exercise, seed=0):
        if (exercise.name, seed) not in kept:
            cases = exercise.cases(np.random.default_rng(seed))
            kept[exercise.name, seed] = Known(exercise, cases)
        return kept[exercise.name, seed]

    return known


@pytest.fixture(scope="session")
def judged(known_of):
    """Return (exercise, answer, seed) -> the result of `examine`."""

    def result(exercise, answer, seed=0):
        known = known_of(exercise, seed)
        with torch.random.fork_rng(devices=[]):
            return judge(known, known.collected(answer, exercise.by_hand))

    return result


@pytest.fixture(scope="session")
def cut_short(tmp_path_factory):
    """Environment variables for a kernel whose trainings are cut short (see cut_short.py).

    Its working folder is not the notebook's, as in Colab.
    """
    profile = tmp_path_factory.mktemp("ipython")
    startup = profile / "profile_default" / "startup"
    startup.mkdir(parents=True)
    source = AT_START.format(folder=str(profile), course=str(COURSE))
    (startup / "cut_short.py").write_text(source, encoding="utf-8")
    return {"IPYTHONDIR": str(profile)}


AT_START = """
def cut_short(info):  # with the first cell: a notebook that is only read needs no torch
    import gc, os, sys

    gc.disable()  # what a chapter leaves behind is little
    get_ipython().events.unregister("pre_run_cell", cut_short)
    os.chdir({folder!r})
    sys.path.append({course!r})
    import tests.cut_short


get_ipython().events.register("pre_run_cell", cut_short)
"""
