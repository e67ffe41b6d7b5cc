"""Reads a notebook's cells, whatever the file may be.

A file that cannot be read is a submission with a reason, and a cell that is too long is left out
with a note. Outputs are dropped before anything is counted.
"""

import errno
import functools
import json
import os
import re
import stat
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from helpers.environment import COURSE

LARGEST_FILE = 20 * 2**20  # without its outputs, where it is larger
LARGEST_OUTPUTS = 500 * 2**20
MEMORY, SECONDS = 8 * 2**30, 100  # of address space, and of a processor, to take outputs out
LARGEST_CELL, LARGEST_SOURCE = 100_000, 1_000_000  # characters, of a cell and of all
MOST_CELLS = 1000
TAKES_OUTPUTS_OUT = Path(__file__).with_name("large.py")
PICTURE = re.compile(r"data:image/[\w+.-]+;base64,[A-Za-z0-9+/=\s]*")  # pasted into a text
# How files that are no notebooks begin, and what they are.
BEGINNINGS = (
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
)
BYTE_ORDER_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)

# Windows has no such links and pipes that could be opened by mistake.
_UNFOLLOWED = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)


class Unreadable(Exception):
    """A submission that is no notebook of this course; the message says why."""


@dataclass(frozen=True)
class Cell:
    """A code cell, as far as grading is concerned.

    id      "" where there is none
    number  which code cell of the notebook it is, from 1 on; 0 where it was not handed in
    """

    id: str
    source: str
    number: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Text:
    """A Markdown cell, or a raw one; a picture in it is cut out.

    question  what its metadata say is asked there, or ""
    points    what an answer to that can earn, by its metadata
    behind    how many code cells stand before it
    """

    id: str
    source: str
    question: str = ""
    points: int = 0
    behind: int = 0


@dataclass(frozen=True)
class Notebook:
    """What is read of a notebook: code cells, texts, and what was left out."""

    code: list[Cell]
    texts: list[Text] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(path: Path) -> Notebook:
    """Return what a file holds. Raises Unreadable, or OSError if the reader itself fails."""
    with opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        return parsed(file.read(LARGEST_FILE) if size <= LARGEST_FILE else _without_outputs(file))


def parsed(content: bytes) -> Notebook:
    """Return the notebook that stands in a file. Raises Unreadable."""
    try:
        notebook = json.loads(_text(content))
    except (ValueError, RecursionError):
        raise Unreadable(f"It is not a notebook: {_what_it_is(content)}.") from None
    cells = notebook.get("cells") if isinstance(notebook, dict) else None
    if not isinstance(cells, list) or not cells:
        raise Unreadable("It is not a notebook: it has no cells.")
    code: list[Cell] = []
    texts: list[Text] = []
    notes: list[str] = []
    left = LARGEST_SOURCE
    for cell in filter(lambda cell: isinstance(cell, dict), cells):
        kind, source = cell.get("cell_type"), _source_of(cell)
        if kind in ("markdown", "raw") and len(texts) < MOST_CELLS:
            source = PICTURE.sub("data:…", source or "")
            if len(source) > LARGEST_CELL:
                notes.append(f"A text of {len(source)} characters was left out.")
                continue
            about = _dict(cell.get("metadata"))
            question, points = about.get("question"), about.get("points")
            asked = question if isinstance(question, str) else ""
            can_earn = points if type(points) is int else 0
            texts.append(Text(_id_of(cell), source, asked, can_earn, len(code)))
        if kind != "code":
            continue
        number = len(code) + 1
        if number > MOST_CELLS:
            notes.append(f"Only its first {MOST_CELLS} code cells were looked at.")
            break
        reason = ""
        if source is None:
            reason = "its source is no text"
        elif len(source) > min(LARGEST_CELL, left):
            reason = f"it has {len(source)} characters"
        if reason:
            notes.append(f"Code cell {number} was left out: {reason}.")
            source = ""
        left -= len(source or "")
        code.append(Cell(_id_of(cell), source or "", number))
    return Notebook(code, texts, notes)


def opened(path: Path) -> BinaryIO:
    """Open a file, if it is one and not far too large; follow no link.

    Raises Unreadable, or OSError if the reader itself fails.
    """
    try:
        descriptor = os.open(path, _UNFOLLOWED)
    except (FileNotFoundError, PermissionError, NotADirectoryError) as error:
        raise Unreadable(f"It cannot be opened: {error.strerror}.") from None
    except OSError as error:
        if path.is_symlink():
            raise Unreadable("It is a link, which is not followed.") from None
        if error.errno == errno.ENXIO:
            raise Unreadable("It is not an ordinary file.") from None
        raise error from None
    status = os.fstat(descriptor)
    if stat.S_ISDIR(status.st_mode):
        os.close(descriptor)
        raise Unreadable("No notebook lies directly in this folder.")
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise Unreadable("It is not an ordinary file.")
    if status.st_size > LARGEST_OUTPUTS:
        os.close(descriptor)
        size = f"{status.st_size / 2**20:.0f} MiB"
        raise Unreadable(f"It has {size}; more than {LARGEST_OUTPUTS // 2**20} are not read.")
    return os.fdopen(descriptor, "rb")


def _without_outputs(file: BinaryIO) -> bytes:
    """Return a large notebook without its outputs, taken out by a process with limits of its own.

    Raises Unreadable if that is still too large, or no notebook.
    """
    limits = [f"--as={MEMORY}", f"--cpu={SECONDS}"]
    command = ["prlimit", *limits, sys.executable, "-I", str(TAKES_OUTPUTS_OUT)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=file, stdout=pipe, stderr=subprocess.DEVNULL) as child:
        assert child.stdout is not None
        content = child.stdout.read(LARGEST_FILE + 1)
        child.kill()
    if len(content) > LARGEST_FILE:
        raise Unreadable(f"Even without its outputs it has more than {LARGEST_FILE // 2**20} MiB.")
    if not content:
        raise Unreadable("It is large, and no notebook.")
    return content


def _text(content: bytes) -> str:
    """Return the text of a file: UTF-8, with a byte order mark or without, or UTF-16."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if content.startswith(mark)), "utf-8")
    return content.decode(encoding)


def _what_it_is(content: bytes) -> str:
    """Return what a file that is no JSON is, in words."""
    start = content[:1000].lstrip().lower()
    if not content.strip():
        return "the file is empty"
    for beginning, kind in BEGINNINGS:
        if content.startswith(beginning):
            return f"it is {kind}"
    if start.startswith((b"<!doctype html", b"<html", b"<!doctype>", b"<?xml")):
        return "it is a web page"
    try:
        _text(content)
    except ValueError:
        return "its text is not UTF-8; save it once more in JupyterLab"
    return "its text is no JSON; the file may be cut off"


def _dict(thing: object) -> dict:
    return thing if isinstance(thing, dict) else {}


def _id_of(cell: dict) -> str:
    """Return a cell's id. Colab keeps its own in the metadata."""
    ids = (cell.get("id"), _dict(cell.get("metadata")).get("id"))
    return next((i for i in ids if isinstance(i, str)), "")


def _source_of(cell: dict) -> str | None:
    """Return a cell's source, or None if it is no text."""
    source = cell.get("source", "")
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        source = "".join(source)
    return source if isinstance(source, str) else None


@functools.cache
def edition(folder: str) -> dict[int, list[Cell]]:
    """Return chapter -> its code cells, from "notebooks" (as handed out) or "solutions"."""
    return {chapter: notebook.code for chapter, notebook in notebooks_of(folder).items()}


@functools.cache
def notebooks_of(folder: str) -> dict[int, Notebook]:
    """Return chapter -> its notebook, from "notebooks" (as handed out) or "solutions"."""
    paths = sorted((COURSE / folder).glob("*.ipynb"))
    return {int(path.name[:2]): read(path) for path in paths}
