"""CPU seconds of Restart Kernel and Run All, kernel and imports included, on one thread.

Promised: 60 for the unfilled student copy, 90 for the solution.
"""

import resource

import nbclient

from tests import chapters


def cpu_seconds(path):
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    where = {"metadata": {"path": str(path.parent)}}
    nbclient.NotebookClient(
        chapters.read(path),
        timeout=300,
        kernel_name="python3",
        extra_arguments=["--log-level=ERROR"],
        resources=where,
    ).execute()
    return used() - before


def main():
    print(f"{'chapter':28}{'student copy':>14}{'solution':>10}")
    for student, solution in zip(chapters.NOTEBOOKS, chapters.SOLUTIONS, strict=True):
        print(
            f"{student.stem:28}{cpu_seconds(student):14.1f}{cpu_seconds(solution):10.1f}",
            flush=True,
        )
