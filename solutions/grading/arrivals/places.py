"""Finds the submissions in a folder, wherever a student or a platform may have put them.

    <student>/<notebook>.ipynb            a folder per student
    <student>/<folder>/<notebook>.ipynb   one level down
    <student>/<archive>.zip               an archive of notebooks
    names as Moodle and Canvas give them  see names.py

All of it may lie in one folder more. Links are followed nowhere.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from solutions.grading.arrivals import zips
from solutions.grading.arrivals.names import Sender, sender_of
from solutions.grading.inside.protocol import clean

MOST_FILES = 20  # of one student
# What systems and editors add, in small letters. Other folders may have a dot and be a student's.
CLUTTER = {"__macosx", "thumbs.db", "desktop.ini", "icon\r", "__pycache__"}
CLUTTER |= {".ipynb_checkpoints", ".git", ".vscode", ".idea", ".cache", ".jupyter", ".venv"}
HOLDS_NONE = (
    "{} holds no submission. Expected is a folder per student, or what Moodle or Canvas gives you "
    "as the download of all submissions, unpacked."
)


@dataclass(frozen=True)
class Submission:
    """One file of one student.

    student   the name as it may stand in a report
    number    the id in Moodle or Canvas, or ""
    path      where it lies; a folder if there is no file in it
    who       what tells students apart whose names look alike
    member    its name in the archive at `path`, or ""
    sender    what the platform says, or None
    left_out  how many files of the same student are not looked at, since there are too many
    """

    student: str
    number: str
    path: Path
    who: bytes = b""
    member: str = ""
    sender: Sender | None = None
    left_out: int = 0

    @property
    def name(self) -> str:
        """The file's name as it may stand in a report."""
        return shown(self.member or self.path.name)


def find(folder: Path) -> list[Submission]:
    """Return the submissions in a folder, or the one that a file is, sorted by student and file.

    Raises FileNotFoundError if there is nothing, ValueError if it holds no submission.
    """
    if folder.is_file() and not folder.is_symlink():
        sender = sender_of(shown(folder.name))
        return _of_one(sender.name if sender else shown(folder.stem), [folder], folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    entries = list(_entries(folder))
    if len(entries) == 1 and _is_a_folder(entries[0]) and _encloses_a_class(entries[0]):
        entries = list(_entries(entries[0]))
    by_student: dict[tuple[str, bytes], list[Path]] = {}
    for entry in entries:
        sender = sender_of(shown(entry.name))
        by_folder = _is_a_folder(entry) or not sender
        who = os.fsencode(entry.name) if by_folder else f"{sender.name} {sender.number}".encode()
        name = entry.name if _is_a_folder(entry) else entry.stem
        by_student.setdefault((sender.name if sender else shown(name), who), []).append(entry)
    found = []
    for (student, who), paths in by_student.items():
        found += _of_one(student, paths, paths[0], who)
    if not found:
        raise ValueError(HOLDS_NONE.format(folder))
    return found


def _of_one(student: str, entries: list[Path], first: Path, who: bytes = b"") -> list[Submission]:
    """Return the submissions of one student, from files and folders that are all theirs."""
    sender = sender_of(shown(first.name))
    files = [path for entry in entries for path in _files(entry)]
    files.sort(key=lambda path: (path.suffix != ".ipynb", path))
    parts = [(p, m) for p in files or [first] for m in (zips.members(p) or [""])]
    left_out = max(0, len(parts) - MOST_FILES)
    number = sender.number if sender else ""
    return [
        Submission(
            student,
            number,
            path,
            who,
            member,
            sender_of(shown(path.name)) or sender,
            left_out if n == 0 else 0,
        )
        for n, (path, member) in enumerate(parts[:MOST_FILES])
    ]


def _files(entry: Path) -> Iterator[Path]:
    """Yield a file, or the files in a folder and in the folders in it."""
    if not _is_a_folder(entry):
        yield entry
        return
    for path in _entries(entry):
        if _is_a_folder(path):
            yield from (inner for inner in _entries(path) if not _is_a_folder(inner))
        else:
            yield path


def _entries(folder: Path) -> Iterable[Path]:
    """Return what lies in a folder, sorted, without what systems and platforms add to it."""
    return sorted(
        path
        for path in folder.iterdir()
        if path.name.lower() not in CLUTTER
        and (_is_a_folder(path) or not path.name.startswith("."))
        and path.suffix.lower() != ".csv"  # a grading worksheet
    )


def _is_a_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _encloses_a_class(folder: Path) -> bool:
    """Return whether a folder holds a class, and not what one student has handed in."""
    entries = list(_entries(folder))
    named = any(sender_of(shown(entry.name)) for entry in entries)
    return named or sum(map(_is_a_folder, entries)) > 1


def shown(name: str) -> str:
    """Return a file's name as text that can be written, even if it is not UTF-8."""
    return clean(os.fsencode(name).decode("utf-8", errors="replace"))
