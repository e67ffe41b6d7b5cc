"""CPU seconds from an answer to its card: the solution, the slowest mistake, the first answer.

Promised: under one second each, on one core, but for the three open tasks whose card trains what
was handed in. "First" is the first answer in a fresh process, after `import torch`; it includes
what torch imports on first use, such as its optimizers.
"""

import contextlib
import io
import subprocess
import sys
import time

from helpers.environment import COURSE
from helpers.exercises import catalogue, examine
from tests import chapters
from tests.benchmarks.machine import table

FIRST = """
import sys, time, torch
from helpers.exercises import catalogue, examine
exercise = catalogue.find(sys.argv[1])
started = time.process_time()
assert examine(exercise.mistakes[0].answer, exercise).status == "wrong"
print(time.process_time() - started)
"""


def seconds(answer, exercise):
    started = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        examine(answer, exercise)
    return time.process_time() - started


def first(exercise):
    command = [sys.executable, "-c", FIRST, exercise.name]
    done = subprocess.run(command, check=True, capture_output=True, text=True, cwd=COURSE)
    return float(done.stdout)


def main():
    solved = {}
    for path in chapters.SOLUTIONS:
        solved |= chapters.define(chapters.read(path))
    columns = "exercise | solution:.3f | mistake:.3f | first:.3f | answers | CPU s:.2f"
    with table("CPU seconds of an answer", columns) as row:
        for chapter in catalogue.chapters().values():
            for exercise in chapter:
                solution = seconds(solved[exercise.name], exercise)
                mistakes = [seconds(m.answer, exercise) for m in exercise.mistakes]
                spent = [solution, *mistakes, first(exercise)]
                row(exercise.name, solution, max(mistakes), spent[-1], len(spent), sum(spent))
