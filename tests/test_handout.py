"""The repository without solutions/ and tests/ is a complete hand-out."""

import shutil
import subprocess

import pytest

from helpers.environment import COURSE
from tests import handout


def test_nothing_in_the_handout_imports_what_is_left_out(tmp_path):
    handout.lay_out(tmp_path)
    for path in tmp_path.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            assert not line.startswith(("from tests", "import tests", "import release")), path


def test_top_level_shows_the_design():
    if not (COURSE / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout, or no git")
    listed = subprocess.run(
        ["git", "ls-files"], cwd=COURSE, capture_output=True, text=True, check=True
    )
    top = {line.split("/")[0] for line in listed.stdout.splitlines()}
    visible = {name for name in top if not name.startswith(".")}
    assert visible == handout.VISIBLE | {"solutions", "tests"}
