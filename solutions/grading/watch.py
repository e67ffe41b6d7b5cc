"""Watches what a sandbox uses, also between two requests, and ends it when that is too much.

What counts is processor time, of all processes inside together. On a busy machine a process waits
for a processor, which costs it nothing here; one that neither runs nor waits for a processor is
idle, and may be so for a while only.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from solutions.grading.control_groups import Group
from solutions.grading.walls import WRITABLE, Limits

WORKER = "inside.worker"  # the module that runs inside, by which its process is known
LOOK_EVERY = 0.1  # seconds
GRACE = 2.0  # processor seconds, or idle ones, that are left to what is interrupted
IDLE = 0.02  # whoever uses less of one processor does nothing
LEAST = 0.05  # of one processor is charged to whoever does something: short processes can hide


@dataclass
class Budget:
    """What the sandboxes of one notebook may use together, and have used.

    seconds  of processor time
    idle     seconds on the clock in which nothing inside ran or wanted to
    """

    seconds: float
    idle: float
    used: float = 0.0
    idled: float = 0.0

    def spent(self) -> bool:
        """Return whether nothing is left of it."""
        return self.used > self.seconds or self.idled > self.idle


class Watch(threading.Thread):
    """Looks at the processes of one sandbox until `over` is called.

    reason       why it ended the sandbox, or ""
    late         whether that was for time
    broken       whether it could not look, and ended the sandbox for that
    interrupted  how many requests it interrupted
    """

    def __init__(self, outer: int, limits: Limits, budget: Budget, group: Group | None):
        super().__init__(daemon=True)
        self.reason, self.late, self.broken, self.interrupted = "", False, False, 0
        self._outer, self._limits, self._budget, self._group = outer, limits, budget, group
        self._lock, self._over = threading.Lock(), threading.Event()
        self._seconds = limits.seconds
        self._asked, self._used, self._idle = False, 0.0, 0.0  # in this request
        self._gently: psutil.Process | None = None
        self._looked, self._before = time.monotonic(), Use()

    def run(self) -> None:
        """Look again and again."""
        while not self._over.wait(LOOK_EVERY) and not self.reason:
            try:
                self._look()
            except Exception as error:  # nothing runs unwatched
                self.reason, self.broken = f"the watch failed: {error!r:.200}", True
        if self.reason:
            for process in self.inside()[1:]:
                with contextlib.suppress(psutil.Error):
                    process.kill()

    def over(self) -> None:
        """Stop looking."""
        self._over.set()
        self.join()

    def begin(self, seconds: float | None, gently: psutil.Process | None = None) -> None:
        """A request begins, which may use `seconds`, by default those of the limits.

        gently: the process that is interrupted first if it takes longer
        """
        with self._lock:
            self._gently = gently
            self._seconds = self._limits.seconds if seconds is None else seconds
            self._asked, self._used, self._idle = True, 0.0, 0.0

    def end(self) -> None:
        """A request has been answered."""
        with self._lock:
            self._asked = False

    def inside(self) -> list[psutil.Process]:
        """Return the processes of the sandbox, its outer one first."""
        with contextlib.suppress(psutil.Error):
            outer = psutil.Process(self._outer)
            return [outer, *outer.children(recursive=True)]
        return []

    def worker(self) -> psutil.Process | None:
        """Return the process of the worker itself, the innermost that runs its module."""
        found = None
        for process in self.inside():
            with contextlib.suppress(psutil.Error):
                python, *arguments = process.cmdline()
                if arguments == ["-m", WORKER] and python == sys.executable:
                    found = process
        return found

    def _look(self) -> None:
        inside, now = self.inside(), time.monotonic()
        use = self._before.now(inside, self._group)
        passed, ran = now - self._looked, use.ran - self._before.ran
        waited = use.waited - self._before.waited
        self._looked, self._before = now, use
        with self._lock:
            idle = ran + waited < IDLE * passed
            charged = ran if idle else max(ran, LEAST * passed)
            self._budget.used += charged
            self._used += charged
            if idle and self._asked:
                self._idle += passed
                self._budget.idled += passed
            self.reason, self.late = self._too_late(), True
            if self.reason and self._gently and not self._budget.spent():
                self._interrupt(self._gently)
                self.reason = ""
        if not self.reason:
            self.late = False
            self.reason = self._too_much(inside)

    def _interrupt(self, worker: psutil.Process) -> None:
        """Interrupt what the worker does, once; it has a little time left to reply."""
        with contextlib.suppress(psutil.Error):
            worker.send_signal(signal.SIGINT)
        self._gently, self._idle, self._seconds = None, 0.0, self._used + GRACE
        self.interrupted += 1

    def _too_late(self) -> str:
        if self._budget.spent():
            return "the time for the whole notebook was used up"
        if self._asked and self._used > self._seconds:
            return "it took too long and was stopped"
        if self._asked and self._idle > min(self._limits.idle_seconds, self._seconds):
            return "it waited too long for something and was stopped"
        return ""

    def _too_much(self, inside: list[psutil.Process]) -> str:
        if _resident(inside, self._limits.resident) > self._limits.resident:
            return "it took too much memory and was stopped"
        if len(inside) > 1 and _files(inside[1].pid) > self._limits.files:
            return "it made too many files and was stopped"
        return ""


class Use:
    """How long the processes of a sandbox ran, and waited for a processor, in seconds.

    Of a process that has gone what was seen last is kept; what its parent collected counts, too.
    """

    def __init__(self, ran: float = 0.0, waited: float = 0.0):
        self.ran, self.waited = ran, waited
        self._own: dict[int, float] = {}
        self._seen = 0.0
        self._waits: dict[str, float] = {}

    def now(self, inside: list[psutil.Process], group: Group | None) -> "Use":
        """Return what it is now, given what it was."""
        use, alive = Use(self.ran, self.waited), 0.0
        use._seen = self._seen
        for process in inside:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                own = times.user + times.system
                alive += own + times.children_user + times.children_system
                use._seen += max(0.0, own - self._own.get(process.pid, 0.0))
                use._own[process.pid] = own
                use._waits |= _waits(process.pid)
        counted = group.seconds() if group else 0.0
        use.ran = max(self.ran, alive, use._seen, counted)
        use.waited += sum(
            max(0.0, seconds - self._waits.get(thread, 0.0))
            for thread, seconds in use._waits.items()
        )
        return use


def _waits(pid: int) -> dict[str, float]:
    """Return thread -> the seconds that it waited for a processor, as far as the kernel tells."""
    found = {}
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError, IndexError, ValueError):
                nanoseconds = (thread / "schedstat").read_text(encoding="ascii").split()[1]
                found[str(thread)] = int(nanoseconds) / 1e9
    return found


def _resident(inside: list[psutil.Process], enough: int) -> int:
    """Return the bytes of memory that all processes inside use together.

    Pages that several of them share count once; the simple sum, which counts them for each, is
    cheaper, and will do up to `enough`.
    """
    total = sum(_bytes(process.memory_info, "rss") for process in inside)
    if total > enough:
        total = sum(_bytes(process.memory_full_info, "pss") for process in inside)
    return total


def _bytes(ask: Callable, what: str) -> int:
    """Return a number about a process's memory, 0 if it has gone."""
    with contextlib.suppress(psutil.Error):
        return getattr(ask(), what)
    return 0


def _files(pid: int) -> int:
    """Return how many files, folders and links there are where a process inside may write."""
    found = 0
    for folder in WRITABLE:
        with contextlib.suppress(OSError):
            status = os.statvfs(f"/proc/{pid}/root{folder}")
            found += status.f_files - status.f_ffree
    return found
