"""The walls around a submission: each is shown to hold and, by taking it away, to be what holds."""

import dataclasses
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.environment import COURSE
from solutions.grading import sandbox, system_calls, walls
from solutions.grading.inside import protocol
from solutions.grading.walls import Limits

SLOT = walls.SLOTS  # a user for the tests: others may be grading on this machine
LIMITS = Limits(resident=1536 * 2**20, seconds=600.0)  # a machine may be busy
pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandboxed")]


def probe(staged, monkeypatch, source, *, without=(), limits=LIMITS, seconds=None):
    """Run a cell that defines `found`; return what it found, or why it was stopped.

    without  arguments to be taken out of the sandbox's command line, one after the other
    seconds  for this cell, if not those of the limits
    """
    whole = sandbox.walls

    def shortened(*arguments):
        line = whole(*arguments)
        for start in range(len(line) - len(without) + 1):
            if without and line[start : start + len(without)] == list(without):
                return line[:start] + line[start + len(without) :]
        assert not without, f"{without} is not in the sandbox's command line"
        return line

    monkeypatch.setattr(sandbox, "walls", shortened)
    answer = "\nimport numpy as np\ndef probe(): return np.array(float(found))\n"
    with sandbox.Sandbox(staged, limits, slot=SLOT) as box:
        try:
            box.ask({"do": "run", "source": source + answer, "cell": "probe"}, seconds=seconds)
            driver = ["helpers.calling.arrays", "call"]
            request = {"do": "collect", "name": "probe", "driver": driver, "names": ["found"]}
            reply, body = box.ask(request | {"seed": 0, "cases": [{"dict": {}}]})
        except sandbox.Stopped as reason:
            return str(reason)
    return float(protocol.outcomes_from(reply, body, ("found",), 1)[0].outputs["found"])


COUNT_PROCESSES = """
import os
found, (waits, go) = 0, os.pipe()
for _ in range(60):
    try: pid = os.fork()
    except OSError: break
    if pid == 0: os.close(go); os.read(waits, 1); os._exit(0)
    found += 1
os.close(go)
for _ in range(found): os.wait()
"""
FILL = """
found = 0
try:
    for number in range(3):
        with open(f"/tmp/{number}", "wb") as file:
            for _ in range(40): file.write(b"0" * 2**20); file.flush(); found += 1
except OSError: pass
"""
ONE_FILE = FILL.replace("range(3)", "range(1)").replace("range(40)", "range(100)")
ALLOCATE = """
import mmap
try: block, found = mmap.mmap(-1, 20 * 2**30), 1
except OSError: found = 0
"""
REACH = """
import socket
try: socket.create_connection(("127.0.0.1", PORT), timeout=2); found = 1
except OSError: found = 0
"""
OTHERS = "import os\nfound = sum(name.isdigit() for name in os.listdir('/proc'))"
STEERED = """
import os
found = 0
for pid in filter(str.isdigit, os.listdir("/proc")):
    try: found += pid != str(os.getpid()) and os.open(f"/proc/{pid}/mem", os.O_RDWR) > 0
    except OSError: pass
"""
NAMESPACES = """
import ctypes, os
pid = os.fork()  # a process of one thread
if pid == 0: os._exit(ctypes.CDLL(None).unshare(0x10000000) == 0)
found = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""
BUSY = "import time\nfound = 1\nwhile time.process_time() < 4: pass"
ENVIRONMENT = """
import contextlib, glob, os
found = "SECRET_OF_THE_GRADER" in os.environ
for path in glob.glob("/proc/*/environ"):
    with contextlib.suppress(OSError):
        found += b"SECRET_OF_THE_GRADER" in open(path, "rb").read()
"""


def test_wall_network(staged, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = REACH.replace("PORT", str(server.getsockname()[1]))
        assert probe(staged, monkeypatch, source) == 0
        assert probe(staged, monkeypatch, source, without=["--unshare-net"]) == 1


def test_wall_processes_of_others(staged, monkeypatch):
    alone = probe(staged, monkeypatch, OTHERS)
    assert alone <= 6
    wall = ["--unshare-pid", *([] if os.geteuid() == 0 else ["--as-pid-1"])]
    assert probe(staged, monkeypatch, OTHERS, without=wall) > alone


def test_wall_processes_that_could_be_steered(staged, monkeypatch):
    assert probe(staged, monkeypatch, STEERED) == 0
    if os.geteuid() != 0:  # as root the processes of bubblewrap belong to another user
        assert probe(staged, monkeypatch, STEERED, without=["--as-pid-1"]) == 1


def test_wall_number_of_processes(staged, monkeypatch):
    started = probe(staged, monkeypatch, COUNT_PROCESSES)
    assert started < LIMITS.processes, started
    limit = [f"--nproc={LIMITS.processes}"]
    assert probe(staged, monkeypatch, COUNT_PROCESSES, without=limit) == 60


def test_wall_memory_of_one_process(staged, monkeypatch):
    assert probe(staged, monkeypatch, ALLOCATE) == 0
    assert probe(staged, monkeypatch, ALLOCATE, without=[f"--as={LIMITS.memory}"]) == 1


def test_wall_memory_of_all_processes(staged, monkeypatch):
    source = "found, kept = 1, [bytearray(b'1') * (600 * 2**20) for _ in range(3)]"
    assert "too much memory" in str(
        probe(staged, monkeypatch, source + "\nimport time; time.sleep(60)")
    )
    wide = dataclasses.replace(LIMITS, resident=2**40)
    assert probe(staged, monkeypatch, source, limits=wide) == 1


def test_wall_disk(staged, monkeypatch):
    small = LIMITS.disk // 2**20
    assert probe(staged, monkeypatch, FILL) <= small
    assert probe(staged, monkeypatch, FILL, without=["--size", str(LIMITS.disk)]) == 120


def test_wall_size_of_a_file(staged, monkeypatch):
    free = ["--size", str(LIMITS.disk)]
    limit = [f"--fsize={LIMITS.disk}"]
    assert probe(staged, monkeypatch, ONE_FILE, without=free) <= LIMITS.disk // 2**20
    whole = sandbox.walls
    monkeypatch.setattr(sandbox, "walls", lambda *a: [p for p in whole(*a) if p not in limit])
    assert probe(staged, monkeypatch, ONE_FILE, without=free) == 100


def test_wall_processor_time(staged, monkeypatch):
    short = dataclasses.replace(LIMITS, cpu_seconds=3)
    assert "SIG" in str(probe(staged, monkeypatch, BUSY, limits=short))
    assert probe(staged, monkeypatch, BUSY, without=["--cpu=3"], limits=short) == 1


def test_wall_clock(staged, monkeypatch):
    source = "import time\ntime.sleep(3)\nfound = 1"
    assert probe(staged, monkeypatch, source) == 1
    assert probe(staged, monkeypatch, source, seconds=2.0) == "it took too long and was stopped"


CALLS = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
found = 0
for number in NUMBERS:
    pid = os.fork()
    if pid == 0:
        ctypes.set_errno(0)
        os._exit(libc.syscall(number, 0, 0, 0, 0, 0) == -1 and ctypes.get_errno() == 1)
    found += os.waitpid(pid, 0)[1] == 256
"""
DEVICES = """
import os
found = 0
for folder in ("/dev", "/dev/pts"):
    try: open(folder + "/written", "w").close(); found += 1
    except OSError: pass
"""


def test_wall_system_calls(staged, monkeypatch):
    numbers = list(system_calls.refused().values())
    source = CALLS.replace("NUMBERS", str(numbers))
    assert probe(staged, monkeypatch, source) == len(numbers)
    assert probe(staged, monkeypatch, source, without=["--seccomp", "9"]) < len(numbers) / 2


def test_wall_shared_memory(staged, monkeypatch):
    small, source = LIMITS.disk // 2**20, FILL.replace("/tmp/", "/dev/shm/")
    assert 0 < probe(staged, monkeypatch, source) <= small
    free = ["--size", str(LIMITS.disk), "--tmpfs", "/dev/shm"]
    assert probe(staged, monkeypatch, source, without=free) != small


def test_wall_devices(staged, monkeypatch):
    assert probe(staged, monkeypatch, DEVICES) == 0


def test_wall_user_namespaces(staged, monkeypatch):
    assert probe(staged, monkeypatch, NAMESPACES) == 0
    assert probe(staged, monkeypatch, NAMESPACES, without=["--disable-userns"]) == 1


def test_wall_environment(staged, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "42")
    assert probe(staged, monkeypatch, ENVIRONMENT) == 0
    monkeypatch.setattr(sandbox, "environment", lambda: os.environ)
    assert probe(staged, monkeypatch, ENVIRONMENT) >= 1


ANSWERS = """
import os
places = os.walk("/course/helpers/exercises")
found = sum(name.endswith(".py") for _, _, names in places for name in names)
"""
PLANTED = """
import os
found = sum(name == "answers.py" for _, _, names in os.walk("/") for name in names)
"""


def test_wall_answers(staged, monkeypatch):
    assert probe(staged, monkeypatch, ANSWERS) == 1  # the stand-in for `check`
    with walls.stage(COURSE) as opened:
        known = COURSE / "helpers/exercises"
        shutil.copytree(known, opened / "helpers/exercises", dirs_exist_ok=True)
        assert probe(opened, monkeypatch, ANSWERS) > 40


def test_what_is_planted_among_the_answers_and_in_the_grader_stays_outside(tmp_path, monkeypatch):
    for folder in ("helpers", "solutions/grading"):
        shutil.copytree(COURSE / folder, tmp_path / folder)
    for folder in ("helpers/exercises", "helpers/exercises/chapter_01", "solutions/grading"):
        (tmp_path / folder / "answers.py").write_text("RNN_STEP = 'the answer'\n")
    with walls.stage(tmp_path) as staged:
        assert probe(staged, monkeypatch, PLANTED) == 0
        (staged / "answers.py").write_text("")
        assert probe(staged, monkeypatch, PLANTED) == 1


def test_wall_files(staged, monkeypatch):
    needed = {"student", *Path(sys.prefix).parts, *Path(sys.base_prefix).parts}
    source = f"""
import os
places = ["/etc/passwd", "/root/.bashrc", {str(COURSE)!r} + "/solutions"]
found = sum(map(os.path.exists, places)) + len(set(os.listdir("/home")) - {needed!r})
"""
    assert probe(staged, monkeypatch, source) == 0
    whole, usr = sandbox.walls, ["--ro-bind", "/usr", "/usr"]

    def all_of_the_system(*arguments):
        line = whole(*arguments)
        start = next(k for k in range(len(line)) if line[k : k + 3] == usr)
        return [*line[:start], "--ro-bind", "/etc", "/etc", *line[start:]]

    monkeypatch.setattr(sandbox, "walls", all_of_the_system)
    assert probe(staged, monkeypatch, source) >= 1


def test_without_bubblewrap_it_refuses_with_the_command(monkeypatch):
    monkeypatch.setattr(walls.shutil, "which", lambda tool: None)
    with pytest.raises(walls.Unavailable, match="sudo apt-get install bubblewrap"):
        walls.check_available()
    monkeypatch.setattr(walls.platform, "system", lambda: "Darwin")
    with pytest.raises(walls.Unavailable, match="needs Linux; this is Darwin"):
        walls.check_available()
    walls.check_available(walled=False)
    monkeypatch.setattr(walls.platform, "system", lambda: "Windows")
    for walled in (True, False):
        with pytest.raises(walls.Unavailable, match="WSL 2"):
            walls.check_available(walled=walled)


# --- as another user ------------------------------------------------------------------------------


def ordinary(home):
    """Return the command line before a command to run it as a user who may do nothing special.

    Where Python or the course lie in a folder of root's, that folder is laid open, elsewhere empty.
    """
    opened = []
    for path in dict.fromkeys([sys.base_prefix, sys.prefix, str(COURSE)]):
        parents = [p for p in reversed(Path(path).parents) if p != Path("/")]
        closed = next((n for n, p in enumerate(parents) if not p.stat().st_mode & 1), None)
        if closed is not None:
            top = ["--perms", "0755", "--tmpfs", str(parents[closed])]
            opened += top if top[-1] not in opened else []
            for parent in parents[closed + 1 :]:
                opened += ["--perms", "0755", "--dir", str(parent)]
            opened += ["--ro-bind", path, path]
    rights = ["--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--"]
    user = ["setpriv", "--reuid", str(ORDINARY), "--regid", str(ORDINARY), "--clear-groups"]
    user += ["--inh-caps=-all", "--bounding-set=-all", "env", f"HOME={home}", "USER=ordinary"]
    return ["bwrap", "--dev-bind", "/", "/", *opened, *rights, *user]


ORDINARY = 60_999  # a number that belongs to nobody


if os.geteuid() == 0:

    def test_all_walls_hold_for_an_ordinary_user_too():
        with tempfile.TemporaryDirectory() as home:
            os.chown(home, ORDINARY, ORDINARY)
            tests = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
            tests += [f"--basetemp={home}/tests", "--nothing-skipped", "tests/test_walls.py"]
            done = subprocess.run(
                [*ordinary(home), *tests], cwd=COURSE, capture_output=True, text=True, timeout=3600
            )
        assert done.returncode == 0, done.stdout
        assert " passed" in done.stdout
