"""Recognises what a notebook is: which chapter its cells belong to, whatever its name."""

from collections import Counter

from solutions.grading.arrivals.reading import Cell, Unreadable

FEWEST_KNOWN = 3  # cells of a chapter that must be there, by id, for a notebook to belong to it


def chapter_of(cells: list[Cell], handed_out: dict[int, list[Cell]]) -> int:
    """Return the chapter that most of a notebook's cells come from, by their ids.

    handed_out: chapter -> the code cells of its student copy. Raises Unreadable if there is none.
    """
    ids = {cell.id for cell in cells}
    known = Counter({n: len(ids & {c.id for c in copy}) for n, copy in handed_out.items()})
    chapter, most = known.most_common(1)[0]
    if most < FEWEST_KNOWN:
        raise Unreadable("It is not a notebook of this course: none of its cells is known.")
    return chapter
