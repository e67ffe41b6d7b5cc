"""What deserves an instructor's second look in the code behind an answer. It changes no grade.

What an answer *calls* is seen while it runs (helpers/calling/watching.py). Here are the names by
which its code could get past that, and past the grader.
"""

import ast

from solutions.grading.arrivals.reading import Cell
from solutions.grading.cells import names, tree_of

# Names that an honest answer has no use for.
SUSPICIOUS = {
    *("_C", "_VF", "__array_function__", "__builtins__", "__closure__", "__dict__", "__import__"),
    *("__subclasses__", "__torch_dispatch__", "__torch_function__", "_getframe", "addaudithook"),
    *("attrgetter", "b64decode", "base64", "builtins", "calling", "compile", "concurrent"),
    *("ctypes", "environ", "eval", "exec", "gc", "getattr with a computed name", "globals"),
    *("importlib", "inspect", "jit", "meta_path", "methodcaller", "multiprocessing", "ops"),
    *("overrides", "pickle", "setprofile", "settrace", "socket", "subprocess", "sys", "tb_frame"),
    *("_thread", "threading", "vars", "what cannot be read"),
}
METHODS = {"compile", "eval"}  # methods of torch, honest as attributes


def flags(sources: list[str]) -> list[str]:
    """Return what an instructor should look at in the code behind an answer, in words."""
    found = set().union(*map(_identifiers, sources))
    return [f"mentions {name}" for name in sorted(SUSPICIOUS & found)]


def code_behind(
    name: str, others: set[str], submitted: list[Cell], handed_out: list[Cell]
) -> list[str]:
    """Return the submission's code behind an answer: its cells, and those of what it uses.

    others: the names of the other exercises, which are answers of their own
    """
    known = set(handed_out)
    changed = [cell for cell in submitted if cell not in known]
    binding: dict[str, list[int]] = {}
    for index, cell in enumerate(changed):
        for given in used.bound if (used := names(cell.source)) else ():
            binding.setdefault(given, []).append(index)
    needed, waiting = {name}, [name]
    found: set[int] = set()
    while waiting:
        for index in set(binding.get(waiting.pop(), ())) - found:
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
