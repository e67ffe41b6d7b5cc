"""Processor seconds of one fixed matrix product, which tell how fast the machine is.

Also the table that all benchmarks print: the work done, the processor seconds that it took, and
below it what the machine needed for that product meanwhile.
"""

import contextlib
import time

import numpy as np
import torch


def matrix_product(repeats=100):
    """Return the seconds of a product of two 512 x 512 matrices in float32, on one thread."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    a, b = torch.ones(2, 512, 512)
    rounds = []
    for _ in range(5):  # the median: a machine that others use is slower at times
        started = time.process_time()
        for _ in range(repeats):
            a @ b
        rounds.append((time.process_time() - started) / repeats)
    torch.set_num_threads(threads)
    return sorted(rounds)[2]


def reaped():
    """Return the processor seconds of all child processes that have ended."""
    import resource  # Windows has none

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def table(title, columns):
    """Print a table; yield the function that prints a row of it: its name, then its cells.

    columns: the heads with bars between; after a colon the format of numbers that are not whole

    A cell may be the list of what each run had: shown is the mean, with ± sd where the head says
    so. Cells left out at the end stay empty. "CPU s" is added up over all rows and runs.
    """
    (first, *_), *columns = (column.strip().partition(":") for column in columns.split("|"))
    widths = [max(len(head), 17 if "±" in head else 7) for head, *_ in columns]
    total = 0.0

    def line(name, *texts):
        padded = (f"  {text:>{width}}" for text, width in zip(texts, widths, strict=False))
        print(f"{name:38}" + "".join(padded).rstrip(), flush=True)

    def row(name, *cells):
        nonlocal total
        texts = []
        for cell, (head, _, form) in zip(cells, columns, strict=False):
            texts.append(cell if isinstance(cell, str) else _number(cell, form, "±" in head))
            total += np.sum(cell) if head == "CPU s" else 0.0
        line(name, *texts)

    before = matrix_product()
    print(title)
    line(first, *(head for head, *_ in columns))
    yield row
    after = matrix_product()
    print(
        f"A matrix product took {1000 * before:.2f} ms before, {1000 * after:.2f} ms after; "
        f"all runs {total:.2f} CPU s, {total / 500 / (before + after):.1f} thousand products.\n"
    )


def _number(cell, form, spread):
    runs = np.atleast_1d(cell)
    text = format(runs.mean(), form or ".0f")
    if spread:
        text += f" ± {runs.std(ddof=1):{form}}" if len(runs) > 1 else " " * (len(text) + 3)
    return text


def main():
    print(f"one product: {1000 * matrix_product():.3f} ms")
