"""A chapter runs from top to bottom at any stage: with answers right, wrong, raising, and open."""

import inspect
import re

import nbclient
import pytest

from tests import chapters
from tests.test_exercises import VARIANTS

STUB = re.compile(r"raise NotImplementedError\(.*\)")
FILLINGS = {"wrong": "return None", "raising": "1 / 0", "open": None, "right": None}
SECONDS_A_CELL = 120


def run(notebook, folder):
    """Execute a notebook in `folder`; raise what its cells raise."""
    nbclient.NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    return notebook


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
    run(notebook, path.parent)
    signs = {"wrong": "✗!", "raising": "!", "open": "○", "right": "✓"}
    for name, filling in expected.items():
        assert card_of(notebook, name)[0] in signs[filling], f"{name}, {filling}"


@pytest.mark.parametrize("path", chapters.NOTEBOOKS, ids=lambda p: p.stem)
def test_a_chapter_runs_on_other_right_answers(path):
    notebook = chapters.read(path)
    for number, (name, cell) in enumerate(chapters.exercise_cells(notebook).items()):
        others = [answer for exercise, answer in VARIANTS if exercise.name == name]
        variant = others[number % len(others)]
        own = inspect.getsource(variant).replace(variant.__name__, name)
        cell.source = f"import numpy as np\n{own}"
    run(notebook, path.parent)
    for name in chapters.exercise_cells(notebook):
        assert card_of(notebook, name).startswith("✓ passed"), card_of(notebook, name)
