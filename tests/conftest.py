"""Settings for every test, and what several of them share."""

import os
from pathlib import Path

import pytest
from nbval.plugin import IPyNbFile

REPOSITORY = Path(__file__).parents[1]

os.environ["OMP_NUM_THREADS"] = "1"  # for the kernels: on a busy machine two threads crawl


def pytest_collectstart(collector):
    """Compare plain text only: every HTML output carries the same words as its plain text."""
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += ("text/html",)


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY
