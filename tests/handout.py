"""A student's copy of the course: what belongs to it, and its exercises filled in, right and wrong.

The repository without solutions/ and tests/ is complete.
"""

import inspect
import re
import shutil
from pathlib import Path

from nbformat import NotebookNode

from helpers.environment import COURSE
from solutions.handout import files
from tests import chapters
from tests.test_exercises import VARIANTS

STUB = re.compile(r"raise NotImplementedError\(.*\)")
UNSOLVED = {"wrong": "return None", "raising": "1 / 0", "open": None}
SIGNS = {"right": "✓", "wrong": "✗!", "raising": "!", "open": "○"}  # a card begins with one


def lay_out(folder: Path) -> None:
    """Copy what a student gets into a folder."""
    for name in files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(COURSE / name, folder / name)


def filled(notebook: NotebookNode) -> dict[str, str]:
    """Fill the exercises: every other one with a right answer, the rest wrong, raising or open.

    Returns exercise -> what it was filled with.
    """
    fillings = {}
    for number, (name, cell) in enumerate(chapters.exercise_cells(notebook).items()):
        if number % 2 == 0:
            others = [answer for exercise, answer in VARIANTS if exercise.name == name]
            answer = others[number // 2 % len(others)]
            own = inspect.getsource(answer).replace(answer.__name__, name)
            cell.source, fillings[name] = f"import numpy as np\n{own}", "right"
        else:
            filling = list(UNSOLVED)[number // 2 % len(UNSOLVED)]
            body = UNSOLVED[filling]
            cell.source = STUB.sub(body, cell.source) if body else cell.source
            fillings[name] = filling
    return fillings


def demonstrations(notebook: NotebookNode) -> list[int]:
    """Return the indices of the code cells that stand directly below a check and are compared."""
    found, follows = [], False
    for index, cell in enumerate(notebook.cells):
        follows = cell.cell_type == "code" and (follows or bool(chapters.checked_in(cell)))
        tags = cell.metadata.get("tags", [])
        if follows and "nbval-check-output" in tags and not chapters.checked_in(cell):
            found.append(index)
    return found


def card_of(notebook: NotebookNode, exercise: str) -> str:
    (cell,) = (c for c in notebook.cells if chapters.checked_in(c) == exercise)
    return cell.outputs[-1].data["text/plain"]
