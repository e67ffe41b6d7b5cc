"""Feedback as Moodle and Canvas take it back: an archive of pages under the platform's own names.

Moodle finds a student by the name of the folder, and Canvas by the numbers in the file's name, so
each page goes by the name under which its submission came.
"""

import re
import zipfile
from pathlib import Path

from solutions.grading.arrivals.places import Submission
from solutions.grading.reports.pages import page_of
from solutions.grading.reports.rows import Row

DATE = (1980, 1, 1, 0, 0, 0)  # the same archive, whenever it is made
FILE = "feedback.html"
MOODLE_FOLDER = re.compile(r"(.+_assignsubmission_[a-z]+_?).*", re.DOTALL)
CANVAS_FILE = re.compile(r"(.+?_\d+_\d+_).+", re.DOTALL)


def save(rows: list[Row], folder: Path) -> list[Path]:
    """Write an archive for each platform that has named submissions; return their paths."""
    written = []
    for platform, name_in in (("moodle", _in_moodle), ("canvas", _in_canvas)):
        pages: dict[str, str] = {}
        for row in rows:
            of_it = [s for s in row.sent if s.sender and s.sender.platform == platform]
            names = filter(None, map(name_in, of_it))
            pages |= {
                name: page_of(row) for name in list(names)[: 1 if platform == "moodle" else None]
            }
        path = folder / f"{platform}-feedback.zip"
        path.unlink(missing_ok=True)
        if pages:
            with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
                for name, page in sorted(pages.items()):
                    archive.writestr(zipfile.ZipInfo(name, DATE), page)
            written.append(path)
    return written


def _in_moodle(submission: Submission) -> str:
    """Return the name of a page in Moodle's archive: a folder's, which names the participant."""
    found = MOODLE_FOLDER.fullmatch(submission.entry)
    return f"{found[1].rstrip('_')}_/{FILE}" if found else ""


def _in_canvas(submission: Submission) -> str:
    """Return the name of a page in Canvas's archive, with the numbers of user and file."""
    found = CANVAS_FILE.fullmatch(submission.entry)
    return f"{found[1]}{FILE}" if found else ""
