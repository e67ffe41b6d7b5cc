"""Starts a worker where a submission can reach nothing, and talks to it under a clock.

The walls are bubblewrap's: no network, a system that can only be read, of the course nothing but
what students have, its own processes, users and files. The limits are the kernel's (`prlimit`), and
a wall clock here: when it runs out, everything inside is dead.
"""

import contextlib
import errno
import math
import os
import platform
import selectors
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from grading import protocol

MIB = 2**20
COURSE = Path(__file__).parents[2]
LOOK_EVERY = 0.1  # seconds between two looks at the memory in use
FIRST_UID = 61000  # as root every worker gets a user of its own: the limit on processes is per user
TOOLS = {"bwrap": "bubblewrap", "prlimit": "util-linux", "setpriv": "util-linux"}
KEPT_BACK = ("chapter_", "checking", "clinic", "catalogue", "diagnosis", "cards")  # know answers
# System calls for memory that the watch would not see: memfd_create, memfd_secret, shmget.
HIDDEN_MEMORY = {
    "x86_64": (0xC000003E, (319, 447, 29)),
    "aarch64": (0xC00000B7, (279, 447, 194)),
}
FILTER = "forbidden.bpf"
STAND_IN = '''"""In the grader `check` hands back what it gets: nobody inside knows the answers."""


def check(answer):
    return answer
'''


class Unavailable(Exception):
    """There is no sandbox on this machine; the message says how to get one."""


class Stopped(Exception):
    """The worker ended, or was ended; the message says why."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Seconds are of one request where nothing else is said."""

    cpu_seconds: int = 300  # of one process
    memory: int = 6144 * MIB  # address space of one process
    resident: int = 3072 * MIB  # memory in use of all processes together
    processes: int = 24  # threads count
    disk: int = 64 * MIB  # in each place that can be written: /tmp, /dev/shm, home
    seconds: float = 120.0
    total_seconds: float = 900.0  # of all requests


def check_available(*, walled: bool = True) -> None:
    """Raise Unavailable, with a remedy, unless a worker can be started here.

    walled: False asks only for what a worker without a sandbox needs
    """
    system = platform.system()
    if system == "Windows":
        raise Unavailable(
            "Grading does not run on Windows itself. It runs in WSL 2: give `wsl --install` once, "
            "and in its Linux install the course and bubblewrap as README.md says."
        )
    if not walled:
        return
    if system != "Linux":
        raise Unavailable(
            f"Grading needs bubblewrap, which needs Linux; this is {system}. Use a container with "
            "Linux or a virtual machine. For files that you wrote yourself --unsafe-no-sandbox "
            "does without."
        )
    for tool, package in TOOLS.items():
        if not shutil.which(tool):
            raise Unavailable(
                f"`{tool}` is missing. Install it: sudo apt-get install {package} (Debian and "
                f"Ubuntu), sudo dnf install {package} (Fedora), sudo pacman -S {package} (Arch)."
            )
    if platform.machine() not in HIDDEN_MEMORY:
        known = " and ".join(HIDDEN_MEMORY)
        raise Unavailable(f"The sandbox knows {known} processors; this is {platform.machine()}.")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        write_filter(Path(folder))
        tried = subprocess.run(
            [*walls(Path(folder), Limits()), sys.executable, "-c", "print(6 * 7)"],
            capture_output=True,
            text=True,
        )
    if tried.stdout != "42\n":
        raise Unavailable(
            f"bubblewrap is installed but cannot build a sandbox: {tried.stderr.strip()[:300]}\n"
            "Some systems forbid user namespaces to ordinary users. On Ubuntu 24.04: sudo sysctl "
            "kernel.apparmor_restrict_unprivileged_userns=0; on older Debian: sudo sysctl "
            "kernel.unprivileged_userns_clone=1; in a container: --security-opt "
            "seccomp=unconfined."
        )


@contextlib.contextmanager
def stage(course: Path) -> Iterator[Path]:
    """Make a folder with what a worker needs of the course and a student may see; remove it.

    course: the repository
    """
    with tempfile.TemporaryDirectory(prefix="grading-") as made:
        folder = Path(made)
        hidden = shutil.ignore_patterns("__pycache__", *(f"{name}*" for name in KEPT_BACK))
        shutil.copytree(course / "helpers", folder / "helpers", ignore=hidden)
        (folder / "helpers/exercises/__init__.py").write_text(STAND_IN)
        own = folder / "grading"
        own.mkdir()
        for name in ("__init__.py", "protocol.py", "worker.py"):
            shutil.copy(Path(__file__).with_name(name), own / name)
        if platform.machine() in HIDDEN_MEMORY:
            write_filter(folder)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield folder


def write_filter(folder: Path) -> None:
    """Write the filter of system calls that refuses HIDDEN_MEMORY, as Linux's seccomp takes it.

    Classic BPF, instructions of code, jumps if true and if false, and a constant. What comes from
    another architecture than the machine's is refused, too, as its numbers would mean other calls.
    """
    architecture, numbers = HIDDEN_MEMORY[platform.machine()]
    load, equal, at_least, answer = 0x20, 0x15, 0x35, 0x06
    program = [(load, 0, 0, 4), (equal, 0, len(numbers) + 3, architecture)]
    program += [(load, 0, 0, 0), (at_least, len(numbers) + 1, 0, 0x4000_0000)]
    program += [(equal, len(numbers) - k, 0, number) for k, number in enumerate(numbers)]
    program += [(answer, 0, 0, 0x7FFF_0000), (answer, 0, 0, 0x0005_0000 | errno.EPERM)]
    raw = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    (folder / FILTER).write_bytes(raw)


def walls(staged: Path, limits: Limits, slot: int = 0) -> list[str]:
    """Return the command line that has to stand before a command to run it in the sandbox.

    staged  the folder that `stage` makes, /course inside
    slot    number of the worker, which as root decides its user

    As root the outer walls are built with root's rights, which can read Python wherever it is, and
    given up inside, before anything else runs.
    """
    python = [path for path in {sys.prefix, sys.base_prefix} if path != "/usr"]
    outer = [
        *["sh", "-c", 'exec "$@" 9< "$0"', str(staged / FILTER)],
        *["bwrap", "--seccomp", "9"],
        "--unshare-net",
        "--unshare-pid",
        *["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"],
        *["--die-with-parent", "--new-session"],
        "--clearenv",
        *["--setenv", "PATH", "/usr/bin:/bin"],
        *["--setenv", "HOME", "/home/student"],
        *["--setenv", "PYTHONPATH", "/course"],
        *["--setenv", "PYTHONDONTWRITEBYTECODE", "1"],
        *["--setenv", "PYTHONHASHSEED", "0"],
        *["--setenv", "OMP_NUM_THREADS", "1"],
        *["--setenv", "LANG", "C.UTF-8"],
        *["--ro-bind", "/usr", "/usr"],
        *(["--tmpfs", str(COURSE)] if COURSE.is_relative_to("/usr") else []),
        *(part for name in ("bin", "sbin", "lib", "lib32", "lib64") for part in _system(name)),
        *["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"],
        *["--ro-bind-try", "/etc/fonts", "/etc/fonts"],
        *["--ro-bind", str(staged), "/course"],
        *["--proc", "/proc"],
        *["--dev", "/dev"],
        *["--perms", "1777", "--size", str(limits.disk), "--tmpfs", "/tmp"],
        *["--perms", "0755", "--dir", "/home"],
        *["--perms", "1777", "--size", str(limits.disk), "--tmpfs", "/home/student"],
        *["--perms", "1777", "--size", str(limits.disk), "--tmpfs", "/dev/shm"],
        *["--remount-ro", "/dev"],
        *(part for path in sorted(python) for part in _with_parents(path)),
        *["--remount-ro", "/"],
        *["--chdir", "/home/student"],
    ]
    nobody = ["--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns"]
    if os.geteuid() == 0:
        uid = str(FIRST_UID + slot)
        rights = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        user = ["setpriv", "--reuid", uid, "--regid", uid, "--clear-groups", "--inh-caps=-all"]
        inner = ["--bounding-set=-all", "bwrap", *nobody, "--dev-bind", "/", "/"]
        command = [*outer, *rights, "--", *user, *inner]
    else:
        command = [*outer, *nobody]
    return [
        *command,
        "--",
        "prlimit",
        f"--cpu={limits.cpu_seconds}",
        f"--as={limits.memory}",
        f"--nproc={limits.processes}",
        f"--fsize={limits.disk}",
        *["--nofile=256", "--core=0"],
    ]


def _system(name: str) -> list[str]:
    """Return how a folder such as /lib comes into the sandbox: mostly it is a link into /usr."""
    path = Path("/", name)
    if path.is_symlink():
        return ["--symlink", os.readlink(path), str(path)]
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []


def _with_parents(path: str) -> list[str]:
    """Return how a folder comes in at its own place, with empty folders that lead to it."""
    parents = [str(parent) for parent in reversed(Path(path).parents) if str(parent) != "/"]
    made = (part for parent in parents for part in ("--perms", "0755", "--dir", parent))
    return [*made, "--ro-bind", path, path]


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
        environment = None if walled else os.environ | {"PYTHONPATH": str(staged)}
        self.limits, self._end, self._number, self._looked = limits, end, 0, time.monotonic()
        self._process = subprocess.Popen(
            [*command, sys.executable, "-m", "grading.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=environment,
            cwd=staged,
            start_new_session=True,
        )
        self._out, self._in = self._process.stdin.fileno(), self._process.stdout.fileno()
        os.set_blocking(self._out, False)
        os.set_blocking(self._in, False)

    def __enter__(self) -> "Sandbox":
        return self

    def __exit__(self, *_) -> None:
        """Kill what is inside, then what surrounds it, which so can collect what it started.

        What is collected no longer counts for the limit on processes of the next sandbox.
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

    def ask(self, header: dict, arrays: list = (), seconds: float | None = None):
        """Return header and body of the reply to a request.

        Raises Stopped if the worker dies, takes too long or too much, and protocol.Forged if what
        comes back is no reply.
        """
        deadline = min(time.monotonic() + (seconds or self.limits.seconds), self._end)
        self._number += 1
        self._write(protocol.frame(header | {"id": self._number}, arrays), deadline)
        lengths = self._read(protocol.LENGTHS.size, deadline)
        head, body = protocol.LENGTHS.unpack(lengths)
        if head > protocol.LARGEST_HEADER or body > protocol.LARGEST_BODY:
            raise protocol.Forged(f"a reply of {head + body} bytes")
        try:
            reply = protocol.json.loads(self._read(head, deadline))
        except (ValueError, RecursionError):
            raise protocol.Forged("a reply that is no JSON") from None
        if not isinstance(reply, dict) or reply.get("id") != self._number:
            raise protocol.Forged("a reply to another question")
        return reply, self._read(body, deadline)

    def _write(self, raw: bytes, deadline: float) -> None:
        left = memoryview(raw)
        for _ in self._ready(self._out, selectors.EVENT_WRITE, deadline):
            try:
                left = left[os.write(self._out, left) :]
            except BrokenPipeError:
                raise Stopped(self._why()) from None
            if not left:
                return

    def _read(self, n: int, deadline: float) -> bytes:
        got = bytearray()
        if n == 0:
            return b""
        for _ in self._ready(self._in, selectors.EVENT_READ, deadline):
            part = os.read(self._in, min(n - len(got), MIB))
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
        cheaper and enough as long as it is small.
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
