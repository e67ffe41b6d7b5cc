"""How pytest treats notebooks, and what several files of tests need."""

import os

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

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
