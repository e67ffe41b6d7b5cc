"""The grader: honest work gets its points, hostile work nothing, and nobody is harmed."""

import contextlib
import os
import re
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest
from grading import cells, judging, reports, sandbox, tasks
from grading.sandbox import Limits
from grading.submissions import Cell

from helpers.exercises import catalogue
from helpers.exercises.cards import with_code
from tests.attacks import CELLS

REPOSITORY = Path(__file__).parents[1]
HANDED_OUT, SOLVED = tasks.edition("notebooks"), tasks.edition("solutions")
SLOT = 4000  # a user of its own: others may be grading on this machine
QUICK = Limits(cpu_seconds=20, resident=1536 * 2**20, seconds=8.0)
pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandboxed")]


@pytest.fixture(scope="session")
def staged():
    with sandbox.stage(REPOSITORY) as folder:
        yield folder


@pytest.fixture
def grade(staged):
    def graded(code, chapter=1, limits=QUICK, **settings):
        return judging.grade(
            code,
            HANDED_OUT[chapter],
            SOLVED[chapter],
            chapter,
            staged=staged,
            limits=limits,
            slot=SLOT,
            **settings,
        )

    return graded


def points(graded):
    return {mark.exercise: mark.points for mark in graded.marks}


def full(chapter):
    return {exercise.name: exercise.points for exercise in catalogue.chapters()[chapter]}


# --- honest work ----------------------------------------------------------------------------------


@pytest.mark.parametrize("chapter", SOLVED)
def test_solutions_earn_everything_and_untouched_copies_nothing(grade, chapter):
    assert points(grade(SOLVED[chapter], chapter, Limits())) == full(chapter)
    untouched = grade(HANDED_OUT[chapter], chapter, Limits())
    assert set(points(untouched).values()) == {0.0}
    assert {mark.status for mark in untouched.marks} == {"not attempted"}


@pytest.mark.parametrize("chapter", SOLVED)
def test_half_filled_copies_earn_exactly_their_part(grade, chapter):
    """In turn right, wrong, raising and open: only what is right earns its points."""
    solved = {cell.id: cell for cell in SOLVED[chapter]}
    fillings = ["right", "return None", "1 / 0", "open"]
    code, expected = [], {}
    for cell in HANDED_OUT[chapter]:
        name = next(
            (n for n in full(chapter) if re.match(rf"(\S+\n)?(def|class) {n}\b", cell.source)), None
        )
        if name:
            filling = fillings[len(expected) % 4]
            expected[name] = full(chapter)[name] if filling == "right" else 0.0
            if filling == "right":
                cell = solved[cell.id]
            elif filling != "open":
                cell = Cell(
                    cell.id, re.sub(r"raise NotImplementedError\(.*\)", filling, cell.source)
                )
        code.append(cell)
    assert set(expected) == set(full(chapter))
    assert points(grade(code, chapter, Limits())) == expected


MODULES = ("cards", "diagnosis", "running", "checking", "clinic")
LAY_OUT = """
import sys, types
for name, source in SOURCES.items():
    module = sys.modules[name] = types.ModuleType(name)
    setattr(sys.modules["helpers.exercises"], name.rpartition(".")[2], module)
    exec(compile(source, name, "exec"), module.__dict__)
"""


def modules_of(chapter):
    """Return the source of what a chapter's wrong answers are written with."""
    wanted = [*MODULES, "chapter_01", f"chapter_{chapter:02}"]
    folder = REPOSITORY / "helpers/exercises"
    return {
        f"helpers.exercises.{name}": (folder / f"{name}.py").read_text(encoding="utf-8")
        for name in dict.fromkeys(wanted)
    }


@pytest.mark.parametrize("chapter", SOLVED)
def test_every_known_mistake_is_named_and_earns_nothing(staged, tmp_path, chapter):
    """Hand the wrong answers in as code of a submission; the summary must tell them apart."""
    marks, module = [], f"helpers.exercises.chapter_{chapter:02}"
    with sandbox.Sandbox(staged, Limits(seconds=60.0), slot=SLOT) as box:

        def run(source):
            reply, _ = box.ask({"do": "run", "source": source, "cell": "bank"})
            assert not reply["error"], reply["error"]

        run(f"import helpers.exercises\nSOURCES = {modules_of(chapter)!r}\n{LAY_OUT}")
        run(f"EXERCISES = sys.modules[{module!r}].EXERCISES")
        for number, exercise in enumerate(catalogue.chapters()[chapter]):
            for index, mistake in enumerate(exercise.mistakes):
                answer = f"EXERCISES[{number}].mistakes[{index}].answer"
                run(f"{exercise.name} = {answer}")
                mark, _ = judging._mark(box, exercise, seed=index)
                assert mark.status in ("wrong", "raised"), (mistake.message, mark.message)
                assert mark.message.startswith(mistake.message)
                assert mark.points == 0 or exercise.share
                marks.append(mark)
    reports.write_summary([reports.Row("one", marks={chapter: marks})], tmp_path / "summary.html")
    summary = (tmp_path / "summary.html").read_text(encoding="utf-8")
    for mark in marks:
        assert with_code(mark.message.split("\n")[0]) in summary


# --- hostile work ---------------------------------------------------------------------------------


@pytest.fixture
def port():
    """Listen on this machine; fail if anybody comes."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        yield server.getsockname()[1]
        with pytest.raises(TimeoutError):
            server.accept()


def inside(staged):
    """Return the processes that see the folder of these tests as their course."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            mounts = Path(f"/proc/{process.pid}/mountinfo").read_text(encoding="utf-8")
            if staged.name in mounts or staged.name in " ".join(process.cmdline()):
                found.append(process)
    return found


def traces():
    """Return what lies where a submission could leave something."""
    folders = ["/tmp", "/var/tmp", "/dev/shm", "/", sys.prefix, sys.base_prefix, REPOSITORY]
    return {(str(f), name) for f in folders if os.path.isdir(f) for name in os.listdir(f)}


@pytest.mark.parametrize("name", CELLS)
def test_an_attack_earns_nothing_and_leaves_nothing(grade, staged, port, name):
    source = CELLS[name].replace("PORT", str(port)).replace("REPOSITORY", str(REPOSITORY))
    before = traces()
    graded = grade([*HANDED_OUT[1], Cell("attack", source)])
    assert set(points(graded).values()) == {0.0}, [m for m in graded.marks if m.points]
    assert len(graded.marks) == len(full(1))
    deadline = time.monotonic() + 5
    while inside(staged) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not inside(staged)
    assert not {
        t for t in traces() - before if "forged" in t[1] or "written" in t[1] or t[1] == "full"
    }


PATCHED = """
import gc, types
def lie(answer, case): return tuple(np.ones(1, dtype=int) for _ in range(COUNT))
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and thing.__name__ == "call_NAME":
        thing.__code__ = lie.__code__
def NAME(*_): return 0
"""


@pytest.mark.parametrize(
    ("chapter", "name", "count"),
    [(3, "adding_problem_batch", 4), (5, "sample_next", 3), (5, "generate", 5)],
)
def test_facts_about_answers_are_not_established_beside_them(grade, chapter, name, count):
    """A submission that speaks for the driver must still send what it claims to have drawn."""
    source = PATCHED.replace("NAME", name).replace("COUNT", str(count))
    graded = grade([*HANDED_OUT[chapter], Cell("x", source)], chapter, Limits())
    (mark,) = (mark for mark in graded.marks if mark.exercise == name)
    assert mark.points == 0
    assert mark.status == "wrong"


def with_cell(chapter, name, source):
    """Return a solution with the cell that answers an exercise replaced."""
    (index,) = cells.binding(SOLVED[chapter], name)
    cell = Cell(SOLVED[chapter][index].id, source)
    return [cell if i == index else c for i, c in enumerate(SOLVED[chapter])]


STUB = "def {0}(*args):\n    raise NotImplementedError('hint')"


@pytest.mark.parametrize(
    "line",
    ["%matplotlib inline", "%matplotlib widget", "%autosave 60", "import seaborn", "input('name')"],
)
def test_a_line_that_fails_before_the_imports_costs_nothing(grade, line):
    imports = SOLVED[1][0]
    graded = grade([Cell(imports.id, f"{line}\n{imports.source}"), *SOLVED[1][1:]], limits=Limits())
    assert points(graded) == full(1)


def test_an_answer_that_needs_a_demonstration_that_needs_an_open_answer(grade):
    source = """def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    assert abs(float(as_example[0, 0]) - 0.91) < 0.1
    states = [h_0]
    for t in range(x.shape[1]):
        states.append(torch.tanh(x[:, t] @ W_xh + states[-1] @ W_hh + b_h))
    return torch.stack(states[1:], dim=1), states[-1]"""
    example = Cell(
        "example",
        "as_example = rnn_step(*[torch.full((1, 1), float(v)) for v in (1, .5, 2, -1, 0)])",
    )
    code = with_cell(1, "rnn_forward", source)
    code.insert(max(cells.binding(code, "rnn_step")) + 2, example)
    code = [
        Cell(c.id, STUB.format("rnn_step")) if c.source.startswith("def rnn_step") else c
        for c in code
    ]
    graded = grade(code, limits=Limits())
    assert points(graded) == full(1) | {"rnn_step": 0.0}


def test_slow_experiments_cost_nothing(grade):
    slow = [Cell(f"slow {k}", "import time; time.sleep(60)") for k in range(4)]
    limits = Limits(seconds=8.0)
    assert points(grade([*SOLVED[1], *slow], limits=limits)) == full(1)


def test_a_notebook_has_a_time_for_all_of_it(grade):
    slow = [Cell(f"slow {k}", "import time; time.sleep(3)") for k in range(20)]
    started = time.monotonic()
    graded = grade([*HANDED_OUT[1], *slow], limits=Limits(total_seconds=10.0))
    assert time.monotonic() - started < 40
    assert "the time for the whole notebook was used up" in graded.notes[0]


def test_what_passed_at_its_check_line_keeps_its_points(grade):
    again = Cell(
        "again", "def rnn_step(*args):  # what happens without anything?\n    return args[0]"
    )
    assert points(grade([*SOLVED[1], again], limits=Limits())) == full(1)


def test_an_answer_with_a_magic_is_followed_through(grade):
    forward = next(c.source for c in SOLVED[1] if c.source.startswith("def rnn_forward"))
    code = with_cell(1, "rnn_forward", f"%%time\n{forward}")
    code = [
        Cell(c.id, STUB.format("rnn_step")) if c.source.startswith("def rnn_step") else c
        for c in code
    ]
    assert points(grade(code, limits=Limits())) == full(1) | {"rnn_step": 0.0}


COMPLEX = """
class Constant(nn.Module):
    def forward(self, x): return x[:, -1] * 0 + 10j
def build_forecaster(): return Constant()
"""
NOT_A_NUMBER = """
import numpy as np
np.bincount = lambda a, minlength: np.full(minlength, np.nan)
def sample_next(logits, temperature, top_k, rng):
    if top_k == 1: return logits.argmax(1)
    return torch.randint(logits.shape[1], (len(logits),), generator=rng)
"""
LARGE_COUNTS = NOT_A_NUMBER.replace("np.full(minlength, np.nan)", "np.full(minlength, 2**32)")
SAYS_NOTHING = """
import sys
def mark_claims(): raise sys._getframe(1).f_globals["Misfit"]("")
"""


@pytest.mark.parametrize(
    ("chapter", "name", "source"),
    [
        (4, "build_forecaster", COMPLEX),
        (5, "sample_next", NOT_A_NUMBER),
        (5, "sample_next", LARGE_COUNTS),
        (1, "mark_claims", SAYS_NOTHING),
    ],
    ids=["complex", "nan", "wrapped around", "empty message"],
)
def test_values_that_slip_through_comparisons_earn_nothing(grade, chapter, name, source):
    graded = grade([*HANDED_OUT[chapter], Cell("x", source)], chapter, Limits())
    (mark,) = (mark for mark in graded.marks if mark.exercise == name)
    assert mark.points == 0
    assert mark.message


CAPTURE = """
captured = []
get_ipython().events.register("pre_run_cell", lambda info: captured.append(info.raw_cell))
def stolen(name, arguments):
    for source in captured:
        if f"def {name}(" in source and "stolen(" not in source:
            found = dict(globals())
            exec(source, found)
            return found[name](*arguments)
    raise LookupError(name)
"""


def test_no_answer_is_inside_before_its_last_mark_is_given(grade):
    """Answers that call all others are marked again beside solutions of others, never their own."""
    names = [name for name in full(1) if not name[0].isupper()]
    hostile = [
        Cell(
            name,
            f"def {name}(*args):\n    ({', '.join(n for n in names if n != name)})\n"
            f"    return stolen({name!r}, args)",
        )
        for name in names
    ]
    graded = grade([HANDED_OUT[1][0], Cell("capture", CAPTURE), *hostile])
    assert set(points(graded).values()) == {0.0}
    messages = {mark.exercise: mark.message for mark in graded.marks}
    assert "LookupError: rnn_step" in messages["rnn_step"]


def test_an_answer_loses_nothing_for_another_one_that_it_calls(grade):
    wrong = "def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):\n    return x_t @ W_xh"
    code = [
        Cell(cell.id, wrong) if cell.source.startswith("def rnn_step") else cell
        for cell in SOLVED[1]
    ]
    graded = grade(code, limits=Limits())
    assert points(graded) == full(1) | {"rnn_step": 0.0}
    messages = {mark.exercise: mark.message for mark in graded.marks}
    assert messages["rnn_forward"] == judging.FOLLOWED_THROUGH


def test_what_takes_the_sandbox_down_costs_its_own_exercise_only(grade):
    crash = "import ctypes\ndef rnn_shapes(*_): ctypes.string_at(0)"
    graded = grade(with_cell(1, "rnn_shapes", crash), limits=Limits())
    assert points(graded) == full(1) | {"rnn_shapes": 0.0}
    (mark,) = (m for m in graded.marks if m.exercise == "rnn_shapes")
    assert mark.status == "stopped"
    assert "SIGSEGV" in mark.message


def test_a_cell_that_hangs_is_named_and_left_out(grade):
    graded = grade([*SOLVED[1], Cell("hangs", "while True: pass")])
    assert points(graded) == full(1)
    assert f"Code cell {len(SOLVED[1]) + 1} was left out: it took too long" in graded.notes[0]


# --- every wall by itself -------------------------------------------------------------------------

PROBE_SECONDS = 30.0


def probe(staged, monkeypatch, source, *, without=(), limits=QUICK):
    """Run a cell that defines `found`; return what it found, or why it was stopped.

    without: arguments to be taken out of the sandbox's command line, one after the other
    """
    whole = sandbox.walls

    def walls(*arguments):
        line = whole(*arguments)
        for start in range(len(line) - len(without) + 1):
            if without and line[start : start + len(without)] == list(without):
                return line[:start] + line[start + len(without) :]
        assert not without, f"{without} is not in the sandbox's command line"
        return line

    monkeypatch.setattr(sandbox, "walls", walls)
    answer = "\nimport numpy as np\ndef probe(): return np.array(float(found))\n"
    with sandbox.Sandbox(staged, limits, slot=SLOT) as box:
        try:
            box.ask(
                {"do": "run", "source": source + answer, "cell": "probe"}, seconds=PROBE_SECONDS
            )
            request = {"do": "collect", "name": "probe", "drive": "call", "outputs": ["found"]}
            reply, body = box.ask(request | {"seed": 0, "cases": [{"dict": {}}]})
        except sandbox.Stopped as reason:
            return str(reason)
    return float(judging.protocol.outcomes_from(reply, body, ("found",), 1)[0].outputs["found"])


COUNT_PROCESSES = """
import os, time
found = 0
for _ in range(60):
    try: pid = os.fork()
    except OSError: break
    if pid == 0: time.sleep(3); os._exit(0)
    found += 1
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
NAMESPACES = """
import ctypes, os
pid = os.fork()  # a process of one thread
if pid == 0: os._exit(ctypes.CDLL(None).unshare(0x10000000) == 0)
found = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
"""
BUSY = "import time\nfound, end = 1, time.process_time() + 8\nwhile time.process_time() < end: pass"
ENVIRONMENT = "import os\nfound = 'SECRET_OF_THE_GRADER' in os.environ"


def test_wall_network(staged, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        source = REACH.replace("PORT", str(server.getsockname()[1]))
        assert probe(staged, monkeypatch, source) == 0
        assert probe(staged, monkeypatch, source, without=["--unshare-net"]) == 1


def test_wall_processes_of_others(staged, monkeypatch):
    alone = probe(staged, monkeypatch, OTHERS)
    assert alone <= 6
    assert probe(staged, monkeypatch, OTHERS, without=["--unshare-pid"]) > alone


def test_wall_number_of_processes(staged, monkeypatch):
    started = probe(staged, monkeypatch, COUNT_PROCESSES)
    assert started < QUICK.processes, started
    limit = [f"--nproc={QUICK.processes}"]
    assert probe(staged, monkeypatch, COUNT_PROCESSES, without=limit) == 60


def test_wall_memory_of_one_process(staged, monkeypatch):
    assert probe(staged, monkeypatch, ALLOCATE) == 0
    assert probe(staged, monkeypatch, ALLOCATE, without=[f"--as={QUICK.memory}"]) == 1


def test_wall_memory_of_all_processes(staged, monkeypatch):
    source = "found, kept = 1, [bytearray(b'1') * (600 * 2**20) for _ in range(3)]"
    assert "too much memory" in str(
        probe(staged, monkeypatch, source + "\nimport time; time.sleep(1)")
    )
    wide = Limits(resident=2**40, seconds=8.0)
    assert probe(staged, monkeypatch, source, limits=wide) == 1


def test_wall_disk(staged, monkeypatch):
    small = QUICK.disk // 2**20
    assert probe(staged, monkeypatch, FILL) <= small
    assert probe(staged, monkeypatch, FILL, without=["--size", str(QUICK.disk)]) == 120


def test_wall_size_of_a_file(staged, monkeypatch):
    free = ["--size", str(QUICK.disk)]
    limit = [f"--fsize={QUICK.disk}"]
    assert probe(staged, monkeypatch, ONE_FILE, without=free) <= QUICK.disk // 2**20
    whole = sandbox.walls
    monkeypatch.setattr(sandbox, "walls", lambda *a: [p for p in whole(*a) if p not in limit])
    assert probe(staged, monkeypatch, ONE_FILE, without=free) == 100


def test_wall_processor_time(staged, monkeypatch):
    short = Limits(cpu_seconds=6, seconds=20.0)
    assert "SIG" in str(probe(staged, monkeypatch, BUSY, limits=short))
    assert probe(staged, monkeypatch, BUSY, without=["--cpu=6"], limits=short) == 1


def test_wall_clock(staged, monkeypatch):
    source = "import time\ntime.sleep(6)\nfound = 1"
    assert probe(staged, monkeypatch, source) == 1
    monkeypatch.setattr(sys.modules[__name__], "PROBE_SECONDS", 5.0)
    assert probe(staged, monkeypatch, source) == "it took too long and was stopped"


HIDDEN = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
found = int(libc.memfd_create(b"x", 0) >= 0) + int(libc.shmget(0, 4096, 0o1600) >= 0)
"""
DEVICES = """
import os
found = 0
for folder in ("/dev", "/dev/pts"):
    try: open(folder + "/written", "w").close(); found += 1
    except OSError: pass
"""


def test_wall_memory_that_the_watch_does_not_see(staged, monkeypatch):
    assert probe(staged, monkeypatch, HIDDEN) == 0
    assert probe(staged, monkeypatch, HIDDEN, without=["--seccomp", "9"]) == 2


def test_wall_shared_memory(staged, monkeypatch):
    small, source = QUICK.disk // 2**20, FILL.replace("/tmp/", "/dev/shm/")
    assert 0 < probe(staged, monkeypatch, source) <= small
    free = ["--size", str(QUICK.disk), "--tmpfs", "/dev/shm"]
    assert probe(staged, monkeypatch, source, without=free) != small


def test_wall_devices(staged, monkeypatch):
    assert probe(staged, monkeypatch, DEVICES) == 0


def test_wall_user_namespaces(staged, monkeypatch):
    assert probe(staged, monkeypatch, NAMESPACES) == 0
    assert probe(staged, monkeypatch, NAMESPACES, without=["--disable-userns"]) == 1


def test_wall_environment(staged, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "42")
    assert probe(staged, monkeypatch, ENVIRONMENT) == 0
    assert probe(staged, monkeypatch, ENVIRONMENT, without=["--clearenv"]) == 1


def test_wall_answers(staged, monkeypatch):
    source = "import os\nfound = sum('chapter_' in n for _, _, f in os.walk('/course') for n in f)"
    assert probe(staged, monkeypatch, source) == 0
    monkeypatch.setattr(sandbox, "KEPT_BACK", ())
    with sandbox.stage(REPOSITORY) as open_folder:
        assert probe(open_folder, monkeypatch, source) >= 5


def test_wall_files(staged, monkeypatch):
    source = f"""
import os
places = ["/etc/passwd", "/root/.bashrc", {str(REPOSITORY)!r} + "/solutions", "/home"]
found = sum(os.path.exists(p) and (p != "/home" or os.listdir(p) != ["student"]) for p in places)
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
    monkeypatch.setattr(sandbox.shutil, "which", lambda tool: None)
    with pytest.raises(sandbox.Unavailable, match="sudo apt-get install bubblewrap"):
        sandbox.check_available()
    monkeypatch.setattr(sandbox.platform, "system", lambda: "Darwin")
    with pytest.raises(sandbox.Unavailable, match="needs Linux; this is Darwin"):
        sandbox.check_available()
    sandbox.check_available(walled=False)
    monkeypatch.setattr(sandbox.platform, "system", lambda: "Windows")
    for walled in (True, False):
        with pytest.raises(sandbox.Unavailable, match="WSL 2"):
            sandbox.check_available(walled=walled)
