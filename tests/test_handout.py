"""The repository without solutions/ and tests/ is a complete hand-out for students."""

import os
import shutil
import subprocess
import sys

import pytest

from tests import chapters

HANDOUT = ["README.md", "requirements.txt", "pyproject.toml", "LICENSE", "helpers", "notebooks"]
RUN = """
import sys, nbclient, nbformat, helpers
assert helpers.__file__.startswith(sys.argv[1]), helpers.__file__
path = sys.argv[2]
notebook = nbformat.read(path, as_version=4)
nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3",
                        resources={"metadata": {"path": sys.argv[1] + "/notebooks"}}).execute()
nbformat.write(notebook, path)
"""


@pytest.fixture(scope="module")
def handout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("a hand-out with spaces, ü and ⟂")
    for name in HANDOUT:
        source = chapters.REPOSITORY / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    return folder


@pytest.mark.parametrize("path", chapters.NOTEBOOKS, ids=lambda p: p.stem)
def test_a_chapter_runs_in_the_handout_and_says_what_its_solution_says(handout, path):
    """Unfilled, the chapter runs on references alone: they must tell the same story."""
    environment = os.environ | {"PYTHONPATH": str(handout)}
    command = [sys.executable, "-c", RUN, str(handout), str(handout / "notebooks" / path.name)]
    done = subprocess.run(command, cwd=handout, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    solved = {
        cell.id: cell for cell in chapters.read(chapters.REPOSITORY / "solutions" / path.name).cells
    }
    for cell in chapters.read(handout / "notebooks" / path.name).cells:
        if "nbval-check-output" in cell.metadata.get("tags", []) and not chapters.checked_in(cell):
            assert chapters.words(cell) == chapters.words(solved[cell.id]), cell.id


def test_nothing_in_the_handout_imports_what_is_left_out(handout):
    for path in handout.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not line.startswith(("from tests", "import tests", "import release")), path


def test_top_level_shows_the_design():
    listed = subprocess.run(
        ["git", "ls-files"], cwd=chapters.REPOSITORY, capture_output=True, text=True
    )
    if listed.returncode:
        pytest.skip("not a git checkout")
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    assert {name for name in top if not name.startswith(".")} <= {*HANDOUT, "solutions", "tests"}
