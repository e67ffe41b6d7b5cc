"""Processor seconds of the grader's own side, for notebooks that are made to keep it busy.

What runs in a sandbox is limited; what reads a notebook and judges its answers is not, so it must
be quick whatever it gets. Each hostile notebook stands beside an honest one of the same chapter
whose answers are all wrong, each as if graded alone: what is known of the exercises is worked out
anew. "kept" is the memory that has not been given back afterwards.
"""

import gc
import time

import psutil

from helpers.environment import COURSE
from helpers.exercises import catalogue
from solutions.grading import marking, single, walls
from solutions.grading.arrivals import reading, recognising
from solutions.grading.arrivals.reading import Cell
from tests.benchmarks.machine import table

CHAPTER = 1
NAMES = [exercise.name for exercise in catalogue.chapters()[CHAPTER]]


def answers(body):
    return [Cell(f"answer-{name}", f"def {name}(*args, **kw):\n    {body}") for name in NAMES]


LIMITS = walls.Limits(seconds=10.0, total_seconds=30.0)  # the sandbox is not what is measured
HONEST = answers("return args[0]")
TORCH = "import torch; "
MANY = [
    Cell(f"h{k}", f"def h{k}():\n h{k + 1}({', '.join(f'n{k}_{i}' for i in range(9000))})")
    for k in range(8)
]
HOSTILE = {
    "long lines that are no code": [Cell(f"{n}", "a" * 99_990 + f" {n}?") for n in range(9)],
    "many magics": [Cell(f"{n}", "\n".join(["%a"] * 499)) for n in range(99)],
    "commas": [Cell(f"{n}", "1," * 2500 + "\n?") for n in range(99)],
    "deep brackets": [Cell(f"{n}", "(" * 5000) for n in range(200)],
    "names that need each other": [Cell(f"{n}", f"def f{n}(): f{n + 1}()") for n in range(480)],
    "one cell of many functions": [
        Cell("all", "\n".join(f"def f{n}(): return f{n + 1}, g" for n in range(3500)))
    ],
    "largest answers": answers(TORCH + "return torch.full((2**22,), float('nan'))"),
    "largest pairs": answers(TORCH + "return torch.zeros(2**20), torch.zeros(2**20)"),
    "answers of many axes": answers(TORCH + "return torch.zeros([1] * 12 + [2**16])"),
    "long exceptions": answers("raise ValueError('x' * 10**6)"),
    "answers that end the process": answers("import os; os._exit(1)"),
    "magics, one by one": [Cell(f"{n}", "x=1\n" * 24_600 + "%a\n" * 98) for n in range(8)],
    "calls of many names": [*MANY, *[Cell(f"z{n}", f"z{n} = h0()") for n in range(300)]],
    "one answer, many times": [Cell("m", "def rnn_step():\n 0\n" * 4000), *MANY],
    "errors without number": [Cell(f"{n}", f"raise ValueError({n})") for n in range(400)],
}


def main():
    columns = "notebook | CPU s:.2f | of an honest one:.2f | MiB kept:.0f"
    own = reading.edition("notebooks")[CHAPTER]
    with walls.stage(COURSE) as staged, table("the grader's side of one notebook", columns) as row:
        spent(own, staged)  # what is imported once
        honest, kept = spent([*own, *HONEST], staged)
        row("honest, all answers wrong", honest, 1.0, kept)
        for name, cells in HOSTILE.items():
            answered = any(cell.id.startswith("answer") for cell in cells)
            code = [*own, *([] if answered else HONEST), *cells]
            seconds, kept = spent(code, staged)
            row(name, seconds, seconds / honest, kept)


def spent(code, staged):
    """Return the CPU seconds of this process for grading, and the MiB that it keeps."""
    process = psutil.Process()
    marking.known_of.cache_clear()
    gc.collect()
    before, started = process.memory_info().rss, time.process_time()
    handed_out = reading.edition("notebooks")
    assert CHAPTER in recognising.chapters_of(code, handed_out)
    code = recognising.named(code, handed_out[CHAPTER])
    single.grade(code, CHAPTER, staged=staged, limits=LIMITS, slot=walls.SLOTS)
    seconds = time.process_time() - started
    gc.collect()
    return seconds, (process.memory_info().rss - before) / 2**20
