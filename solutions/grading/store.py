"""What grading keeps in its folder: the seed, the results so far, and a lock for one run at a time.

A run that was broken off is gone on with, by its seed. Once its grades are written, students may
have read about its cases, so that what is handed in afterwards gets a new one.
"""

import contextlib
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

SOURCE = "source.txt"
USED = "used"  # second line of seed.txt: grades by this seed have been written


class Unusable(Exception):
    """The folder cannot be used; the message says why, and what to do."""


class Store:
    """The results so far, one file each, so that nothing is graded twice and nothing is lost."""

    def __init__(self, out: Path, given: int | None = None):
        self.out, self.folder, self.given = out, out / "results", given
        kept = _kept(out / "seed.txt") if given is None else given
        self.seed = secrets.randbelow(2**64) if kept is None else kept
        self.folder.mkdir(parents=True, exist_ok=True)
        for unfinished in [*out.glob(".*.unfinished"), *self.folder.glob(".*.unfinished")]:
            unfinished.unlink()
        write(out / "seed.txt", f"{self.seed}\n")

    def get(self, key: str) -> dict | None:
        """Return the result stored under `key`, if there is one that can be read.

        A seed that was asked for has to be its seed.
        """
        try:
            result = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))
            seed, parts = result["seed"], (result["marks"], result["notes"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        whole = all(isinstance(part, list) for part in parts)
        return result if whole and self.given in (None, seed) else None

    def put(self, key: str, result: dict) -> None:
        """Store a result; an interruption here leaves the old one or the new one."""
        write(self.folder / f"{key}.json", json.dumps(result | {"seed": self.seed}))

    def note_source(self, folder: Path) -> None:
        """Note which folder is graded into this one."""
        write(self.out / SOURCE, f"{folder.resolve()}\n")

    def finish(self) -> None:
        """Note that the grades have been written."""
        write(self.out / "seed.txt", f"{self.seed}\n{USED}\n")


def check_source(out: Path, folder: Path) -> None:
    """Raise Unusable if another folder has been graded into `out`: its grades would be lost."""
    source = out / SOURCE
    before = source.read_text(encoding="utf-8").strip() if source.is_file() else ""
    if before and before != str(folder.resolve()):
        raise Unusable(
            f"{out} has the grades of {before}. Name a folder for these with --out; to go on in "
            f"that one, name it: --out {out}."
        )


def check_apart(out: Path, folder: Path) -> None:
    """Raise Unusable if grades would be written among submissions, and be taken for some."""
    if folder.resolve() in (out.resolve(), *out.resolve().parents):
        raise Unusable(f"{out} lies among the submissions. Name a folder elsewhere with --out.")


@contextlib.contextmanager
def opened(out: Path, given: int | None) -> Iterator[Store]:
    """Open the folder `out` for one run. Raises Unusable.

    given: the seed that was asked for, if any
    """
    import fcntl  # which Windows lacks, where submissions are not graded

    try:
        out.mkdir(parents=True, exist_ok=True)
        with (out / ".lock").open("a", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield Store(out, given)
    except BlockingIOError:
        raise Unusable(
            f"Another run is grading into {out}. Wait until it has ended, or name another folder "
            "with --out."
        ) from None
    except OSError as error:
        place = error.filename or out
        raise Unusable(
            f"The grades cannot be written: {place}: {error.strerror}. What has been graded so far "
            "is kept. Make room, or name another folder with --out, and start again."
        ) from None


def _kept(path: Path) -> int | None:
    """Return the seed of a run that was broken off, or None."""
    try:
        lines = path.read_text(encoding="ascii").split()
        return int(lines[0]) if lines[1:] == [] else None
    except (OSError, ValueError, IndexError):
        return None


def write(path: Path, text: str) -> None:
    """Write a file so that at any time either the old text is there or the new one."""
    descriptor, name = tempfile.mkstemp(prefix=".", suffix=".unfinished", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
