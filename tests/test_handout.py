"""The repository without solutions/ and tests/ is a complete hand-out, at any stage of work."""

import contextlib
import inspect
import os
import re
import shutil
import subprocess

import nbclient
import nbformat
import pytest

from helpers.environment import COURSE
from tests import chapters
from tests.test_exercises import VARIANTS

VISIBLE = {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff", "LICENSE"}
VISIBLE |= {"requirements.txt", "pyproject.toml", "jupyter_lab_config.py", "helpers", "notebooks"}
HANDOUT = [*sorted(VISIBLE), ".jupyter"]
STUB = re.compile(r"raise NotImplementedError\(.*\)")
UNSOLVED = {"wrong": "return None", "raising": "1 / 0", "open": None}
SIGNS = {"right": "✓", "wrong": "✗!", "raising": "!", "open": "○"}
SECONDS_A_CELL = 600


@pytest.fixture(scope="module")
def handout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a hand-out with spaces, ü and ⟂")
    for name in HANDOUT:
        source = COURSE / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


@contextlib.contextmanager
def executed(notebook, handout, cut_short):
    """Execute a notebook in the hand-out, its trainings cut short, and raise what its cells raise.

    Yields the client.
    """
    client = nbclient.NotebookClient(
        notebook,
        timeout=SECONDS_A_CELL,
        kernel_name="python3",
        resources={"metadata": {"path": str(handout / "notebooks")}},
    )
    with client.setup_kernel(env=os.environ | cut_short | {"PYTHONPATH": str(handout)}):
        for index, cell in enumerate(notebook.cells):
            client.execute_cell(cell, index)
        yield client


def filled(notebook):
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


def demonstrations(notebook):
    """Return the indices of the code cells that stand directly below a check and are compared."""
    found, follows = [], False
    for index, cell in enumerate(notebook.cells):
        follows = cell.cell_type == "code" and (follows or bool(chapters.checked_in(cell)))
        tags = cell.metadata.get("tags", [])
        if follows and "nbval-check-output" in tags and not chapters.checked_in(cell):
            found.append(index)
    return found


def card_of(notebook, exercise):
    (cell,) = (c for c in notebook.cells if chapters.checked_in(c) == exercise)
    return cell.outputs[-1].data["text/plain"]


@pytest.mark.notebook
@pytest.mark.parametrize("path", chapters.NOTEBOOKS, ids=lambda p: p.stem)
def test_a_half_filled_chapter_runs_and_runs_again_below_each_answer(handout, path, cut_short):
    """Whoever comes back to an exercise later runs the cells below it again: same outputs."""
    notebook = chapters.read(handout / "notebooks" / path.name)
    fillings = filled(notebook)
    asked = nbformat.v4.new_code_cell("import helpers; helpers.__file__")
    notebook.cells.append(asked)
    with executed(notebook, handout, cut_short) as client:
        for index in demonstrations(notebook):
            cell, said = notebook.cells[index], chapters.words(notebook.cells[index])
            client.execute_cell(cell, index)
            assert chapters.words(cell) == said, cell.id
    assert str(handout) in asked.outputs[0].data["text/plain"]
    for name, filling in fillings.items():
        assert card_of(notebook, name)[0] in SIGNS[filling], f"{name}: {card_of(notebook, name)}"


def test_nothing_in_the_handout_imports_what_is_left_out(handout):
    for path in handout.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not line.startswith(("from tests", "import tests", "import release")), path


def test_top_level_shows_the_design():
    if not (COURSE / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout, or no git")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=COURSE, capture_output=True, text=True, check=True
    )
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} == VISIBLE | {"solutions", "tests"}
