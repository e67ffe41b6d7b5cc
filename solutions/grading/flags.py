"""What deserves an instructor's second look in the code behind an answer. It changes no grade."""

import ast

from helpers.exercises.contract import Exercise
from solutions.grading.cells import names, tree_of
from solutions.grading.submissions import Cell

# Names that an honest answer has no use for.
SUSPICIOUS = {
    *("__array_function__", "__builtins__", "__dict__", "__import__", "__torch_function__"),
    *("_VF", "_getframe", "addaudithook", "b64decode", "base64", "calling", "compile", "ctypes"),
    *("environ", "eval", "exec", "gc", "getattr with a computed name", "globals", "importlib"),
    *("inspect", "meta_path", "multiprocessing", "pickle", "settrace", "socket", "subprocess"),
    *("sys", "tb_frame", "vars", "what cannot be read"),
}
METHODS = {"compile", "eval"}  # methods of torch, honest as attributes


def flags(sources: list[str], exercise: Exercise, later: set[str]) -> list[str]:
    """Return what an instructor should look at in the code of an exercise, in words.

    later: the names of the exercises that follow, which may do by themselves what is to be written
    """
    found = set().union(*map(_identifiers, sources))
    unwanted = exercise.by_hand | later if exercise.by_hand else set()
    notes = [f"uses {name}, but is to be written without it" for name in sorted(unwanted & found)]
    return notes + [f"mentions {name}" for name in sorted(SUSPICIOUS & found)]


def code_behind(
    name: str, others: set[str], submitted: list[Cell], handed_out: list[Cell]
) -> list[str]:
    """Return the submission's code behind an answer: its cells, and those of what it uses.

    others: the names of the other exercises, which are answers of their own
    """
    known = set(handed_out)
    changed = [cell for cell in submitted if cell not in known]
    bound = [(used.bound if (used := names(cell.source)) else frozenset()) for cell in changed]
    needed, waiting, found = {name}, [name], set()
    while waiting:
        wanted = waiting.pop()
        for index in range(len(changed)):
            if index not in found and wanted in bound[index]:
                found.add(index)
                more = names(changed[index].source).used - others - needed
                needed |= more
                waiting += more
    return [changed[index].source for index in sorted(found)]


def _identifiers(source: str) -> set[str]:
    tree = tree_of(source)
    if tree is None:
        return {"what cannot be read"}
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.Attribute):
            found |= {node.attr} - METHODS
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            found |= {part for alias in node.names for part in alias.name.split(".")}
            found |= set((getattr(node, "module", "") or "").split("."))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= {node.value} & SUSPICIOUS
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "getattr":
            named = node.args[1] if len(node.args) > 1 else None
            plain = isinstance(named, ast.Constant) and isinstance(named.value, str)
            found.add(named.value if plain else "getattr with a computed name")
    return found
