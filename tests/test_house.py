"""The house is as it is described: who knows answers, who imports whom, one exercise per file."""

import ast
import graphlib
import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib

import pytest

from helpers import environment
from helpers.environment import COURSE
from helpers.exercises import catalogue, recognition
from helpers.exercises.chapter_04.build_forecaster import Fixed
from helpers.exercises.known import Known
from solutions.grading import references
from tests import chapters, defects

EXERCISES = [exercise for chapter in catalogue.chapters().values() for exercise in chapter]
LONGEST = 300  # lines of a file that can be read in one sitting


def name_of(path):
    """Return the module that a file is."""
    parts = path.relative_to(COURSE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


PATHS = {
    name_of(path): path
    for folder in ("helpers", "solutions")
    for path in sorted((COURSE / folder).rglob("*.py"))
}
TREES = {name: ast.parse(path.read_text(encoding="utf-8")) for name, path in PATHS.items()}
OPEN = [n for n in PATHS if n.startswith("helpers") and not n.startswith("helpers.exercises")]


def imported(name):
    """Yield module and name of everything that a module of the course imports from the course."""
    package = name if PATHS[name].name == "__init__.py" else name.rpartition(".")[0]
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Import):
            found = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = ".".join(filter(None, [package if node.level else "", node.module or ""]))
            found = [(module, alias.name) for alias in node.names]
        else:
            continue
        yield from (pair for pair in found if pair[0].split(".")[0] in ("helpers", "solutions"))


# --- who knows answers ----------------------------------------------------------------------------


def test_nothing_outside_the_exercises_loads_one():
    source = f"import importlib, sys\nfor name in {OPEN!r}: importlib.import_module(name)\n"
    source += "print([name for name in sys.modules if name.startswith('helpers.exercises')])"
    command = [sys.executable, "-c", source]
    done = subprocess.run(command, cwd=COURSE, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def public(name):
    """Return the public functions and classes that a module defines."""
    module = importlib.import_module(name)
    return {
        f"{name}.{key}": thing
        for key, thing in vars(module).items()
        if not key.startswith("_")
        and getattr(thing, "__module__", None) == name
        and callable(thing)
    }


# What may stand outside the exercises although it passes one, and why.
ALLOWED: dict[tuple[str, str], str] = {}


def passes(exercise, answer, known):
    """Return whether an answer passes; it runs only until it is wrong once."""
    for case, right in zip(known.cases, known.expected, strict=True):
        one = Known(exercise, [case])
        (alone,) = one.measured(one.collected(answer))
        if not recognition.equal(exercise, alone, right):
            return False
    return True


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_nothing_outside_the_exercises_answers_one(
    exercise, known_of, capsys, monkeypatch, tmp_path
):
    """Each thing is tried as the answer, as what an answer returns, and as the rule of a model."""
    monkeypatch.chdir(tmp_path)
    known = known_of(exercise)
    passed = set()
    for name, thing in [pair for module in OPEN for pair in public(module).items()]:
        for answer in (thing, lambda *_, t=thing: t, lambda *_, t=thing: Fixed(t)):
            if passes(exercise, answer, known):
                passed.add((name, exercise.name))
    assert passed == {pair for pair in ALLOWED if pair[1] == exercise.name}


def test_an_answer_outside_the_exercises_would_be_found(known_of):
    """The test of the test above: what answers an exercise passes there."""
    answers = {exercise.name: exercise.reference for exercise in EXERCISES}
    for name in ("carry_state", "mark_claims", "LastStepRNN", "build_forecaster"):
        exercise = catalogue.find(name)
        assert passes(exercise, answers[name], known_of(exercise))


def test_references_stand_alone():
    """Their sources run where nothing of the exercises can be imported."""
    sources = {exercise.name: references.source_of(exercise) for exercise in EXERCISES}
    program = "import json, sys\nsys.modules['helpers.exercises'] = None\n"
    program += "for name, source in json.load(sys.stdin).items():\n"
    program += "    space = {'__name__': 'alone'}\n    exec(source, space)\n"
    program += "    assert callable(space[name]), name\n"
    command = [sys.executable, "-c", program]
    subprocess.run(command, cwd=COURSE, input=json.dumps(sources), text=True, check=True)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_a_reference_that_stands_alone_is_right(judged, exercise):
    space = {"__name__": "alone"}
    exec(references.cell_of(exercise).source, space)
    assert judged(exercise, space[exercise.name]).status == "passed"


# --- who imports whom -----------------------------------------------------------------------------


def test_imports_go_in_no_circle():
    """Imports inside functions count, too: an import that waits can hide a circle."""
    graph = {}
    for name in PATHS:
        whole = (f"{module}.{part}" for module, part in imported(name))
        both = zip(whole, (module for module, _ in imported(name)), strict=True)
        needed = {part if part in PATHS else module for part, module in both}
        graph[name] = needed - {"helpers"}  # whose `check` is loaded when it is asked for
    assert list(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("name", PATHS)
def test_no_file_uses_the_private_names_of_another(name):
    modules = set()
    for module, part in imported(name):
        assert not part.startswith("_"), f"{module}.{part}"
        modules |= {part} if f"{module}.{part}" in PATHS else set()
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.Attribute) and getattr(node.value, "id", None) in modules:
            assert not node.attr.startswith("_"), f"{node.value.id}.{node.attr}"


NAMES = {
    "PIL": "pillow",
    "IPython": "ipython",
    "xdist": "pytest_xdist",
    "yaml": "pyyaml",
}  # where the package has another name


def test_every_package_that_is_imported_is_declared():
    declared = {name.lower().replace("-", "_") for name in environment.pins()}
    optional = tomllib.loads((COURSE / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for extras in optional["optional-dependencies"].values():
        declared |= {re.match(r"[\w-]+", extra)[0].replace("-", "_") for extra in extras}
    trees = [*TREES.values()]
    trees += [ast.parse(p.read_text(encoding="utf-8")) for p in (COURSE / "tests").rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    found = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    found |= {n.module for n in nodes if isinstance(n, ast.ImportFrom) and not n.level}
    tops = {name.partition(".")[0] for name in found} - sys.stdlib_module_names
    foreign = tops - {"helpers", "solutions", "tests"}
    assert {NAMES.get(name, name) for name in foreign} <= declared


# --- one exercise, one file -----------------------------------------------------------------------


@pytest.mark.parametrize("number", catalogue.chapters())
def test_each_file_of_a_chapter_is_one_exercise_in_its_order(number):
    folder = COURSE / f"helpers/exercises/chapter_{number:02}"
    order = importlib.import_module(f"helpers.exercises.{folder.name}").ORDER
    files = {path.stem for path in folder.glob("*.py")} - {"__init__"}
    assert set(order) - files == set(), "a line of ORDER without its file"
    assert files - set(order) == set(), "a file that is not in ORDER"
    for name, exercise in zip(order, catalogue.chapters()[number], strict=True):
        assert name == name.lower()
        assert name.replace("_", "") == exercise.name.replace("_", "").lower()


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.name)
def test_a_reference_carries_the_name_and_tells_what_it_is(exercise):
    """A student holds it after `check`, and may ask for help on it."""
    assert exercise.reference.__name__ == exercise.name
    assert exercise.reference.__doc__


# --- that can be read -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", PATHS)
def test_a_file_can_be_read_in_one_sitting(name):
    assert len(PATHS[name].read_text(encoding="utf-8").splitlines()) <= LONGEST


@pytest.mark.parametrize("name", [n for n in PATHS if ".chapter_" not in n or ".calling." in n])
def test_what_is_public_is_documented(name):
    assert ast.get_docstring(TREES[name])
    for node in ast.walk(TREES[name]):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            shown = node in top_level(TREES[name]) and node.name != "forward"
            assert not shown or ast.get_docstring(node), node.name


def top_level(tree):
    """Return the functions and classes of a module, and the methods of its classes."""
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    return [*tree.body, *(part for c in classes for part in c.body)]


def test_a_wheelhouse_has_what_builds_the_course():
    """Without a network, pip finds there what it would fetch for the build."""
    with open(COURSE / "pyproject.toml", "rb") as file:
        (builder,) = tomllib.load(file)["build-system"]["requires"]
    guide = (COURSE / "solutions" / "README.md").read_text(encoding="utf-8")
    assert f"pip wheel -r requirements.txt {builder} editables -w wheelhouse" in guide


def test_the_table_of_the_readme_is_true():
    readme = (COURSE / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\d)\. .*\| (\d+) \| (\d+) \| (\d+) \|$", readme, re.MULTILINE)
    hours = {"four": 4, "five": 5, "six": 6}
    true = []
    for (number, exercises), path in zip(
        catalogue.chapters().items(), chapters.NOTEBOOKS, strict=True
    ):
        (told,) = re.findall(r"about (\w+) hours", chapters.read(path).cells[0].source)
        points = sum(exercise.points for exercise in exercises)
        true.append((number, len(exercises), points, 60 * hours[told]))
    assert [tuple(map(int, row)) for row in rows] == true


def test_an_exercise_file_is_what_its_docstring_says():
    for exercise in EXERCISES:
        module = inspect.getmodule(exercise.reference)
        assert module.EXERCISE is exercise
        assert f"`{exercise.name}`" in module.__doc__.splitlines()[0]


@pytest.mark.parametrize("defect", defects.DEFECTS, ids=[d.name for d in defects.DEFECTS])
def test_what_tries_the_tests_can_be_done(defect):
    """What tests/defects.py changes is still there to be changed."""
    whole = (COURSE / defect.path).read_text(encoding="utf-8")
    assert defect.change(whole) != whole
