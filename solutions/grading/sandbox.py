"""Starts a worker behind the walls, and talks to it while it is watched.

Once it has used too much time or memory, everything inside is killed.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from solutions.grading import control_groups
from solutions.grading.inside import protocol
from solutions.grading.walls import MIB, Limits, environment
from solutions.grading.watch import LOOK_EVERY, WORKER, Budget, Watch


class Stopped(Exception):
    """The worker ended, or was ended; the message says why.

    again: a busy machine could have been the cause, so that it deserves a second try
    """

    def __init__(self, reason: str, *, again: bool = False):
        super().__init__(reason)
        self.again = again


class Failed(Exception):
    """The grader itself failed, by nothing that a submission could do; the message says how."""


class Sandbox:
    """A worker in its sandbox. Use it in a `with`: at the end everything inside is dead.

    staged  the folder that `walls.stage` makes
    behind  the command line of its walls; None runs it without
    budget  of the notebook; what is used here is added to it
    """

    def __init__(
        self,
        staged: Path,
        limits: Limits,
        behind: list[str] | None,
        budget: Budget | None = None,
    ):
        command, walled = behind or [], behind is not None
        own = environment() if walled else os.environ | {"PYTHONPATH": str(staged)}
        self._group, self._number = control_groups.made(limits) if walled else None, 0
        self._worker: psutil.Process | None = None
        if self._group:
            command = ["sh", "-c", 'echo $$ > "$0"; exec "$@"', str(self._group.door), *command]
        self._process = subprocess.Popen(
            [*command, sys.executable, "-m", WORKER],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=own,
            cwd=staged,
            start_new_session=True,
        )
        self._to_worker, self._from_worker = (
            pipe.fileno() for pipe in (self._process.stdin, self._process.stdout)
        )
        os.set_blocking(self._to_worker, False)
        os.set_blocking(self._from_worker, False)
        budget = budget or Budget(limits.total_seconds, limits.total_idle_seconds)
        self.watch = Watch(self._process.pid, limits, budget, self._group)
        self.watch.start()

    def __enter__(self) -> "Sandbox":
        """Wait until the worker is ready. Raises Failed; Stopped if there is no time left."""
        try:
            self.ask({"do": "begin"})
            self._worker = self.watch.worker()  # before it has run anything that nobody trusts
        except (Stopped, protocol.Forged) as reason:
            self.__exit__()
            if self.watch.reason:
                raise
            raise Failed(f"The sandbox did not start: {reason}.") from None
        return self

    def __exit__(self, *_) -> None:
        """Kill what is inside, then what surrounds it, which can thus collect what it started.

        A collected process no longer counts towards the next sandbox's limit on processes.
        """
        self.watch.over()
        inside = self.watch.inside()[1:]
        for process in inside:
            with contextlib.suppress(psutil.Error):
                process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2 if inside else 0)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
        if self._group:
            self._group.remove()

    def ask(
        self,
        header: dict,
        arrays: Iterable = (),
        seconds: float | None = None,
        *,
        gently: bool = False,
    ):
        """Return header and body of the reply to a request.

        seconds  of a processor that it may use, if not those of the limits
        gently   interrupt the worker before it is killed for time, so that what is defined stays

        Raises Stopped if the worker dies, takes too long or too much memory, protocol.Forged if
        what comes back is no reply, and Failed if it cannot be watched.
        """
        self._number += 1
        self.watch.begin(seconds, self._worker if gently else None)
        self._write(protocol.frame(header | {"id": self._number}, arrays))
        lengths = self._read(protocol.LENGTHS.size)
        head, body = protocol.LENGTHS.unpack(lengths)
        if head > protocol.LARGEST_HEADER or body > protocol.LARGEST_BODY:
            raise protocol.Forged(f"a reply of {head + body} bytes")
        try:
            reply = json.loads(self._read(head))
        except (ValueError, RecursionError):
            raise protocol.Forged("a reply that is no JSON") from None
        if not isinstance(reply, dict) or reply.get("id") != self._number:
            raise protocol.Forged("a reply to another question")
        raw = self._read(body)
        self.watch.end()
        return reply, raw

    def _write(self, raw: bytes) -> None:
        left = memoryview(raw)
        for _ in self._ready(self._to_worker, selectors.EVENT_WRITE):
            try:
                left = left[os.write(self._to_worker, left) :]
            except BrokenPipeError:
                raise self._stopped() from None
            if not left:
                return

    def _read(self, n: int) -> bytes:
        got = bytearray()
        if n == 0:
            return b""
        for _ in self._ready(self._from_worker, selectors.EVENT_READ):
            part = os.read(self._from_worker, min(n - len(got), MIB))
            if not part:
                raise self._stopped()
            got += part
            if len(got) == n:
                return bytes(got)
        raise AssertionError("unreachable")

    def _ready(self, end: int, event: int) -> Iterator[None]:
        """Yield whenever a pipe is ready; raise Stopped when the watch has ended the sandbox."""
        with selectors.DefaultSelector() as selector:
            selector.register(end, event)
            while True:
                ready = selector.select(timeout=LOOK_EVERY)
                if self.watch.reason:
                    raise self._stopped()
                if ready:
                    yield

    def _stopped(self) -> Stopped:
        """Return why the worker no longer answers. Raises Failed if it was not watched."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        if self.watch.broken:
            raise Failed(f"The sandbox was ended: {self.watch.reason}.")
        if self.watch.reason:
            return Stopped(self.watch.reason, again=self.watch.late)
        code = self._process.returncode
        if code is None:
            return Stopped("it closed its line to the grader")
        number = code - 128 if code > 128 else -code
        if number > 0:
            with contextlib.suppress(ValueError):
                name = signal.Signals(number).name
                return Stopped(f"its process was ended by {name}", again=name == "SIGKILL")
        return Stopped(f"its process ended with exit status {code}")
