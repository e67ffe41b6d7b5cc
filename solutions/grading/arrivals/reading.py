"""Reads a notebook's code cells, whatever the file may be.

A file that cannot be read is a submission with a reason.
"""

import functools
import json
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from helpers.environment import COURSE

LARGEST_FILE = 20 * 2**20
LARGEST_CELL, LARGEST_SOURCE = 100_000, 1_000_000  # characters, of a cell and of all
MOST_CELLS = 500

# Windows has no such links and pipes that could be opened by mistake.
_UNFOLLOWED = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Unreadable(Exception):
    """A submission that is no notebook of this course; the message says why."""


@dataclass(frozen=True)
class Cell:
    """A code cell, as far as grading is concerned. id is "" where there is none."""

    id: str
    source: str


def read(path: Path) -> list[Cell]:
    """Return the code cells of a notebook. Raises Unreadable."""
    text = _bytes_of(path)
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError):
        raise Unreadable("It is not a notebook: its text is no JSON.") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not cells:
        raise Unreadable("It is not a notebook: it has no cells.")
    if len(cells) > MOST_CELLS:
        raise Unreadable(f"It has {len(cells)} cells; more than {MOST_CELLS} are not graded.")
    read = (_cell(cell) for cell in cells if isinstance(cell, dict))
    code = [cell for cell in read if cell is not None]
    if (n := sum(len(cell.source) for cell in code)) > LARGEST_SOURCE:
        raise Unreadable(f"Its code has {n} characters; more than {LARGEST_SOURCE} are not graded.")
    return code


def _bytes_of(path: Path) -> bytes:
    """Return what a file holds, if it is a file and not too long; follow no link."""
    try:
        descriptor = os.open(path, _UNFOLLOWED)
    except OSError as error:
        raise Unreadable(f"It cannot be opened: {error.strerror}.") from None
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        os.close(descriptor)
        raise Unreadable("No notebook lies directly in this folder.")
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Unreadable("It is not an ordinary file.")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > LARGEST_FILE:
            size = f"{status.st_size / 2**20:.0f} MiB"
            raise Unreadable(f"It has {size}; more than {LARGEST_FILE // 2**20} are not read.")
        return file.read(LARGEST_FILE + 1)


def _cell(cell: dict) -> Cell | None:
    if cell.get("cell_type") != "code":
        return None
    source, cell_id = cell.get("source"), cell.get("id")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    if not isinstance(source, str):
        raise Unreadable("A code cell's source is no text.")
    if len(source) > LARGEST_CELL:
        raise Unreadable(f"A code cell has {len(source)} characters.")
    return Cell(cell_id if isinstance(cell_id, str) else "", source)


@functools.cache
def edition(folder: str) -> dict[int, list[Cell]]:
    """Return chapter -> its code cells, from "notebooks" (as handed out) or "solutions"."""
    paths = sorted((COURSE / folder).glob("*.ipynb"))
    return {int(path.name[:2]): read(path) for path in paths}
