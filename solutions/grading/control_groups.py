"""A control group for each sandbox, where the kernel has them (cgroup v2) and lets us make one.

It counts the processor time of all that ran inside, however short, limits memory and processes of
all together, and gives each sandbox its own share of a busy machine. Where there is none, the
limits of each process and the watch have to do.
"""

import contextlib
import functools
import subprocess
import time
import uuid
from pathlib import Path

from solutions.grading.walls import Limits

FEWEST = 8  # processes of bubblewrap's own
ATTEMPTS = 200


class Group:
    """A group that exists until `remove`; what is written into `door` is a process that enters."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.door = folder / "cgroup.procs"

    def seconds(self) -> float:
        """Return the processor seconds that were used in it."""
        with contextlib.suppress(OSError, ValueError):
            lines = (self.folder / "cpu.stat").read_text(encoding="ascii").splitlines()
            return int(dict(line.split() for line in lines)["usage_usec"]) / 1e6
        return 0.0

    def remove(self) -> None:
        """End what is left in the group, and remove it; what was killed takes a moment to go."""
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1\n", encoding="ascii")
        for _ in range(ATTEMPTS):
            with contextlib.suppress(OSError):
                self.folder.rmdir()
                return
            time.sleep(0.01)


def made(limits: Limits) -> Group | None:
    """Return a new group with limits, or None where groups cannot be made."""
    parent = _parent()
    if parent is None:
        return None
    with contextlib.suppress(OSError):
        folder = parent / f"grading-{uuid.uuid4().hex}"
        folder.mkdir()
        settings = {
            "memory.max": limits.resident + limits.resident // 8,
            "memory.swap.max": 0,
            "pids.max": limits.processes + FEWEST,
            "cpu.weight": 50,
        }
        for name, value in settings.items():  # those that this machine has switched on
            if (folder / name).exists():
                (folder / name).write_text(f"{value}\n", encoding="ascii")
        return Group(folder)
    return None


@functools.cache
def _parent() -> Path | None:
    """Return the group in which we may make others and move processes to them, if there is one.

    It is the one around our own: where processes are, nothing further may be handed down.
    """
    with contextlib.suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
        mount = next(line.split()[4] for line in lines if " - cgroup2 " in line)
        listed = Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()
        own = next(line[3:] for line in listed if line.startswith("0::")).lstrip("/")
        parent = Path(mount, own).parent if own else Path(mount)
        tried = Group(parent / f"grading-{uuid.uuid4().hex}")
        tried.folder.mkdir()
        try:
            enter = subprocess.run(["sh", "-c", 'echo $$ > "$0"', str(tried.door)], check=False)
        finally:
            tried.remove()
        return parent if enter.returncode == 0 else None
    return None
