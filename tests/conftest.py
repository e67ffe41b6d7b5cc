"""How pytest treats notebooks."""

import os

import pytest
from nbval.plugin import IPyNbCell, IPyNbFile

os.environ["OMP_NUM_THREADS"] = "1"  # for the kernels: on a busy machine two threads crawl


def pytest_collectstart(collector):
    """Compare plain text only: every HTML output carries the same words as its plain text."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += ("text/html",)


def pytest_collection_modifyitems(items):
    """Let `-m "not notebook"` leave out what executes chapters."""
    for item in items:
        if isinstance(item, IPyNbCell):
            item.add_marker(pytest.mark.notebook)
