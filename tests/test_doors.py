"""The doors of the repository: what it prints for newcomers is what is tested, and in step."""

import json
import re
import tomllib

import pytest
import yaml

from helpers import environment
from helpers.environment import COURSE

README = (COURSE / "README.md").read_text(encoding="utf-8")
PROJECT = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))
WORKFLOW = yaml.safe_load((COURSE / ".github/workflows/tests.yml").read_text(encoding="utf-8"))
LOCK = (COURSE / "tests/constraints.txt").read_text(encoding="utf-8")


def commands(text):
    """Return the commands in a page's blocks of code."""
    return re.findall(r"^```(?:bash|powershell)\n(.*?)\n```$", text, flags=re.MULTILINE | re.DOTALL)


TEST = [command for command in commands(README) if command.endswith("-m pytest")]


def runs():
    """Return what the workflow runs, job by job."""
    return {
        name: [step["run"] for step in job["steps"] if "run" in step]
        for name, job in WORKFLOW["jobs"].items()
    }


def test_the_workflow_runs_the_commands_of_the_readme():
    unix, windows = TEST
    assert windows.startswith("py ")
    quick, full = runs()["quick"], runs()["full"]
    assert [run.removesuffix(' -m "not browser and not sandbox"') for run in quick] == [
        unix,
        windows,
    ]
    made, ended = unix.rsplit(" && ", 1)
    assert f'{made} -e ".[ci]"' in full
    assert ended in full


def test_the_workflow_runs_where_the_course_is_said_to_run():
    oldest, newest = (".".join(map(str, v)) for v in (environment.OLDEST, environment.NEWEST))
    assert WORKFLOW["jobs"]["full"]["strategy"]["matrix"]["python"] == [oldest, newest]
    systems = WORKFLOW["jobs"]["quick"]["strategy"]["matrix"]["system"]
    assert [name.split("-")[0] for name in systems] == ["ubuntu", "macos", "windows"]
    assert True in WORKFLOW or "on" in WORKFLOW  # YAML reads the word `on` as true
    assert {"push", "pull_request", "schedule"} <= set(WORKFLOW.get(True, WORKFLOW.get("on")))


def test_what_ci_looks_at_is_what_pre_commit_looks_at():
    hooks = yaml.safe_load((COURSE / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    (ruff,) = hooks["repos"]
    extras = PROJECT["project"]["optional-dependencies"]
    assert f"ruff=={ruff['rev'].removeprefix('v')}" in extras["ci"]


@pytest.mark.parametrize(
    "pin",
    [
        *(f"{name}=={version}" for name, version in environment.pins().items()),
        *(p for e in PROJECT["project"]["optional-dependencies"].values() for p in e if "==" in p),
    ],
)
def test_the_lock_has_every_pin(pin):
    name, _, version = pin.lower().replace("_", "-").partition("==")
    found = re.search(rf"^{re.escape(name)}==(\S+)", LOCK.lower(), flags=re.MULTILINE)
    assert found, f"{name} is not in tests/constraints.txt; CONTRIBUTING.md says how it is made"
    assert found[1] == version


def test_the_lock_names_packages_alone():
    assert not re.search(r"://|^-", LOCK, flags=re.MULTILINE)


def test_the_version_is_the_same_everywhere():
    citation = yaml.safe_load((COURSE / "CITATION.cff").read_text(encoding="utf-8"))
    version = PROJECT["project"]["version"]
    assert citation["version"] == version
    assert f"\n## {version}\n" in (COURSE / "CHANGELOG.md").read_text(encoding="utf-8")


def test_jupyterlab_starts_on_the_first_chapter_and_asks_nobody():
    starts = [command for command in commands(README) if "jupyterlab" in command]
    assert len(starts) == 3
    assert all(start.endswith("-m jupyterlab --config=jupyter_lab_config.py") for start in starts)
    source = (COURSE / "jupyter_lab_config.py").read_text(encoding="utf-8")
    (first,) = re.findall(r"/lab/tree/(notebooks/01_\w+\.ipynb)", source)
    assert (COURSE / first).exists()
    settings = json.loads((COURSE / ".jupyter/overrides.json").read_text(encoding="utf-8"))
    assert settings["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
