"""CPU seconds of Restart Kernel and Run All, kernel and imports included, on one thread.

Promised: 60 for the unfilled student copy, 90 for the solution.
"""

import nbclient

from tests import chapters
from tests.benchmarks.machine import reaped, table


def cpu_seconds(notebook, path):
    before = reaped()
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources=where,
    ).execute()
    return reaped() - before


def main():
    with table("Restart Kernel and Run All", "notebook | cells | CPU s:.1f") as row:
        for edition in zip(chapters.NOTEBOOKS, chapters.SOLUTIONS, strict=True):
            for path in edition:
                notebook = chapters.read(path)
                cells = len(chapters.code_of(notebook))
                row(f"{path.parent.name}/{path.stem}", cells, cpu_seconds(notebook, path))
