"""Starts a worker behind the walls, and talks to it under a clock.

Once the time is up or too much memory is used, everything inside is killed.
"""

import contextlib
import json
import math
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import psutil

from solutions.grading.inside import protocol
from solutions.grading.walls import MIB, Limits, environment, walls

LOOK_EVERY = 0.1  # seconds between two looks at the memory in use


class Stopped(Exception):
    """The worker ended, or was ended; the message says why."""


class Sandbox:
    """A worker in its sandbox. Use it in a `with`: at the end everything inside is dead.

    end: when its time is up, on the clock of `time.monotonic`
    """

    def __init__(
        self,
        staged: Path,
        limits: Limits,
        *,
        slot: int = 0,
        walled: bool = True,
        end: float = math.inf,
    ):
        command = walls(staged, limits, slot) if walled else []
        own = environment() if walled else os.environ | {"PYTHONPATH": str(staged)}
        self.limits, self._end, self._number, self._looked = limits, end, 0, time.monotonic()
        self._process = subprocess.Popen(
            [*command, sys.executable, "-m", "inside.worker"],
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

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_) -> None:
        """Kill what is inside, then what surrounds it, which can thus collect what it started.

        A collected process no longer counts towards the next sandbox's limit on processes.
        """
        inside = self._inside()[1:]
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

    def ask(self, header: dict, arrays: Iterable = (), seconds: float | None = None):
        """Return header and body of the reply to a request.

        Raises Stopped if the worker dies, takes too long or too much memory, and protocol.Forged if
        what comes back is no reply.
        """
        deadline = min(time.monotonic() + (seconds or self.limits.seconds), self._end)
        self._number += 1
        self._write(protocol.frame(header | {"id": self._number}, arrays), deadline)
        lengths = self._read(protocol.LENGTHS.size, deadline)
        head, body = protocol.LENGTHS.unpack(lengths)
        if head > protocol.LARGEST_HEADER or body > protocol.LARGEST_BODY:
            raise protocol.Forged(f"a reply of {head + body} bytes")
        try:
            reply = json.loads(self._read(head, deadline))
        except (ValueError, RecursionError):
            raise protocol.Forged("a reply that is no JSON") from None
        if not isinstance(reply, dict) or reply.get("id") != self._number:
            raise protocol.Forged("a reply to another question")
        return reply, self._read(body, deadline)

    def _write(self, raw: bytes, deadline: float) -> None:
        left = memoryview(raw)
        for _ in self._ready(self._to_worker, selectors.EVENT_WRITE, deadline):
            try:
                left = left[os.write(self._to_worker, left) :]
            except BrokenPipeError:
                raise Stopped(self._why()) from None
            if not left:
                return

    def _read(self, n: int, deadline: float) -> bytes:
        got = bytearray()
        if n == 0:
            return b""
        for _ in self._ready(self._from_worker, selectors.EVENT_READ, deadline):
            part = os.read(self._from_worker, min(n - len(got), MIB))
            if not part:
                raise Stopped(self._why())
            got += part
            if len(got) == n:
                return bytes(got)
        raise AssertionError("unreachable")

    def _ready(self, end: int, event: int, deadline: float) -> Iterator[None]:
        """Yield whenever a pipe is ready; raise Stopped when time or memory is used up."""
        with selectors.DefaultSelector() as selector:
            selector.register(end, event)
            while True:
                ready, now = selector.select(timeout=LOOK_EVERY), time.monotonic()
                if now > self._end:
                    raise Stopped("the time for the whole notebook was used up")
                if now > deadline:
                    raise Stopped("it took too long and was stopped")
                if not ready or now - self._looked > LOOK_EVERY:
                    self._looked = now
                    if self._resident() > self.limits.resident:
                        raise Stopped("it took too much memory and was stopped")
                if ready:
                    yield

    def _inside(self) -> list[psutil.Process]:
        """Return the processes of the sandbox, its outer one first."""
        with contextlib.suppress(psutil.Error):
            outer = psutil.Process(self._process.pid)
            return [outer, *outer.children(recursive=True)]
        return []

    def _resident(self) -> int:
        """Return the bytes of memory that all processes inside use together.

        Pages that several of them share count once; the simple sum, which counts them for each, is
        cheaper, and enough as long as it is small.
        """
        inside = self._inside()
        total = sum(_bytes(process, "memory_info", "rss") for process in inside)
        if total > self.limits.resident:
            total = sum(_bytes(process, "memory_full_info", "pss") for process in inside)
        return total

    def _why(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        code = self._process.returncode
        if code is None:
            return "it closed its line to the grader"
        number = code - 128 if code > 128 else -code
        if number > 0:
            with contextlib.suppress(ValueError):
                return f"its process was ended by {signal.Signals(number).name}"
        return f"its process ended with exit status {code}"


def _bytes(process: psutil.Process, ask: str, what: str) -> int:
    """Return a number about a process's memory, 0 if it has gone."""
    with contextlib.suppress(psutil.Error):
        return getattr(getattr(process, ask)(), what)
    return 0
