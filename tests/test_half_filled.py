"""A chapter runs from top to bottom at any stage: with answers right, wrong, raising, and open."""

import contextlib
import inspect
import re

import nbclient
import pytest

from tests import chapters
from tests.test_exercises import VARIANTS

STUB = re.compile(r"raise NotImplementedError\(.*\)")
FILLINGS = {"wrong": "return None", "raising": "1 / 0", "open": None, "right": None}
SECONDS_A_CELL = 120


@contextlib.contextmanager
def executed(notebook, folder):
    """Execute a notebook in `folder` and raise what its cells raise; yield the living client."""
    client = nbclient.NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    )
    with client.setup_kernel():
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        yield client


def demonstrations(notebook):
    """Return the indices of the code cells that stand directly below a check."""
    found, follows = [], False
    for index, cell in enumerate(notebook.cells):
        follows = cell.cell_type == "code" and (follows or bool(chapters.checked_in(cell)))
        if follows and "nbval-check-output" in cell.metadata.get("tags", []):
            found.append(index)
    return found


def card_of(notebook, exercise):
    (cell,) = (c for c in notebook.cells if chapters.checked_in(c) == exercise)
    return cell.outputs[-1].data["text/plain"]


@pytest.mark.parametrize("path", chapters.NOTEBOOKS, ids=lambda p: p.stem)
def test_half_filled(path):
    notebook = chapters.read(path)
    solved = chapters.exercise_cells(chapters.read(path.parents[1] / "solutions" / path.name))
    expected = {}
    for number, (name, cell) in enumerate(chapters.exercise_cells(notebook).items()):
        filling = list(FILLINGS)[number % len(FILLINGS)]
        if filling == "right":
            cell.source = solved[name].source
        elif FILLINGS[filling]:
            cell.source = STUB.sub(FILLINGS[filling], cell.source)
        expected[name] = filling
    with executed(notebook, path.parent):
        pass
    signs = {"wrong": "✗!", "raising": "!", "open": "○", "right": "✓"}
    for name, filling in expected.items():
        assert card_of(notebook, name)[0] in signs[filling], f"{name}, {filling}"


@pytest.mark.parametrize("path", chapters.NOTEBOOKS, ids=lambda p: p.stem)
def test_a_chapter_runs_on_other_right_answers_and_again_below_each(path):
    """Who comes back to an exercise later runs the cells below it once more: same outputs."""
    notebook = chapters.read(path)
    for number, (name, cell) in enumerate(chapters.exercise_cells(notebook).items()):
        others = [answer for exercise, answer in VARIANTS if exercise.name == name]
        variant = others[number % len(others)]
        own = inspect.getsource(variant).replace(variant.__name__, name)
        cell.source = f"import numpy as np\n{own}"
    with executed(notebook, path.parent) as client:
        for index in demonstrations(notebook):
            cell, said = notebook.cells[index], chapters.words(notebook.cells[index])
            client.execute_cell(cell, index)
            assert chapters.words(cell) == said, cell.id
    for name in chapters.exercise_cells(notebook):
        assert card_of(notebook, name).startswith("✓ passed"), card_of(notebook, name)
