"""Processor seconds of the test suite, file by file, and in units of a fixed matrix product.

Each file of tests runs in a process of its own, one after the other. Counted are user and system
time of that process and of everything it started: kernels, JupyterLab, browser, sandboxes. A unit
is a product of two 512 x 512 matrices in float32 on one thread, measured before and after, so that
the cost can be compared with another machine's.
"""

import os
import resource
import subprocess
import sys

from helpers.environment import COURSE
from tests.benchmarks.machine import matrix_product


def files():
    """Return what pytest is asked for: each file of tests, each chapter in both editions."""
    found = [*sorted(COURSE.glob("tests/test_*.py")), *sorted(COURSE.glob("notebooks/*.ipynb"))]
    found += sorted(COURSE.glob("solutions/*.ipynb"))
    return [path.relative_to(COURSE) for path in found]


def seconds(path):
    """Return the processor seconds of one file of tests, and the last line that pytest printed."""
    command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(path)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(command, cwd=COURSE, env=os.environ, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return spent, done.stdout.strip().rpartition("\n")[2]


def main():
    product, total = matrix_product(), 0.0
    print(f"{'file':40}{'CPU s':>8}   1000 products")
    for path in files():
        spent, said = seconds(path)
        total += spent
        print(f"{path!s:40}{spent:8.1f}{spent / product / 1000:10.1f}   {said}", flush=True)
    product = (product + matrix_product()) / 2
    print(f"{'all':40}{total:8.1f}{total / product / 1000:10.1f}")
