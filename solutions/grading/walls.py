"""The walls around a submission: what its worker can reach, and how much it may use.

The walls are bubblewrap's: no network, a system that can only be read, of the course nothing but
what `stage` lays out, processes, users and files of its own. The limits of one process are the
kernel's (`prlimit`), those of all together are watched (watch.py, control_groups.py).
"""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from helpers.environment import COURSE
from solutions.grading import system_calls

MIB = 2**20
# If root grades, every worker gets a user of its own, since the limit on processes is per user: the
# slot of a submission says which. A class's slots repeat after SLOTS; the next one is for tests.
FIRST_UID, SLOTS = 61000, 4000
STAGED = "grading-"
TOOLS = {"bwrap": "bubblewrap", "prlimit": "util-linux", "setpriv": "util-linux"}
INSIDE = Path(__file__).parent / "inside"
USR, BOUND = Path("/usr"), (Path("/etc/fonts"),)  # what is shown inside, besides Python
WRITABLE = ("/tmp", "/home/student", "/dev/shm")


class Unavailable(Exception):
    """There is no sandbox on this machine; the message says how to get one."""


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Seconds are a processor's, unless a comment says otherwise."""

    cpu_seconds: int = 300  # of one process
    memory: int = 6144 * MIB  # address space of one process
    resident: int = 3072 * MIB  # memory in use of all processes together
    processes: int = 24  # threads count
    disk: int = 64 * MIB  # in each place that can be written
    files: int = 20_000  # in all of them
    seconds: float = 120.0  # for one request
    total_seconds: float = 600.0  # for all requests
    idle_seconds: float = 120.0  # on the clock, in which nothing inside runs or wants to
    total_idle_seconds: float = 300.0


def check_available(*, walled: bool = True) -> None:
    """Raise Unavailable, with a remedy, unless a worker can be started here.

    walled: False asks only for what a worker without a sandbox needs
    """
    system = platform.system()
    if system == "Windows":
        raise Unavailable(
            "Grading does not run on Windows itself. It runs in WSL 2: run `wsl --install` once, "
            "and install the course and bubblewrap in its Linux, as README.md says."
        )
    if not walled:
        return
    if system != "Linux":
        raise Unavailable(
            f"Grading needs bubblewrap, which needs Linux; this is {system}. Use a container with "
            "Linux or a virtual machine. For files that you wrote yourself, --unsafe-no-sandbox "
            "needs neither."
        )
    for tool, package in TOOLS.items():
        if not shutil.which(tool):
            raise Unavailable(
                f"`{tool}` is missing. Install it: sudo apt-get install {package} (Debian and "
                f"Ubuntu), sudo dnf install {package} (Fedora), sudo pacman -S {package} (Arch)."
            )
    if not system_calls.available():
        known = " and ".join(system_calls.ARCHITECTURES)
        raise Unavailable(f"The sandbox knows {known} processors; this is {platform.machine()}.")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        system_calls.write_filter(Path(folder))
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


def sweep() -> None:
    """Remove what `stage` made for processes that were killed."""
    for path in Path(tempfile.gettempdir()).glob(f"{STAGED}*"):
        pid = path.name.removeprefix(STAGED).partition("-")[0]
        if pid.isdecimal() and not psutil.pid_exists(int(pid)):
            shutil.rmtree(path, ignore_errors=True)


@contextlib.contextmanager
def stage(course: Path) -> Iterator[Path]:
    """Make a folder with all that a worker may see of the course; remove it afterwards.

    course: the repository

    That is the grader's folder `inside`, and `helpers` without its folder `exercises`, whose place
    the stand-in for `check` takes. A test makes sure that nothing else in `helpers` knows answers.
    """

    def left_out(folder: str, names: list[str]) -> set[str]:
        answers = {"exercises"} if Path(folder) == course / "helpers" else set()
        return {"__pycache__"} | answers

    with tempfile.TemporaryDirectory(prefix=f"{STAGED}{os.getpid()}-") as made:
        folder = Path(made)
        shutil.copytree(course / "helpers", folder / "helpers", ignore=left_out)
        shutil.copytree(course / INSIDE.relative_to(COURSE), folder / "inside", ignore=left_out)
        exercises = folder / "helpers" / "exercises"
        exercises.mkdir()
        (folder / "inside" / "stand_in.py").rename(exercises / "__init__.py")
        if system_calls.available():
            system_calls.write_filter(folder)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o644)
        yield folder


def environment() -> dict[str, str]:
    """Return the environment of bubblewrap itself, whose first process may stand inside."""
    return {"PATH": os.environ.get("PATH", os.defpath)}


def walls(staged: Path, limits: Limits, slot: int = 0, hidden: tuple[Path, ...] = ()) -> list[str]:
    """Return the command line that has to stand before a command to run it in the sandbox.

    staged  the folder that `stage` makes, /course inside
    slot    number of the worker, which as root decides its user
    hidden  folders that are empty inside, wherever they are; the course is one of them

    If root grades, the outer walls are built with root's rights, which can read Python wherever it
    is. The rights are given up inside, before anything else runs.
    """
    # As an ordinary user the worker is process 1. With one of bubblewrap beside it, it could read
    # that one's memory, or have it start what `prlimit` does not count. As root that is another's.
    root = os.geteuid() == 0
    outer = [
        *["sh", "-c", 'exec "$@" 9< "$0"', str(staged / system_calls.FILTER)],
        "bwrap",
        "--unshare-net",
        *["--unshare-pid", *([] if root else ["--as-pid-1"])],
        *["--unshare-ipc", "--unshare-uts", "--hostname", "student", "--unshare-cgroup-try"],
        *["--die-with-parent", "--new-session"],
        *["--setenv", "PATH", "/usr/bin:/bin"],
        *["--setenv", "HOME", "/home/student"],
        *["--setenv", "PYTHONPATH", "/course"],
        *["--setenv", "PYTHONDONTWRITEBYTECODE", "1"],
        *["--setenv", "PYTHONHASHSEED", "0"],
        *["--setenv", "OMP_NUM_THREADS", "1"],
        *["--setenv", "LANG", "C.UTF-8"],
        *["--ro-bind", "/usr", "/usr"],
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
        *_python_and_nothing_else(hidden),
        *["--remount-ro", "/"],
        *["--chdir", "/home/student"],
    ]
    nobody = ["--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns"]
    nobody += ["--seccomp", "9"]
    if root:
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
    """Return the options that bring in a folder such as /lib: mostly it is a link into /usr."""
    path = Path("/", name)
    if path.is_symlink():
        return ["--symlink", os.readlink(path), str(path)]
    return ["--ro-bind", str(path), str(path)] if path.is_dir() else []


def _python_and_nothing_else(hidden: tuple[Path, ...]) -> list[str]:
    """Return the options that bring in Python, and empty each hidden folder on its way or in it.

    What lies deeper comes later, so that an environment within the course is there and the course
    is not, and a class within the environment is not there either.
    """
    python = {Path(path) for path in (sys.prefix, sys.base_prefix)} - {USR}
    empty = {path.resolve() for path in (COURSE, *hidden)}
    shown = {USR, *BOUND, *python}
    empty = {path for path in empty if any(path.is_relative_to(there) for there in shown)}
    options = []
    for path in sorted(python | empty, key=lambda path: len(path.parts)):
        if path in empty:
            options += ["--perms", "0555", "--size", "4096", "--tmpfs", str(path)]
        if path in python:
            options += _with_parents(str(path))
    return options + [part for path in sorted(empty) for part in ("--remount-ro", str(path))]


def check_hidden(folder: Path) -> None:
    """Raise Unavailable for a folder that cannot be hidden: Python's, or one that the system is in.

    One that Python lies somewhere below can be: Python comes back in after it.
    """
    folder = folder.resolve()
    python = (Path(sys.prefix), Path(sys.base_prefix))
    if folder in python or any(there.is_relative_to(folder) for there in (USR, *BOUND)):
        raise Unavailable(
            f"{folder} cannot be hidden from the submissions, which need what is installed in it. "
            "Keep submissions and grades in a folder of their own."
        )


def _with_parents(path: str) -> list[str]:
    """Return the options that bring in a folder at its own place, below otherwise empty folders."""
    parents = [str(parent) for parent in reversed(Path(path).parents) if str(parent) != "/"]
    made = (part for parent in parents for part in ("--perms", "0755", "--dir", parent))
    return [*made, "--ro-bind", path, path]
