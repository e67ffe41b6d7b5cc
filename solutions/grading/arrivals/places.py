"""Finds the submissions in a folder, whatever a student may have put there.

<student>/<notebook>.ipynb                                     a folder per student
<name>_<participant>_assignsubmission_file_/<notebook>.ipynb   Moodle's download of all
<name>_<user>_<submission>_<notebook>.ipynb                    Canvas's, all in one folder;
                                                               late ones have _LATE_ in between
"""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from solutions.grading.inside.protocol import clean

MOST_FILES = 20  # of one student
MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_file_?$")
CANVAS = re.compile(r"^(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?P<submission>\d+)_.+\.ipynb$")


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
