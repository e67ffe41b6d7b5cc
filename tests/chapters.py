"""Reads the chapters' notebooks: which cell holds which exercise, and what its code defines."""

import ast
import functools
import linecache
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from helpers.environment import COURSE
from solutions.grading import cells

SOLUTIONS = sorted((COURSE / "solutions").glob("*.ipynb"))
NOTEBOOKS = sorted((COURSE / "notebooks").glob("*.ipynb"))


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def code_of(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def defined_in(cell: NotebookNode) -> str | None:
    """Return the name of the last function or class that a code cell defines."""
    if cell.cell_type != "code":
        return None
    kinds = ast.FunctionDef | ast.ClassDef
    names = [node.name for node in ast.parse(cell.source).body if isinstance(node, kinds)]
    return names[-1] if names else None


def checked_in(cell: NotebookNode) -> str:
    """Return the name of the exercise that a cell checks, or ""."""
    return cells.checked_in(cell.source) if cell.cell_type == "code" else ""


def exercise_cells(notebook: NotebookNode) -> dict[str, NotebookNode]:
    """Return exercise name -> the cell that defines it, in order."""
    checked = {checked_in(cell) for cell in notebook.cells}
    return {defined_in(c): c for c in notebook.cells if defined_in(c) in checked - {""}}


def words(cell: NotebookNode) -> tuple[str, list[str]]:
    """Return what a cell printed, in one piece, and the words of what it displayed."""
    printed = "".join(o.get("text", "") for o in cell.outputs)
    return printed, [o.data["text/plain"] for o in cell.outputs if "data" in o]


@functools.cache
def solution_of(path: Path) -> dict[str, NotebookNode]:
    """Return the cells of the solution that a notebook is an edition of, by their ids."""
    return {cell.id: cell for cell in read(COURSE / "solutions" / path.name).cells}


def define(notebook: NotebookNode) -> dict[str, object]:
    """Run a notebook's imports and exercise cells only; return what they define."""
    namespace: dict[str, object] = {"__name__": "chapter"}
    for cell in [code_of(notebook)[0], *exercise_cells(notebook).values()]:
        filename = f"<cell {cell.id}>"
        linecache.cache[filename] = (len(cell.source), None, cell.source.splitlines(True), filename)
        exec(compile(cell.source, filename, "exec"), namespace)
    return namespace
