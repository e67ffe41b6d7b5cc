"""Recognises a notebook by what its cells contain, since editors drop, renumber and renew ids.

Formatters change how a source is written, and students what it says: a cell is the hand-out's if
it has its source, or else its id, or else if it defines the same.
"""

import ast
from collections import Counter
from collections.abc import Callable, Iterable

from helpers.exercises import catalogue
from solutions.grading import cells
from solutions.grading.arrivals.reading import Cell, Unreadable

FEWEST_KNOWN = 3  # cells of a chapter by which a notebook belongs to it, if it checks no exercise
FEWEST_CHECKED = 3  # exercises of a second chapter, by which it is one, too


def chapters_of(code: list[Cell], handed_out: dict[int, list[Cell]]) -> list[int]:
    """Return the chapters that a notebook is of: mostly one, or several that were put together.

    handed_out: chapter -> the code cells of its student copy. Raises Unreadable if there is none.

    For a chapter speaks each of its exercises that is checked or defined, and each cell that has
    the source or the id of a cell that no other chapter has.
    """
    spoken: Counter[int] = Counter()
    checked: Counter[int] = Counter()
    sources = _chapter_of_what_one_has(handed_out, lambda cell: as_text(cell.source))
    ids = _chapter_of_what_one_has(handed_out, lambda cell: cell.id)
    exercises = {e.name: n for n, chapter in catalogue.chapters().items() for e in chapter}
    exercises |= {name: former.chapter for name, former in catalogue.FORMERLY.items()}
    for cell in code:
        name = cells.checked_in(cell.source)
        checked.update([exercises[name]] if name in exercises else [])
        defined = exercises.keys() & {name, *_defined(cell)}
        known = {sources.get(as_text(cell.source)), ids.get(cell.id)} - {None}
        spoken.update(chapter for chapter in known if chapter)
        spoken.update(exercises[name] for name in defined)
    most = spoken.most_common(1)
    found = [chapter for chapter, n in most if n >= FEWEST_KNOWN or checked[chapter]]
    if not found:
        raise Unreadable("It is not a notebook of this course: none of its cells is known.")
    return found + sorted(n for n in checked if checked[n] >= FEWEST_CHECKED and n not in found)


def _chapter_of_what_one_has(
    handed_out: dict[int, list[Cell]], trait: Callable[[Cell], str]
) -> dict[str, int]:
    """Return trait -> chapter, of all that no other chapter has."""
    having: dict[str, set[int]] = {}
    for chapter, copy in handed_out.items():
        for cell in copy:
            having.setdefault(trait(cell), set()).add(chapter)
    return {has: next(iter(of)) for has, of in having.items() if len(of) == 1 and has}


def named(code: list[Cell], handed_out: list[Cell]) -> list[Cell]:
    """Return a notebook's cells with the ids of the cells of the hand-out that they are, or "".

    What differs from the hand-out in how it is written alone becomes the hand-out's cell.
    """
    free = {cell.id: cell for cell in handed_out}
    found: dict[int, Cell] = {}

    def take(index: int, original: Cell, source: str) -> None:
        found[index] = Cell(original.id, source, code[index].number)
        del free[original.id]

    for form in (as_text, as_code):
        alike: dict[str, list[Cell]] = {}
        for cell in free.values():
            alike.setdefault(form(cell.source), []).append(cell)
        for index, cell in enumerate(code):
            same = alike.get(form(cell.source)) if index not in found else None
            if same and form(cell.source):
                original = next((other for other in same if other.id == cell.id), same[0])
                same.remove(original)
                take(index, original, original.source)
    for index, cell in enumerate(code):
        if index not in found and cell.id in free:
            take(index, free[cell.id], cell.source)
    for index, cell in enumerate(code):
        same_names = None if index in found else _with_the_same_names(cell, free.values())
        if same_names:
            take(index, same_names, cell.source)
    return [found.get(i, Cell("", cell.source, cell.number)) for i, cell in enumerate(code)]


def as_text(source: str) -> str:
    """Return a source with no blanks at the ends of lines, and one kind of line end."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def as_code(source: str) -> str:
    """Return what a source says, without how it is written, or "" if it cannot be read."""
    tree = cells.tree_of(source)
    try:
        return ast.dump(tree) if tree and tree.body else ""
    except (ValueError, RecursionError, MemoryError):  # of numbers too long to be written, too
        return ""


def _with_the_same_names(cell: Cell, originals: Iterable[Cell]) -> Cell | None:
    """Return the cell that gives values to the most names of this one, at least to half of its."""
    used = cells.names(cell.source)
    best, most = None, 0
    for original in originals if used and used.bound else ():
        theirs = cells.names(original.source)
        common = len(used.bound & theirs.bound) if theirs else 0
        if theirs and common > most and 2 * common >= len(theirs.bound):
            best, most = original, common
    return best


def _defined(cell: Cell) -> Iterable[str]:
    used = cells.names(cell.source)
    return used.reads if used else ()
