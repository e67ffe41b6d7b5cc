"""Gives each name its value: what is given twice is cut apart, what is lacking is put in."""

import ast
import itertools
from collections.abc import Collection
from dataclasses import replace

from solutions.grading.arrivals.reading import Cell
from solutions.grading.cells import checked_in, names, to_run, tree_of

MOST_TRIES = 3  # of an answer that is given more than once, besides its first and its last
MOST_CUTS = 100  # of all cells together
MOST_IMPORTS = 20


def binding(submitted: list[Cell], name: str) -> list[int]:
    """Return the indices of the cells that give a name its value, other than its check line."""
    return [
        index
        for index, cell in enumerate(submitted)
        if (used := names(cell.source)) and name in used.bound and checked_in(cell.source) != name
    ]


def cut(submitted: list[Cell], exercises: Collection[str]) -> list[Cell]:
    """Return a notebook in which no cell gives an exercise's name a value twice.

    A cell that does is cut behind each of its definitions but the last, so that each can be marked.
    """
    found: list[Cell] = []
    for n, cell in enumerate(submitted):
        found += _parts(cell, exercises) if len(found) - n < MOST_CUTS else [cell]
    return found


def _parts(cell: Cell, exercises: Collection[str]) -> list[Cell]:
    tree = tree_of(cell.source)
    lines = cell.source.split("\n")
    if tree is None or cell.source.lstrip().startswith("%%"):
        return [cell]
    # Where something else follows in the same line, nothing can be cut.
    followed = {
        two.lineno for one, two in itertools.pairwise(tree.body) if two.lineno == one.end_lineno
    }
    ends = {name: [n.end_lineno or 0 for n in tree.body if name in _given(n)] for name in exercises}
    chosen = (
        end
        for found in ends.values()
        for end in {*found[:1], *found[-MOST_TRIES - 1 : -1]} - {*found[-1:]}
    )
    places = sorted(set(chosen) - followed)
    pieces = zip([0, *places], [*places, len(lines)], strict=True)
    return [replace(cell, source="\n".join(lines[start:end])) for start, end in pieces]


def _given(node: ast.stmt) -> set[str]:
    """Return the names to which a statement gives a value, as a definition or an assignment."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return {node.name}
    targets = node.targets if isinstance(node, ast.Assign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}


def replaced(submitted: list[Cell], references: dict[str, Cell]) -> list[Cell]:
    """Return a submission in which the cell from `references` follows each answer that it names."""
    added: dict[int, list[Cell]] = {}
    for name, reference in references.items():
        place = max(binding(submitted, name), default=0)
        added.setdefault(place, []).append(reference)
    return [part for i, cell in enumerate(submitted) for part in (cell, *added.get(i, []))]


def alone(source: str, name: str) -> list[str]:
    """Return the imports of a cell, one by one, and then what gives a name its value.

    So the name gets one, whatever stands before it and fails.
    """
    tree = None if source.lstrip().startswith("%%") else tree_of(source)
    lines = source.split("\n")
    nodes = tree.body if tree else []
    imports = [n for n in nodes if isinstance(n, ast.Import | ast.ImportFrom)][:MOST_IMPORTS]
    chosen = [*imports, *[n for n in nodes if name in _given(n)][-1:]]
    starts = [
        min([n.lineno, *(d.lineno for d in getattr(n, "decorator_list", []))]) for n in chosen
    ]
    return ["\n".join(lines[s - 1 : n.end_lineno]) for s, n in zip(starts, chosen, strict=True)]


def under_new_names(submitted: list[Cell], former: dict[str, str]) -> list[Cell]:
    """Return a notebook of an older edition in which answers also have the names of today.

    former: old name -> the one of today, of exercises that were renamed
    """
    code = list(submitted)
    for old, new in former.items():
        if (places := binding(code, old)) and not binding(code, new):
            code.insert(places[-1] + 1, Cell("", f"{new} = {old}"))
    return code


def completed(
    submitted: list[Cell], handed_out: list[Cell], exercises: Collection[str]
) -> list[Cell]:
    """Return a notebook with those of the hand-out's cells that it lacks and its answers need.

    A cell comes back, at its place, if it gives a value to a name that has none in the notebook. No
    cell of an exercise does.
    """
    code = list(submitted)
    for _ in handed_out:
        needed = [names(code[i].source) for i in to_run(code, set(exercises), handed_out)]
        used = {name for cell in needed if cell for name in cell.used}
        lacking = used - {name for cell in code if (n := names(cell.source)) for name in n.bound}
        place = next((n for n, c in enumerate(handed_out) if _gives(c, exercises) & lacking), None)
        if place is None:
            break
        earlier = {cell.id for cell in handed_out[:place]}
        known = {cell.id for cell in handed_out}
        later = (i for i, cell in enumerate(code) if cell.id in known - earlier)
        code.insert(next(later, len(code)), replace(handed_out[place], number=0))
    return code


def _gives(cell: Cell, exercises: Collection[str]) -> frozenset[str]:
    """Return the names to which a cell gives a value, if it has to do with no exercise."""
    found = names(cell.source)
    bound = found.bound if found else frozenset()
    return frozenset() if bound & set(exercises) else bound
