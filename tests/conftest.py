"""How pytest treats notebooks, and what several files of tests need."""

import os

import numpy as np
import pytest
import torch
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

from helpers import calling
from helpers.environment import COURSE
from helpers.exercises import judging
from solutions.grading import walls
from tests import chapters

os.environ.setdefault("OMP_NUM_THREADS", "1")  # for the kernels: two at once keep two cores busy


def pytest_addoption(parser):
    """Add what .ci/run asks for."""
    text = "fail where a test is skipped, since the browser or the sandbox is missing"
    parser.addoption("--nothing-skipped", action="store_true", help=text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    """Make a skipped test a failed one, if nothing may be skipped."""
    return unskipped((yield), item.config)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Make a skipped file a failed one, if nothing may be skipped."""
    return unskipped((yield), collector.config)


def unskipped(report, config):
    """Return a report that is no longer skipped, if nothing may be."""
    if report.outcome == "skipped" and config.getoption("nothing_skipped"):
        report.outcome, report.longrepr = "failed", f"nothing may be skipped: {report.longrepr}"
    return report


# What takes longest comes first, so that the workers end together.
LONGEST_FIRST = ("solutions/", "notebooks/", "tests/test_browser", "tests/test_grade_command")
LONGEST_FIRST += ("tests/test_marking", "tests/test_walls")


def pytest_collection_modifyitems(items):
    """Mark what executes chapters, for `-m "not notebook"`; put the longest tests first."""
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker(pytest.mark.notebook)
            # Plain text is enough: every HTML output carries the same words as its plain text.
            item.parent.skip_compare = (*item.parent.skip_compare, "text/html")
            tell_the_story_of_the_solution(item)
    last = len(LONGEST_FIRST)
    place = {start: number for number, start in enumerate(LONGEST_FIRST)}
    items.sort(
        key=lambda item: next((n for s, n in place.items() if item.nodeid.startswith(s)), last)
    )


def tell_the_story_of_the_solution(item):
    """Let a cell of a student copy be compared with what the solution's cell stores.

    A student copy stores its open cards alone. Unfilled, it runs on references, and all else that
    it prints must be what the solution prints.
    """
    if item.path.parent.name == "notebooks" and not chapters.checked_in(item.cell):
        solved = chapters.solution_of(item.path)[item.cell.id]
        item.cell.outputs, item.cell.execution_count = solved.outputs, solved.execution_count


class OneByOne(LoadScopeScheduling):
    """Hands tests to workers one by one; whole files where a file makes something for all of it."""

    WHOLE = (".ipynb", "test_grade_command.py")  # a kernel, a graded class

    def _split_scope(self, nodeid):
        file = nodeid.partition("::")[0]
        return file if file.endswith(self.WHOLE) else nodeid


def pytest_xdist_make_scheduler(config, log):
    """Keep both workers busy to the end."""
    return OneByOne(config, log)


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
def remembered(monkeypatch):
    """Run the reference and the known mistakes of an exercise once on the same cases.

    An answer is compared with all of them, so in a test of many answers they would run many times.
    """
    run, known = judging.outcomes_of, {}

    def outcomes_of(exercise, answer, cases):
        key = id(answer), id(cases)
        if key not in known:  # kept with both, so that neither's id is given to something new
            known[key] = answer, cases, run(exercise, answer, cases)
        return known[key][-1]

    monkeypatch.setattr(judging, "outcomes_of", outcomes_of)


@pytest.fixture
def judged(remembered):
    """Return (exercise, answer, seed) -> the result of `examine`."""
    cases = {}

    def result(exercise, answer, seed=0):
        key = exercise.name, seed
        if key not in cases:
            cases[key] = exercise.cases(np.random.default_rng(seed))
        with torch.random.fork_rng(devices=[]):
            arguments = exercise.name, answer, exercise.drive, exercise.collected, cases[key]
            return judging.judge(exercise, cases[key], calling.collect(*arguments))

    return result


@pytest.fixture(scope="session")
def cut_short(tmp_path_factory):
    """Environment variables for a kernel whose trainings are cut short (see cut_short.py).

    Its working folder is not the notebook's, as in Colab.
    """
    profile = tmp_path_factory.mktemp("ipython")
    startup = profile / "profile_default" / "startup"
    startup.mkdir(parents=True)
    lines = ["import os, sys", f"os.chdir({str(profile)!r})", f"sys.path.append({str(COURSE)!r})"]
    source = "\n".join([*lines, "import tests.cut_short", "del os, sys, tests"])
    (startup / "cut_short.py").write_text(source, encoding="utf-8")
    return {"IPYTHONDIR": str(profile)}
