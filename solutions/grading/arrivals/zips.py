"""Reads notebooks in zip archives, in memory: nothing is unpacked to a disk.

Whatever an archive claims of itself is not believed: what is read is counted as it comes.
"""

import zipfile
import zlib
from pathlib import Path

from solutions.grading.arrivals import reading

MOST_MEMBERS = 200  # that are looked through
LARGEST = 3 * reading.LARGEST_FILE  # bytes of an archive
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
LINK = 0o120000  # a file's kind in the attributes of Unix


def members(path: Path) -> list[str]:
    """Return the names of the notebooks in an archive, sorted; none if it is no archive."""
    if path.suffix.lower() != ".zip" or path.stat(follow_symlinks=False).st_size > LARGEST:
        return []
    try:
        with reading.opened(path) as file, zipfile.ZipFile(file) as archive:
            names = [info.filename for info in archive.infolist()[:MOST_MEMBERS] if _is_one(info)]
    except (reading.Unreadable, OSError, *BROKEN):
        return []
    return sorted(names)


def read(path: Path, member: str) -> bytes:
    """Return what a member of an archive holds. Raises Unreadable."""
    try:
        with reading.opened(path) as file, zipfile.ZipFile(file) as archive:
            info = archive.getinfo(member)
            if info.flag_bits & 1:
                raise reading.Unreadable("It is in an archive that asks for a password.")
            if info.compress_type not in METHODS:
                raise reading.Unreadable("It is in an archive of a kind that is not read.")
            with archive.open(info) as part:
                content = part.read(reading.LARGEST_FILE + 1)
    except (KeyError, *BROKEN):
        raise reading.Unreadable("It is in an archive that is damaged.") from None
    if len(content) > reading.LARGEST_FILE:
        size = reading.LARGEST_FILE // 2**20
        raise reading.Unreadable(f"It is in an archive and has more than {size} MiB.")
    return content


def _is_one(info: zipfile.ZipInfo) -> bool:
    """Return whether a member is a notebook, by its name: no link, and no system's addition."""
    *folders, name = info.filename.split("/")
    hidden = any(part.startswith((".", "__MACOSX")) for part in (*folders, name))
    linked = (info.external_attr >> 16) & 0o170000 == LINK
    return name.lower().endswith(".ipynb") and not hidden and not linked
