"""One submission as a task for a worker process, on this machine or in a cluster."""

import functools
from dataclasses import asdict
from pathlib import Path

from grading import sandbox, submissions
from grading.judging import Graded, grade
from grading.submissions import Cell

COURSE = Path(__file__).parents[2]


@functools.cache
def edition(folder: str) -> dict[int, list[Cell]]:
    """Return chapter -> its code cells, of "notebooks" (as handed out) or "solutions"."""
    return {
        int(path.name[:2]): submissions.read(path)
        for path in sorted((COURSE / folder).glob("*.ipynb"))
    }


def grade_one(key: str, code: list[Cell], chapter: int, slot: int, seed: int, walled: bool):
    """Return `key` and the marks of one submission. Runs in a worker, here or in a cluster."""
    known = edition("notebooks")[chapter], edition("solutions")[chapter]
    try:
        with sandbox.stage(COURSE) as staged:
            graded = grade(
                code, *known, chapter, staged=staged, seed=seed, slot=slot, walled=walled
            )
    except Exception as error:
        graded = Graded([], [f"The grader failed: {type(error).__name__}: {error}"])
    return key, asdict(graded)
