"""Tables as other programs write and read them.

Read is any text with commas, semicolons or tabs, in UTF-8 or as Windows writes it. Written are
UTF-8 and commas, which Canvas and Moodle both read. No cell of ours is taken for a formula.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from solutions.grading.store import write

FORMULA = "=+\\-@＝＋－＠"  # what a formula in a spreadsheet begins with
# It begins where a cell begins: at the start, or behind what separates cells or lines elsewhere.
BEFORE = r"(^|[;\t\r\n])((?:[^\S\t\r\n]|[\"'])*)"
BEGINNING = re.compile(rf"{BEFORE}(?=[{FORMULA}])")
MADE_HARMLESS = re.compile(rf"{BEFORE}'(?=[{FORMULA}])")
LARGEST = 50 * 2**20  # bytes
DELIMITERS = ",;\t"
SEPARATOR = re.compile(r"\Asep=.\r?\n")  # by which Excel is told the delimiter


class Unusable(Exception):
    """A table that is not what it should be; the message says what is wrong and what to do."""


@dataclass
class Table:
    """A table: its heads, and its lines, all as long as the heads."""

    path: Path
    head: list[str]
    lines: list[list[str]]

    def column(self, *names: str) -> int | None:
        """Return the place of the first head that is one of these names, or None."""
        heads = [head.strip().casefold() for head in self.head]
        return next((heads.index(n.casefold()) for n in names if n.casefold() in heads), None)

    def needed(self, *names: str, remedy: str = "") -> int:
        """Return the place of a head that must be there. Raises Unusable, with the remedy."""
        place = self.column(*names)
        if place is None:
            named = " or ".join(repr(name) for name in names)
            lacks = f"{self.path} has no column {named}; it has: {', '.join(self.head)}."
            raise Unusable(f"{lacks} {remedy}".strip())
        return place


def read(path: Path, *needed: Sequence[str], remedy: str = "") -> Table:
    """Return the table in a file.

    needed: for each column that must be there, the names that it may have
    remedy: what to do where one is not

    Raises Unusable.
    """
    try:
        size = path.stat().st_size
        raw = path.read_bytes() if size <= LARGEST else b""
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}.") from None
    if size > LARGEST:
        raise Unusable(f"{path} has more than {LARGEST // 2**20} MiB: is it the right file?")
    text = _text(raw)
    found = [_split(path, text, delimiter) for delimiter in DELIMITERS]
    table = max(found, key=lambda t: (sum(t.column(*n) is not None for n in needed), len(t.head)))
    for names in needed:
        table.needed(*names, remedy=remedy)
    return table


def save(path: Path, head: Iterable[str], lines: Iterable[Iterable[str]]) -> None:
    """Write a table so that at any time the old file is there or the new one."""
    raw = io.StringIO(newline="")
    writer = csv.writer(raw)
    writer.writerow(head)
    writer.writerows(lines)
    write(path, raw.getvalue())


def harmless(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula, whatever it splits a line at."""
    return BEGINNING.sub(r"\1\2'", cell)


def as_entered(cell: str) -> str:
    """Return a cell of a table of ours as it was before `harmless`."""
    return MADE_HARMLESS.sub(r"\1\2", cell)


def _text(raw: bytes) -> str:
    for encoding in ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig",):
        try:
            return raw.decode(encoding)
        except ValueError:
            break
    return raw.decode("cp1252", errors="replace")


def _split(path: Path, text: str, delimiter: str) -> Table:
    """Return a text as a table. Raises Unusable if it is none."""
    csv.field_size_limit(LARGEST)
    try:
        lines = io.StringIO(SEPARATOR.sub("", text.replace("\0", "")), newline="")
        rows = list(csv.reader(lines, delimiter=delimiter))
    except csv.Error as error:
        raise Unusable(f"{path} is no table: {error}.") from None
    rows = [row for row in rows if any(row)]
    if not rows:
        raise Unusable(f"{path} is empty.")
    width = len(rows[0])
    return Table(path, rows[0], [(row + [""] * width)[:width] for row in rows[1:]])
