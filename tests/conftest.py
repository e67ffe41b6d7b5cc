"""Settings for every test, and what several of them share."""

import os
from pathlib import Path

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

REPOSITORY = Path(__file__).parents[1]

os.environ["OMP_NUM_THREADS"] = "1"  # for the kernels: on a busy machine two threads crawl


def pytest_collectstart(collector):
    """Compare plain text only: every HTML output carries the same words as its plain text."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += ("text/html",)


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks for the groups
def pytest_collection_modifyitems(items):
    """Keep the cells of a notebook together: they share a kernel, so one process runs them all."""
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker(pytest.mark.notebook)
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY
