"""Processor seconds of the test suite, file by file.

Each file of tests runs in a process of its own, one after the other. Counted is all that the
machine's processors do meanwhile: what a sandbox started and the grader killed is in nobody's count
of children. So nothing else may run on the machine. The last line tells the cost in products of two
512 x 512 matrices, so that it can be compared with another machine's.
"""

import subprocess
import sys

import psutil

from helpers.environment import COURSE
from tests.benchmarks.machine import table


def files():
    """Return what pytest is asked for: each file of tests, each chapter in both editions."""
    found = [*sorted(COURSE.glob("tests/test_*.py")), *sorted(COURSE.glob("notebooks/*.ipynb"))]
    found += sorted(COURSE.glob("solutions/*.ipynb"))
    return [path.relative_to(COURSE) for path in found]


def busy():
    """Return the seconds that all processors of the machine have worked since it was started."""
    times = psutil.cpu_times()
    return sum(getattr(times, kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq"))


def seconds(path):
    """Return the processor seconds of one file of tests, and the outcomes that pytest counted."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(path)]
    before = busy()
    done = subprocess.run(command, cwd=COURSE, capture_output=True, text=True)
    last_line = done.stdout.strip().rpartition("\n")[2]
    return busy() - before, last_line.partition(" in ")[0]


def main():
    with table("the test suite", "file | CPU s:.1f | tests") as row:
        for path in files():
            row(str(path), *seconds(path))
