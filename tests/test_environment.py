"""The environment check: nothing to say where all is well, a remedy where it is not."""

import os
import subprocess
import venv
from pathlib import Path

import numpy
import pytest
from jupyter_client import kernelspec

from helpers import environment


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
