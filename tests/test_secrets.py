"""No solution and no secret of the grader is ever in a sandbox: searched for when all is marked."""

import ctypes
import platform
from pathlib import Path
from typing import ClassVar

import pytest

from solutions.grading import following, sandbox, single, walls
from solutions.grading.arrivals import reading
from solutions.grading.arrivals.reading import Cell
from solutions.grading.walls import Limits

SECRET = "a constant that nobody would write 8c1f"
SLOT = walls.SLOTS
LIMITS = Limits(idle_seconds=600.0, total_idle_seconds=3600.0)
ADD_KEY = {"x86_64": 248, "aarch64": 217}
pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandboxed")]


class Searched(sandbox.Sandbox):
    """A sandbox that is searched for the secret before it ends."""

    found: ClassVar[list[str]] = []
    number: ClassVar[int] = 0

    def __exit__(self, *error):
        if inside := self.watch.inside()[1:]:
            Searched.number += 1
            Searched.found += in_memory(inside) + in_files(inside[-1].pid)
        super().__exit__(*error)


def in_memory(processes):
    """Return where in the memory of processes the secret lies."""
    found = []
    for process in processes:
        maps = Path(f"/proc/{process.pid}/maps").read_text(encoding="utf-8").splitlines()
        with open(f"/proc/{process.pid}/mem", "rb", buffering=0) as memory:
            for line in maps:
                start, end = (int(part, 16) for part in line.split()[0].split("-"))
                if line.split()[1].startswith("r") and SECRET.encode() in chunk(memory, start, end):
                    found.append(f"memory of {process.name()}")
    return found


def chunk(memory, start, end):
    """Return a stretch of a process's memory, as much of it as can be read."""
    try:
        memory.seek(start)
        return memory.read(end - start)
    except (OSError, OverflowError, ValueError):
        return b""


def in_files(pid):
    """Return the files of the sandbox, other than the system's, that hold the secret."""
    found = []
    for folder in (*walls.WRITABLE, "/course", "/home"):
        for path in Path(f"/proc/{pid}/root{folder}").rglob("*"):
            if path.is_file() and not path.is_symlink() and SECRET.encode() in path.read_bytes():
                found.append(str(path))
    return found


@pytest.fixture
def searched(monkeypatch, staged):
    """Return code -> where the secret was, with all that is secret planted in its places."""
    solution = [Cell(c.id, f"{c.source}\n# {SECRET}\nplanted = {SECRET!r}") for c in SOLVED]
    whole = reading.edition
    editions = {"solutions": {1: solution}, "notebooks": whole("notebooks")}
    monkeypatch.setattr(single, "edition", editions.get)
    single.needed_by.cache_clear()  # so that the planted solutions are read
    monkeypatch.setattr(single, "Sandbox", Searched)
    monkeypatch.setenv("TOKEN", SECRET)
    text = SECRET.encode()
    call = ctypes.CDLL(None, use_errno=True).syscall
    call(ADD_KEY[platform.machine()], b"user", b"token", text, len(text), -3)  # the session's

    def search(code):
        Searched.found, Searched.number = [], 0
        graded = single.grade(code, 1, staged=staged, limits=LIMITS, slot=SLOT)
        return Searched.found, Searched.number, graded

    return search


SOLVED, HANDED_OUT = (reading.edition(name)[1] for name in ("solutions", "notebooks"))
WRONG = "def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):\n    return x_t @ W_xh"


def test_nothing_secret_is_inside_when_all_marks_are_given(searched):
    """One answer is followed through, so that a second sandbox is searched, with a reference."""
    wrong = [Cell(c.id, WRONG) if c.source.startswith("def rnn_step") else c for c in SOLVED]
    found, sandboxes, graded = searched(wrong)
    assert found == []
    assert sandboxes == 2
    assert following.FOLLOWED_THROUGH in {mark.message for mark in graded.marks}


def test_what_is_planted_inside_is_found(searched):
    """The same search: in memory, and in a file whose writer keeps nothing."""
    parts = SECRET.encode().hex()
    kept = f"kept = bytes.fromhex({parts!r})"
    written = f"open('/tmp/x', 'wb').write(bytes.fromhex({parts!r}))"
    found, _, _ = searched([*HANDED_OUT, Cell("kept", kept), Cell("written", written)])
    assert any(place.startswith("memory of") for place in found)
    assert any(place.endswith("/tmp/x") for place in found)
