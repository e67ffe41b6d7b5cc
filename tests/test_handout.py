"""The repository without solutions/ and tests/ is a complete hand-out."""

import shutil
import subprocess
import zipfile

import pytest

from helpers.environment import COURSE
from solutions import release
from solutions.handout import VISIBLE
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
    assert visible == VISIBLE | {"solutions", "tests"}


def test_the_archive_is_complete_and_the_same_each_time(tmp_path, capsys):
    made = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        made.append(tmp_path / folder / "course.zip")
        assert release.main(["--handout", str(made[-1])]) == 0
    assert made[0].read_bytes() == made[1].read_bytes()
    with zipfile.ZipFile(made[0]) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    assert all(name.startswith("course/") for name in names)
    assert "course/notebooks/01_rnn_basics.ipynb" in names
    assert not any(
        part in name for name in names for part in ("solutions/", "tests/", "__pycache__")
    )
    assert f"{len(names)} files" in capsys.readouterr().out
