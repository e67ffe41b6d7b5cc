"""Finds the submissions in a folder, wherever a student or a platform may have put them.

    <student>/<notebook>.ipynb            a folder per student
    <student>/<folder>/<notebook>.ipynb   one level down, or a few
    <student>/<archive>.zip               an archive of notebooks
    names as Moodle and Canvas give them  see names.py

All of it may lie in one folder more, or in one for each part of the class. What a student has named
decides nothing where a platform has named the folder. Links are followed nowhere.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from solutions.grading.arrivals import zips
from solutions.grading.arrivals.names import Sender, sender_of
from solutions.grading.inside.protocol import clean

MOST_FILES = 20  # of one student
DEEPEST = 4  # folders in each other, the student's included
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
    entry     name of what lies in the class's folder: this file, or the folder that it is in
    member    its name in the archive at `path`, or ""
    sender    what the platform says, or None
    left_out  how many files of the same student are not looked at, since there are too many
    """

    student: str
    number: str
    path: Path
    who: bytes = b""
    entry: str = ""
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
        _of_students([folder])  # it could be a class's download
        sender = sender_of(shown(folder.name))
        return _of_one(sender.name if sender else shown(folder.stem), [folder], folder)
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder}.")
    by_student: dict[tuple[str, bytes], list[Path]] = {}
    for entry in _of_students(list(_entries(folder))):
        sender = sender_of(shown(entry.name))
        numbered = sender and sender.number
        who = f"{sender.name} {sender.number}".encode() if numbered else os.fsencode(entry.name)
        name = entry.name if _is_a_folder(entry) else entry.stem
        by_student.setdefault((sender.name if sender else shown(name), who), []).append(entry)
    found = []
    for (student, who), paths in by_student.items():
        found += _of_one(student, paths, paths[0], who)
    if not found:
        raise ValueError(HOLDS_NONE.format(folder))
    return found


def _of_students(entries: list[Path]) -> list[Path]:
    """Return the entries of a folder, with those of a class's folder in its place.

    Raises ValueError for an archive of a whole class.
    """
    unnamed = [entry for entry in entries if not sender_of(shown(entry.name))]
    for entry in unnamed:
        tops = {PurePosixPath(name).parts[0] for name in zips.names(entry)}
        if len({sender[:2] for top in tops if (sender := sender_of(top))}) > 1:
            raise ValueError(f"{entry} is the download of a class: unpack it, and take it away.")
    folders = [entry for entry in unnamed if _is_a_folder(entry)]
    others = [entry for entry in entries if entry not in folders]
    if any(_is_a_folder(o) or o.suffix.lower() in (".ipynb", ".zip") for o in others):
        return entries
    # What one student has named must not make others of it: all are parts of a class, or none is.
    parts = bool(folders) and all(map(_is_of_moodle, folders))
    alone = len(folders) == 1 and _holds_a_class(folders[0])
    return [*others, *(i for f in folders for i in _entries(f))] if parts or alone else entries


def _is_of_moodle(folder: Path) -> bool:
    """Return whether all that a folder holds are folders that Moodle has named."""
    inner = list(_entries(folder))
    return bool(inner) and all("_assignsubmission_" in i.name and _is_a_folder(i) for i in inner)


def _holds_a_class(folder: Path) -> bool:
    """Return whether the only folder holds a class, and not what one student handed in."""
    inner = list(_entries(folder))
    senders = {sender[:2] for path in inner if (sender := sender_of(shown(path.name)))}
    of_moodle = any("_assignsubmission_" in path.name for path in inner if _is_a_folder(path))
    return of_moodle or len(senders) > 1 or sum(map(_is_a_folder, inner)) > 1


def _of_one(student: str, entries: list[Path], first: Path, who: bytes = b"") -> list[Submission]:
    """Return the submissions of one student, from files and folders that are all theirs."""
    sender = sender_of(shown(first.name))
    entry_of = {path: shown(e.name) for e in entries for path in _files(e) or [e]}
    files = sorted(entry_of, key=lambda path: (_rank(path), path))
    parts = [(p, m) for p in files for m in (zips.members(p) or [""])]
    left_out = max(0, len(parts) - MOST_FILES)
    number = sender.number if sender else ""
    return [
        Submission(
            student,
            number,
            path,
            who,
            entry_of[path],
            member,
            sender_of(entry_of[path]),
            left_out if n == 0 else 0,
        )
        for n, (path, member) in enumerate(parts[:MOST_FILES])
    ]


def _rank(path: Path) -> int:
    """Return which files of a student are looked at first: notebooks, then what may hold some."""
    return {".ipynb": 0, ".zip": 1}.get(path.suffix.lower(), 2)


def _files(entry: Path, depth: int = DEEPEST) -> list[Path]:
    """Return a file, or the files in a folder and in the folders in it."""
    if not _is_a_folder(entry):
        return [entry]
    inner = _entries(entry) if depth else []
    return [path for part in inner for path in _files(part, depth - 1)]


def _entries(folder: Path) -> Iterable[Path]:
    """Return what lies in a folder, sorted, without what systems and platforms add to it.

    A folder that may not be looked into is empty.
    """
    try:
        inside = list(folder.iterdir())
    except PermissionError:
        return []
    return sorted(
        path
        for path in inside
        if path.name.lower() not in CLUTTER
        and (_is_a_folder(path) or not path.name.startswith("."))
        and path.suffix.lower() != ".csv"  # a grading worksheet
    )


def _is_a_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def shown(name: str) -> str:
    """Return a file's name as text that can be written, even if it is not UTF-8."""
    return clean(os.fsencode(name).decode("utf-8", errors="replace"))
