"""Reads notebooks in zip archives, in memory: nothing is unpacked to a disk.

Whatever an archive claims of itself is not believed: what is read is counted as it comes.
"""

import errno
import os
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO

from solutions.grading.arrivals import reading

MOST_MEMBERS = 200  # that are told
LARGEST = 3 * reading.LARGEST_FILE  # bytes of an archive
LARGEST_DIRECTORY = 2**20  # bytes
END = 22  # bytes at the end of an archive
DAMAGED = "It is in an archive that is damaged."
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
LINK = 0o120000  # a file's kind in the attributes of Unix


def members(path: Path) -> list[str]:
    """Return the names of the notebooks in an archive, sorted, then of archives in it.

    There are none if it is no archive. An archive in an archive is not read, but told.
    """
    found = [name for name in names(path) if _is_seen(name)]
    return sorted(found, key=lambda name: (not name.lower().endswith(".ipynb"), name))[
        :MOST_MEMBERS
    ]


def names(path: Path) -> list[str]:
    """Return the names of the files in an archive that are no links; none if it is no archive."""
    if path.suffix.lower() != ".zip" or path.stat(follow_symlinks=False).st_size > LARGEST:
        return []
    try:
        with reading.opened(path) as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                return [info.filename for info in archive.infolist() if not _is_linked(info)]
    except (reading.Unreadable, OSError, *BROKEN):
        return []


def read(path: Path, member: str) -> bytes:
    """Return what a member of an archive holds. Raises Unreadable."""
    try:
        with reading.opened(path) as file:
            _check_directory(file)
            with zipfile.ZipFile(file) as archive:
                content = _content_of(archive, archive.getinfo(member))
    except (KeyError, *BROKEN):
        raise reading.Unreadable(DAMAGED) from None
    except OSError as error:
        if error.errno != errno.EINVAL:  # of a place before the beginning
            raise
        raise reading.Unreadable(DAMAGED) from None
    if len(content) > reading.LARGEST_FILE:
        size = reading.LARGEST_FILE // 2**20
        raise reading.Unreadable(f"It is in an archive and has more than {size} MiB.")
    return content


def _content_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return what a member holds, or a byte more than is read of it. Raises Unreadable."""
    if info.flag_bits & 1:
        raise reading.Unreadable("It is in an archive that asks for a password.")
    if info.compress_type not in METHODS:
        raise reading.Unreadable("It is in an archive of a kind that is not read.")
    with archive.open(info) as part:
        return part.read(reading.LARGEST_FILE + 1)


def _check_directory(file: BinaryIO) -> None:
    """Raise BadZipFile if an archive's directory is too long to be read: it is read whole."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - END - 2**16))  # a comment of up to 64 KiB may stand behind its end
    tail = file.read()
    place = tail.rfind(b"PK\x05\x06")
    length = int.from_bytes(tail[place + 12 : place + 16], "little")
    if place < 0 or length > LARGEST_DIRECTORY or b"PK\x06\x07" in tail:  # for more than 4 GiB
        raise zipfile.BadZipFile("no directory that is read")


def _is_linked(info: zipfile.ZipInfo) -> bool:
    return (info.external_attr >> 16) & 0o170000 == LINK


def _is_seen(member: str) -> bool:
    """Return whether a member is a notebook or an archive, by its name, and no clutter."""
    hidden = any(part.startswith((".", "__MACOSX")) for part in member.split("/"))
    return member.lower().endswith((".ipynb", ".zip")) and not hidden
