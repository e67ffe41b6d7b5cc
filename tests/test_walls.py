"""The walls around a submission: each is shown to hold and, by taking it away, to be what holds."""

import ctypes
import dataclasses
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from helpers.environment import COURSE
from solutions.grading import sandbox, system_calls, walls
from solutions.grading.walls import Limits

SLOT = walls.SLOTS  # a user for the tests: others may be grading on this machine
LIMITS = Limits(resident=1536 * 2**20, idle_seconds=600.0, total_idle_seconds=3600.0)
pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandboxed")]


def probe(staged, source, *, without=(), behind=None, limits=LIMITS):
    """Run Python that defines `found` behind the walls; return what it found, or what ended it.

    without  arguments to be taken out of the sandbox's command line, one after the other
    behind   another command line
    """
    line = behind or shortened(walls.walls(staged, limits, SLOT), list(without))
    done = subprocess.run(
        [*line, sys.executable, "-c", f"{source}\nprint(float(found))"],
        env=walls.environment(),
        cwd=staged,
        capture_output=True,
        text=True,
        timeout=3600,
    )
    code = done.returncode - 128 if done.returncode > 128 else -done.returncode
    assert code in (0, signal.SIGKILL, signal.SIGXCPU), done.stderr
    return signal.Signals(code).name if code else float(done.stdout)


def watched(staged, source, *, limits=LIMITS, seconds=None):
    """Run a cell in a sandbox that is watched; return why it was stopped, or ""."""
    with sandbox.Sandbox(staged, limits, walls.walls(staged, limits, SLOT)) as box:
        try:
            reply, _ = box.ask({"do": "run", "source": source, "cell": "probe"}, seconds=seconds)
        except sandbox.Stopped as reason:
            return str(reason)
    assert not reply["error"], reply["error"]
    return ""


def shortened(line, without):
    """Return a command line without some of its arguments, which must be there."""
    if not without:
        return line
    starts = range(len(line) - len(without) + 1)
    start = next(k for k in starts if line[k : k + len(without)] == without)
    return line[:start] + line[start + len(without) :]


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
BUSY = "import time\nfound = 1\nwhile time.process_time() < 2.5: pass"
ENVIRONMENT = """
import contextlib, glob, os
found = "SECRET_OF_THE_GRADER" in os.environ
for path in glob.glob("/proc/*/environ"):
    with contextlib.suppress(OSError):
        found += b"SECRET_OF_THE_GRADER" in open(path, "rb").read()
"""


def test_wall_network(staged):
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = REACH.replace("PORT", str(server.getsockname()[1]))
        assert probe(staged, source) == 0
        assert probe(staged, source, without=["--unshare-net"]) == 1


def test_wall_processes_of_others(staged):
    alone = probe(staged, OTHERS)
    assert alone <= 6
    wall = ["--unshare-pid", *([] if os.geteuid() == 0 else ["--as-pid-1"])]
    assert probe(staged, OTHERS, without=wall) > alone


def test_wall_processes_that_could_be_steered(staged):
    assert probe(staged, STEERED) == 0
    if os.geteuid() != 0:  # as root the processes of bubblewrap belong to another user
        assert probe(staged, STEERED, without=["--as-pid-1"]) == 1


def test_wall_number_of_processes(staged):
    started = probe(staged, COUNT_PROCESSES)
    assert started < LIMITS.processes, started
    limit = [f"--nproc={LIMITS.processes}"]
    assert probe(staged, COUNT_PROCESSES, without=limit) == 60


def test_wall_memory_of_one_process(staged):
    assert probe(staged, ALLOCATE) == 0
    assert probe(staged, ALLOCATE, without=[f"--as={LIMITS.memory}"]) == 1


def test_wall_memory_of_all_processes(staged):
    source = "kept = [bytearray(b'1') * (600 * 2**20) for _ in range(3)]"
    assert "too much memory" in watched(staged, source + "\nimport time; time.sleep(60)")
    wide = dataclasses.replace(LIMITS, resident=2**40)
    assert watched(staged, source, limits=wide) == ""


def test_wall_disk(staged):
    small = LIMITS.disk // 2**20
    assert probe(staged, FILL) <= small
    assert probe(staged, FILL, without=["--size", str(LIMITS.disk)]) == 120


def test_wall_size_of_a_file(staged):
    free = ["--size", str(LIMITS.disk)]
    limit = [f"--fsize={LIMITS.disk}"]
    assert probe(staged, ONE_FILE, without=free) <= LIMITS.disk // 2**20
    line = shortened(shortened(walls.walls(staged, LIMITS, SLOT), free), limit)
    assert probe(staged, ONE_FILE, behind=line) == 100


def test_wall_processor_time(staged):
    short = dataclasses.replace(LIMITS, cpu_seconds=1)
    assert "SIG" in str(probe(staged, BUSY, limits=short))
    assert probe(staged, BUSY, without=["--cpu=1"], limits=short) == 1


TOGETHER = """
import os, signal, time
REAP
for _ in range(2):
    if os.fork() == 0:
        while time.process_time() < 0.8: pass
        os._exit(0)
found = 1
WAIT
"""
FORGOTTEN = {"REAP": "signal.signal(signal.SIGCHLD, signal.SIG_IGN)", "WAIT": "while True: pass"}
COLLECTED = {"REAP": "", "WAIT": "for _ in range(2): os.wait()"}


@pytest.mark.parametrize("ways", [FORGOTTEN, COLLECTED], ids=["forgotten", "collected"])
def test_wall_processor_time_of_all_processes(staged, ways):
    """Each of them uses less than is allowed."""
    source = TOGETHER.replace("REAP", ways["REAP"]).replace("WAIT", ways["WAIT"])
    assert watched(staged, source, seconds=1.2) == "it took too long and was stopped"
    if ways is COLLECTED:
        assert watched(staged, source) == ""


def test_wall_between_requests(staged):
    """What goes on behind the grader's back, while it compares, is watched, too."""
    grows = (
        "import os\nif os.fork() == 0:\n    kept = []\n    while True: kept.append(b'1' * 2**26)"
    )
    with sandbox.Sandbox(staged, LIMITS, walls.walls(staged, LIMITS, SLOT)) as box:
        box.ask({"do": "run", "source": grows, "cell": "probe"})
        box.watch.join(timeout=600)
        assert "too much memory" in box.watch.reason


LINKS = """
import os
for number in range(30_000): os.symlink("x", f"/tmp/{number}")
import time; time.sleep(1)
"""


def test_wall_number_of_files(staged):
    assert "too many files" in watched(staged, LINKS)
    many = dataclasses.replace(LIMITS, files=10**9)
    assert watched(staged, LINKS, limits=many) == ""


def test_a_worker_that_does_not_start_is_nobodys_fault(staged):
    failing = sandbox.Sandbox(staged, LIMITS, ["false"])
    with pytest.raises(sandbox.Failed, match="exit status 1"), failing:
        pass


def test_nothing_runs_unwatched(staged, monkeypatch):
    def broken(*_):
        raise IndexError("a process with an odd name")

    line = walls.walls(staged, LIMITS, SLOT)
    with sandbox.Sandbox(staged, LIMITS, line) as box:
        monkeypatch.setattr(box.watch, "_too_late", broken)
        with pytest.raises(sandbox.Failed, match="an odd name"):
            box.ask({"do": "run", "source": "while True: pass", "cell": "probe"})


def test_wall_clock(staged):
    source = "import time\ntime.sleep(3)"
    assert watched(staged, source) == ""
    assert watched(staged, source, seconds=2.0).startswith("it waited too long")


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


def test_wall_system_calls(staged):
    numbers = list(system_calls.refused().values())
    source = CALLS.replace("NUMBERS", str(numbers))
    assert probe(staged, source) == len(numbers)
    assert probe(staged, source, without=["--seccomp", "9"]) < len(numbers) / 2


def test_wall_shared_memory(staged):
    small, source = LIMITS.disk // 2**20, FILL.replace("/tmp/", "/dev/shm/")
    assert 0 < probe(staged, source) <= small
    wide = dataclasses.replace(LIMITS, disk=2**28)
    assert probe(staged, source, limits=wide) == 120


def test_wall_devices(staged):
    assert probe(staged, DEVICES) == 0


def test_wall_user_namespaces(staged):
    assert probe(staged, NAMESPACES) == 0
    assert probe(staged, NAMESPACES, without=["--disable-userns"]) == 1


def test_wall_name_of_the_machine(staged):
    source = f"import socket\nfound = socket.gethostname() == {socket.gethostname()!r}"
    assert probe(staged, source) == 0
    assert probe(staged, source, without=["--hostname", "student"]) == 1


KEYS = """
import ctypes, os
number = {"x86_64": 250, "aarch64": 219}[os.uname().machine]  # keyctl, to search the session's
found = ctypes.CDLL(None).syscall(number, 10, -3, b"user", b"token", 0) > 0
"""


def test_wall_keys(staged):
    add_key = {"x86_64": 248, "aarch64": 217}[platform.machine()]
    assert ctypes.CDLL(None).syscall(add_key, b"user", b"token", b"secret", 6, -3) > 0
    assert probe(staged, KEYS) == 0
    assert probe(staged, KEYS, without=["--seccomp", "9"]) == 1


def test_wall_environment(staged, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "42")
    assert probe(staged, ENVIRONMENT) == 0
    monkeypatch.setattr(walls, "environment", lambda: os.environ)
    assert probe(staged, ENVIRONMENT) >= 1


ANSWERS = """
import os
places = os.walk("/course/helpers/exercises")
found = sum(name.endswith(".py") for _, _, names in places for name in names)
"""
PLANTED = """
import os
found = sum(name == "answers.py" for _, _, names in os.walk("/") for name in names)
"""


def test_wall_answers(staged):
    assert probe(staged, ANSWERS) == 1  # the stand-in for `check`
    with walls.stage(COURSE) as opened:
        known = COURSE / "helpers/exercises"
        shutil.copytree(known, opened / "helpers/exercises", dirs_exist_ok=True)
        assert probe(opened, ANSWERS) > 40


def test_what_is_planted_among_the_answers_and_in_the_grader_stays_outside(tmp_path):
    for folder in ("helpers", "solutions/grading"):
        shutil.copytree(COURSE / folder, tmp_path / folder)
    for folder in ("helpers/exercises", "helpers/exercises/chapter_01", "solutions/grading"):
        (tmp_path / folder / "answers.py").write_text("RNN_STEP = 'the answer'\n")
    with walls.stage(tmp_path) as staged:
        assert probe(staged, PLANTED) == 0
        (staged / "answers.py").write_text("")
        assert probe(staged, PLANTED) == 1


def test_wall_files(staged):
    needed = {"student", *Path(sys.prefix).parts, *Path(sys.base_prefix).parts}
    source = f"""
import os
places = ["/etc/passwd", "/root/.bashrc", {str(COURSE)!r} + "/solutions"]
found = sum(map(os.path.exists, places)) + len(set(os.listdir("/home")) - {needed!r})
"""
    assert probe(staged, source) == 0
    line, usr = walls.walls(staged, LIMITS, SLOT), ["--ro-bind", "/usr", "/usr"]
    start = next(k for k in range(len(line)) if line[k : k + 3] == usr)
    opened = [*line[:start], "--ro-bind", "/etc", "/etc", *line[start:]]
    assert probe(staged, source, behind=opened) >= 1


SECRETS = """
import os
found = 0
for folder, _, names in os.walk(FOLDER): found += sum(name == "seed.txt" for name in names)
"""


@pytest.fixture(params=[p for p in ("/usr/src", sys.prefix) if os.access(p, os.W_OK)])
def bound(request):
    """A folder with a secret, in one that the sandbox shows."""
    with tempfile.TemporaryDirectory(dir=request.param) as folder:
        Path(folder).chmod(0o755)
        Path(folder, "inner").mkdir()
        Path(folder, "inner", "seed.txt").touch()
        yield Path(folder)


def test_wall_what_lies_where_everybody_may_look(staged, bound):
    source = SECRETS.replace("FOLDER", repr(str(bound)))
    hidden = walls.walls(staged, LIMITS, SLOT, (bound / "inner",))
    assert probe(staged, source, behind=hidden) == 0
    assert probe(staged, source) == 1


def test_what_cannot_be_hidden_is_refused(tmp_path):
    for folder in ("/", "/usr", "/etc", sys.base_prefix, sys.prefix):
        with pytest.raises(walls.Unavailable, match="a folder of their own"):
            walls.check_hidden(Path(folder))
    for folder in (tmp_path, Path(sys.prefix).parent, Path(sys.prefix, "class")):
        if not Path("/usr").is_relative_to(folder):
            walls.check_hidden(folder)


def test_python_below_a_hidden_folder_is_there(staged):
    line = walls.walls(staged, LIMITS, SLOT, (Path(sys.prefix).parent,))
    source = f"import os, torch\nfound = len(os.listdir({str(Path(sys.prefix).parent)!r}))"
    assert probe(staged, source, behind=line) == 1


def test_what_a_killed_run_left_is_removed(monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    gone = subprocess.Popen(["true"])
    gone.wait()
    for name in (f"grading-{gone.pid}-x", f"grading-{os.getpid()}-x", "grading-x"):
        (tmp_path / name).mkdir()
    walls.sweep()
    assert {p.name for p in tmp_path.iterdir()} == {f"grading-{os.getpid()}-x", "grading-x"}


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

    The command runs in a session keyring, and finds the course below /usr as well. Where Python or
    the course lie in a folder of root's, that folder is laid open, elsewhere empty.
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
    below_usr = ["--perms", "0777", "--tmpfs", "/usr/src", "--ro-bind", str(COURSE), str(IN_USR)]
    join = [sys.executable, "-c", JOIN]
    return ["bwrap", "--dev-bind", "/", "/", *opened, *below_usr, *rights, *user, *join]


ORDINARY = 60_999  # a number that belongs to nobody
MARKING = [
    f"tests/test_marking.py::test_{name}"
    for name in (
        "whoever_looks_around_finds_nothing_and_earns_nothing",
        "answers_that_call_each_other_get_the_references_that_the_solution_needs[None]",
    )
]
IN_USR = Path("/usr/src/course")
IN_THERE = 'cd "$0" && exec "$@"'
JOIN = """
import ctypes, os, sys
ctypes.CDLL(None).syscall({"x86_64": 250, "aarch64": 219}[os.uname().machine], 1, None)  # keyctl
os.execvp(sys.argv[1], sys.argv[1:])
"""


if os.geteuid() == 0:

    def test_all_walls_hold_for_an_ordinary_user_too_with_the_course_below_usr():
        with tempfile.TemporaryDirectory() as home:
            os.chown(home, ORDINARY, ORDINARY)
            tests = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
            tests += [f"--basetemp={home}/tests", "--nothing-skipped"]
            tests += ["tests/test_walls.py", *MARKING]
            done = subprocess.run(
                [*ordinary(home), "sh", "-c", IN_THERE, str(IN_USR), *tests],
                cwd=COURSE,
                capture_output=True,
                text=True,
                timeout=3600,
            )
        assert done.returncode == 0, done.stdout
        assert " passed" in done.stdout
