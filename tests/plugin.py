"""How pytest treats notebooks, in which order tests run, and on which worker.

pyproject.toml names this file as a plugin, so that it is there wherever a test comes from:
`pytest notebooks/01_rnn_basics.ipynb` reads no conftest.py in this folder.
"""

import gc
import os
import re

import pytest
from nbformat.v4 import new_output
from nbval.plugin import IPyNbCell
from xdist.scheduler import LoadScopeScheduling

from helpers.exercises import catalogue
from helpers.exercises.checking import line_of_points
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


def pytest_collection_finish():
    """Look for garbage among what tests make only: what was collected stays to the end."""
    gc.freeze()


def unskipped(report, config):
    """Return a report that is no longer skipped, if nothing may be."""
    if report.outcome == "skipped" and config.getoption("nothing_skipped"):
        report.outcome, report.longrepr = "failed", f"nothing may be skipped: {report.longrepr}"
    return report


# What takes longest comes first, so that the workers end together.
LONGEST_FIRST = ("solutions/", "notebooks/", "tests/test_browser", "tests/test_grade_command")
LONGEST_FIRST += ("tests/test_marking", "tests/test_walls")


# Checks of these train what they are handed, for seconds.
TRAINED = ("build_forecaster", "learn_language", "learn_recall")


def draws(n):
    """Return n seeds for a test that draws cases; those after the first are for the long run."""
    return [0, *(pytest.param(seed, marks=pytest.mark.notebook) for seed in range(1, n))]


@pytest.hookimpl(tryfirst=True)  # before -k and -m choose
def pytest_collection_modifyitems(items):
    """Let -k and -m know what belongs to which chapter; put the longest tests first."""
    known = catalogue.chapters().items()
    chapter_of = {e.name: f"{number:02}_" for number, exercises in known for e in exercises}
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if exercise := parameters.get("exercise"):
            item.extra_keyword_matches.add(chapter_of[exercise.name])
            if exercise.name in TRAINED:
                item.add_marker(pytest.mark.notebook)
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
    it prints must be what the solution prints, but for the points.
    """
    if item.path.parent.name == "notebooks" and not chapters.checked_in(item.cell):
        solved = chapters.solution_of(item.path)[item.cell.id]
        item.cell.outputs, item.cell.execution_count = solved.outputs, solved.execution_count
        if item.cell.source == "points()":
            nothing = line_of_points(int(item.path.name[:2]), [])
            item.cell.outputs = [new_output("stream", name="stdout", text=f"{nothing}\n")]


EXERCISES = {exercise.name for exercises in catalogue.chapters().values() for exercise in exercises}


class OneByOne(LoadScopeScheduling):
    """Hands tests to workers one by one, or what shares something that is made for all of it.

    That is a whole file, or all tests of an exercise, which are judged by what is known of it.
    """

    # What is made for all of a file: a kernel, a graded class, the results of all answers.
    WHOLE = (".ipynb", "test_grade_command.py", "test_answers.py")

    def _split_scope(self, nodeid):
        file, _, test = nodeid.partition("::")
        exercise = re.match(r"test_\w+\[(\w+)", test)
        if exercise and exercise[1] in EXERCISES:
            return exercise[1]
        return file if file.endswith(self.WHOLE) else nodeid


def pytest_xdist_make_scheduler(config, log):
    """Keep both workers busy to the end."""
    return OneByOne(config, log)
