"""The environment check: nothing to say where all is well, a remedy where it is not."""

import ast
import os
import subprocess
import sys
import venv
from pathlib import Path

import numpy
import pytest
import torch
from jupyter_client import kernelspec

from helpers import environment
from tests import chapters


def test_here_all_is_well(capsys):
    found = list(environment.findings())
    assert [finding for finding in found if not finding.ok] == []
    assert len(found) == 8
    assert environment.check()
    assert capsys.readouterr().out.count("✓") == 8


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (lambda _: environment.python((3, 10)), "Python 3.11 to 3.14"),
        (lambda _: environment.python((3, 15)), "Python 3.11 to 3.14"),
        (lambda _: environment.packages({"numpy": "1.0"}), "pip install -r requirements.txt"),
        (lambda _: environment.packages({"nosuch": "1.0"}), "nosuch is missing"),
        (environment.widgets, "pip install --force-reinstall jupyterlab_widgets"),
        (lambda _: environment.fonts("No Such Font"), "Delete the folder"),
        (lambda _: environment.disk(least=1e9), "Free 1000000000.0 GB"),
        (environment.disk, "Copy the course to a folder of your own"),
    ],
    ids=range(8),
)
def test_what_is_amiss_has_a_remedy(tmp_path, look, words):
    amiss = [finding for finding in look(tmp_path) if not finding.ok]
    assert len(amiss) == 1
    assert amiss[0].remedy
    assert words in str(amiss[0])


def test_another_kernel_is_named(monkeypatch):
    other = kernelspec.KernelSpec(argv=["/opt/other/bin/python", "-m", "ipykernel_launcher"])
    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", lambda *_: other)
    (finding,) = environment.kernel()
    assert "/opt/other/bin/python" in finding.remedy


def test_what_cannot_even_be_looked_at_is_reported(monkeypatch):
    def torch_learns():
        raise OSError("libtorch_cpu.so: cannot open shared object file")

    monkeypatch.setattr(environment, "torch_learns", torch_learns)
    found = [finding for finding in environment.findings() if not finding.ok]
    assert len(found) == 1
    assert "libtorch_cpu.so" in found[0].what
    assert found[0].remedy == environment.INSTALL


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    """A Python without any package; returns what it says of the course, and its exit status."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=os.name != "nt")
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

    def said(*paths):
        done = subprocess.run(
            [python, "-m", "helpers.environment"],
            cwd=environment.COURSE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, paths))},
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done.stdout, done.returncode

    return said


def test_in_a_bare_environment_every_missing_package_is_named(bare):
    said, status = bare()
    assert status == 1
    for package in environment.pins():
        assert f"{package} is missing" in said
    assert environment.INSTALL in said


@pytest.mark.skipif(os.name == "nt", reason="Windows asks for rights to make links")
@pytest.mark.parametrize("package", ["torch", "numpy", "matplotlib", "ipython"])
def test_a_single_missing_package_is_named_with_the_remedy(bare, tmp_path, package):
    for path in Path(numpy.__file__).parents[1].iterdir():
        name = path.name.lower()
        if not name.startswith((package, "__editable__", "_rnn_course")):
            (tmp_path / path.name).symlink_to(path)
    said, status = bare(tmp_path)
    assert status == 1
    assert f"{package} is missing" in said
    assert environment.INSTALL in said
    others = environment.pins().keys() - {package}
    assert not [name for name in others if f"{name} is missing" in said]


# --- the first cell of a chapter ------------------------------------------------------------------

FIRST = {path.stem: chapters.code_of(chapters.read(path))[0].source for path in chapters.NOTEBOOKS}
NOT_OURS = {
    "nothing": {},
    "a package": {"helpers/__init__.py": "def helpful(): pass"},
    "a module": {"helpers.py": "check = None"},
    "a folder": {"helpers/notes.txt": "mine"},
}


def test_all_chapters_begin_in_the_same_way():
    guards = {source.partition("require()")[0] for source in FIRST.values()}
    assert len(guards) == 1
    assert "except ImportError" in guards.pop()


@pytest.mark.parametrize("found", NOT_OURS)
def test_another_helpers_or_none_is_named_in_one_sentence(tmp_path, found):
    """Without site-packages, and so without the course, from a folder that is not the course's."""
    for name, text in NOT_OURS[found].items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    source = FIRST["01_rnn_basics"]
    command = [sys.executable, "-S", "-c", source]
    settings = {"env": {"PYTHONPATH": str(tmp_path)}, "cwd": tmp_path}
    done = subprocess.run(command, capture_output=True, text=True, **settings)
    *_, last = done.stderr.strip().splitlines()
    assert last.startswith(
        "ImportError: This notebook needs the folder `helpers` that it came with"
    )
    assert "README.md" in last
    assert "During handling" not in done.stderr


@pytest.mark.parametrize("version", [(3, 8, 20), (3, 10, 12)])
def test_an_older_python_is_named_with_the_remedy(monkeypatch, version):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(ImportError, match=r"needs Python 3\.11 or newer.*README"):
        exec(FIRST["01_rnn_basics"], {})


@pytest.mark.parametrize("path", ["helpers/__init__.py", "helpers/environment.py"])
def test_an_older_python_gets_as_far_as_that(path):
    source = (environment.COURSE / path).read_text(encoding="utf-8")
    tree = ast.parse(source, feature_version=(3, 8))
    annotations = [getattr(node, "annotation", None) for node in ast.walk(tree)]
    new = [a for a in annotations if a and not isinstance(a, ast.Name)]  # list[int], int | None
    assert not new or "from __future__ import annotations" in source
    for source in FIRST.values():
        ast.parse(source, feature_version=(3, 8))


@pytest.mark.parametrize("version", ["1.13.1", "2.5.1+cu121", "2.0.0a0+git1"])
def test_an_older_torch_is_named_with_the_remedy(monkeypatch, version):
    monkeypatch.setattr(torch, "__version__", version)
    with pytest.raises(ImportError, match=r"needs torch 2\.6 or newer.*README"):
        exec(FIRST["01_rnn_basics"], {})


@pytest.mark.parametrize("version", ["2.6.0", "2.14.0+cu130", "2.99.0.dev20270101", "3.0.0a0+git1"])
def test_a_newer_torch_is_welcome(monkeypatch, version):
    monkeypatch.setattr(torch, "__version__", version)
    for source in FIRST.values():
        exec(source, {})


def test_without_torch_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match=r"needs torch, which is missing here: choose the kernel"):
        environment.require()
