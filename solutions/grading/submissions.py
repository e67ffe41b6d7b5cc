"""Finds the submissions in a folder and reads them, whatever a student may have put there.

    <student>/<notebook>.ipynb                                     a folder per student
    <name>_<participant>_assignsubmission_file_/<notebook>.ipynb   Moodle's download of all
    <name>_<user>_<submission>_<notebook>.ipynb                    Canvas's, all in one folder;
                                                                   late ones have _LATE_ in between

Which chapter a notebook belongs to is read from its cells, not from its name. A file that
cannot be read is a submission with a reason.
"""

import functools
import json
import os
import re
import stat
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

from helpers.environment import COURSE
from solutions.grading.inside.protocol import clean

LARGEST_FILE = 20 * 2**20
LARGEST_CELL, LARGEST_SOURCE = 100_000, 1_000_000  # characters, of a cell and of all
MOST_CELLS = 500
MOST_FILES = 20  # of one student
FEWEST_KNOWN = 3  # cells of a chapter that must be there, by id, for a notebook to belong to it
MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_file_?$")
CANVAS = re.compile(r"^(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?P<submission>\d+)_.+\.ipynb$")


# Windows has no such links and pipes that could be opened by mistake.
_UNFOLLOWED = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Unreadable(Exception):
    """A submission that is no notebook of this course; the message says why."""


@dataclass(frozen=True)
class Cell:
    """A code cell, as far as grading is concerned. id is "" where there is none."""

    id: str
    source: str


@dataclass(frozen=True)
class Submission:
    """One file of one student.

    number    the id in Moodle or Canvas, or ""
    left_out  how many files of the same folder are not looked at, since there are too many
    """

    student: str
    number: str
    path: Path
    left_out: int = 0

    @property
    def name(self) -> str:
        """The file's name as it may stand in a report."""
        return _shown(self.path.name)


def find(folder: Path) -> list[Submission]:
    """Return the submissions in a folder, sorted by student and file name.

    Raises FileNotFoundError if there is no such folder, ValueError if it holds no submission.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    found = []
    for entry in sorted(folder.iterdir()):
        if entry.is_dir() and not entry.is_symlink():
            moodle = MOODLE.match(_shown(entry.name))
            student = (moodle["name"], moodle["id"]) if moodle else (_shown(entry.name), "")
            files = [p for p in entry.iterdir() if not p.name.startswith(".")] or [entry]
            files.sort(key=lambda path: (path.suffix != ".ipynb", path))
            found += [Submission(*student, path) for path in files[:MOST_FILES]]
            left_out = max(0, len(files) - MOST_FILES)
            found[-1] = replace(found[-1], left_out=left_out)
        elif not entry.name.startswith("."):
            canvas = CANVAS.match(_shown(entry.name))
            student = (canvas["name"], canvas["id"]) if canvas else (_shown(entry.stem), "")
            found.append(Submission(*student, entry))
    if not found:
        raise ValueError(
            f"{folder} holds no submission. Expected is a folder per student, or what Moodle or "
            "Canvas gives you as the download of all submissions, unpacked."
        )
    return found


def _shown(name: str) -> str:
    """Return a file's name as text that can be written, even if it is not UTF-8."""
    return clean(os.fsencode(name).decode("utf-8", errors="replace"))


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
