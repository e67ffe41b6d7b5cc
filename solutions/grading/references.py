"""The source of one reference, to be run beside a submission that needs that answer.

A reference stands alone: it needs only torch, NumPy, Python's library, and `helpers` without
`exercises`. What it uses from `exercises` comes along as source.
"""

import ast
import functools
import importlib
import inspect
from types import ModuleType

from helpers.exercises.contract import Exercise
from solutions.grading import cells, definitions
from solutions.grading.arrivals.reading import Cell

ANSWERS = "helpers.exercises."


def cell_of(exercise: Exercise) -> Cell:
    """Return a cell that gives an exercise's name its reference.

    The source runs in a namespace of its own, so that none of its other names get in the
    submission's way, and which calls are a reference's can be told (helpers/calling/watching.py).
    """
    name, space = exercise.name, f"_{exercise.name}"
    lines = [
        f"{space} = {{'__name__': '{ANSWERS}{name}'}}",
        f"exec({source_of(exercise)!r}, {space})",
        f"{name} = {space}[{name!r}]",
    ]
    return Cell(f"reference-{name}", "\n".join(lines))


def needed_by(solution: list[Cell], exercises: set[str]) -> dict[str, set[str]]:
    """Return exercise -> the others that a chapter's solution of it needs, at once or in turn."""
    found = {}
    for name in exercises:
        needed = set(cells.to_run(solution, {name}, solution))
        others = exercises - {name}
        found[name] = {
            other for other in others if needed & set(definitions.binding(solution, other))
        }
    return found


def source_of(exercise: Exercise) -> str:
    """Return Python source that defines an exercise's reference and all that it is made of."""
    found: dict[str, str] = {}
    module = inspect.getmodule(exercise.reference)
    assert module is not None
    _find(exercise.reference.__name__, module, found)
    return "\n\n".join(found.values()) + "\n"


def _find(name: str, module: ModuleType, found: dict[str, str]) -> None:
    """Add to `found` the source of what a module means by `name`, after what that uses itself."""
    node = next((n for n in _tree(module).body if name in _bound_by(n)), None)
    if node is None or name in found:
        return
    if isinstance(node, ast.ImportFrom) and f"{node.module}.".startswith(ANSWERS):
        _find(name, importlib.import_module(str(node.module)), found)
        return
    found[name] = ""  # so that what refers to itself is not looked for again
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            _find(part.id, module, found)
    del found[name]
    found[name] = ast.unparse(node)


@functools.cache
def _tree(module: ModuleType) -> ast.Module:
    return ast.parse(inspect.getsource(module))


def _bound_by(node: ast.stmt) -> set[str]:
    """Return the names that a statement at the top of a module gives a value."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        parts = (part for target in node.targets for part in ast.walk(target))
        return {part.id for part in parts if isinstance(part, ast.Name)}
    return set()
