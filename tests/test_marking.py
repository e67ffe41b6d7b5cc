"""The grader: honest work gets its points, hostile work nothing, and nobody is harmed."""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import psutil
import pytest

from helpers.environment import COURSE
from helpers.exercises import catalogue
from helpers.exercises.cards import with_code
from solutions.grading import (
    cells,
    definitions,
    following,
    marking,
    references,
    sandbox,
    single,
    walls,
)
from solutions.grading.arrivals import reading, recognising
from solutions.grading.arrivals.reading import Cell
from solutions.grading.reports import summary
from solutions.grading.reports.rows import Row
from solutions.grading.telling import Teller
from solutions.grading.walls import Limits
from tests import chapters, forms
from tests.attacks import ANSWERS, CELLS, ENDLESS, LOOKS

HANDED_OUT, SOLVED = reading.edition("notebooks"), reading.edition("solutions")
FIRST = SOLVED[1]
SLOT = walls.SLOTS  # a user for the tests: others may be grading on this machine
LIMITS = Limits(resident=1536 * 2**20, idle_seconds=600.0, total_idle_seconds=3600.0)
IMPATIENT = dataclasses.replace(LIMITS, idle_seconds=5.0, total_idle_seconds=5.0)
TELLER = Teller([])
SEED = 0x5EED_5EED_5EED
pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandboxed")]


class Patient(sandbox.Sandbox):
    """A sandbox that gives one second to a cell that never ends."""

    def ask(self, header, arrays=(), seconds=None, *, gently=False):
        endless = "endless" in header.get("cell", "") + header.get("source", "")
        return super().ask(header, arrays, 1.0 if endless else seconds, gently=gently)


@pytest.fixture
def grade(staged, monkeypatch):
    monkeypatch.setattr(single, "Sandbox", Patient)

    def graded(code, chapter=1, limits=LIMITS, seed=0, slot=SLOT):
        settings = {"staged": staged, "limits": limits, "slot": slot, "seed": seed}
        return single.grade(code, chapter, **settings)

    return graded


def points(graded):
    return {mark.exercise: mark.points for mark in graded.marks}


def full(chapter):
    return {exercise.name: exercise.points for exercise in catalogue.chapters()[chapter]}


# --- honest work ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chapter", "form"),
    list(zip(SOLVED, forms.FORMS, strict=True)),
    ids=lambda v: getattr(v, "__name__", v),
)
def test_a_solution_earns_everything_and_has_nothing_to_look_at(grade, chapter, form):
    """Each comes as another editor leaves it; the benchmark notebook_forms has all of both."""
    notebook = json.loads(nbformat.writes(chapters.read(chapters.SOLUTIONS[chapter - 1])))
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
    read = reading.parsed(json.dumps(form(notebook)).encode())
    assert recognising.chapters_of(read.code, HANDED_OUT) == [chapter]
    graded = grade(recognising.named(read.code, HANDED_OUT[chapter]), chapter)
    assert points(graded) == full(chapter)
    assert not [mark.flags for mark in graded.marks if mark.flags]


@pytest.mark.parametrize("chapter", SOLVED)
def test_half_filled_copies_earn_exactly_their_part(grade, chapter):
    """In turn right, wrong, raising and open: only what is right earns its points."""
    solved = {cell.id: cell for cell in SOLVED[chapter]}
    fillings = ["right", "return None", "1 / 0", "open"]
    code, expected, untouched = [], {}, set()
    for cell in HANDED_OUT[chapter]:
        name = next(
            (n for n in full(chapter) if re.match(rf"(\S+\n)?(def|class) {n}\b", cell.source)), None
        )
        if name:
            filling = fillings[len(expected) % 4]
            expected[name] = full(chapter)[name] if filling == "right" else 0.0
            if filling == "right":
                cell = solved[cell.id]
            elif filling == "open":
                untouched.add(name)
            else:
                cell = Cell(
                    cell.id, re.sub(r"raise NotImplementedError\(.*\)", filling, cell.source)
                )
        code.append(cell)
    assert set(expected) == set(full(chapter))
    graded = grade(code, chapter)
    assert points(graded) == expected
    assert {m.exercise for m in graded.marks if m.status == "not attempted"} == untouched


SOME = 8  # one in so many: all are told apart without a sandbox, in test_mistakes.py


@pytest.mark.parametrize("chapter", SOLVED)
def test_known_mistakes_are_named_and_earn_nothing(chapter):
    """Hand in some wrong answers as a submission's; the summary must tell them apart.

    For once the answers are laid out beside the submission, so that it can hand them in.
    """
    marks = []
    with walls.stage(COURSE) as staged:
        inside = staged / "helpers/exercises"
        shutil.copytree(COURSE / "helpers/exercises", inside, dirs_exist_ok=True)
        with sandbox.Sandbox(staged, LIMITS, walls.walls(staged, LIMITS, SLOT)) as box:

            def run(source):
                reply, _ = box.ask({"do": "run", "source": source, "cell": "mistakes"})
                assert not reply["error"], reply["error"]

            run("from helpers.exercises import catalogue")
            for number, exercise in enumerate(catalogue.chapters()[chapter]):
                for index, mistake in list(enumerate(exercise.mistakes))[::SOME]:
                    known = f"catalogue.chapters()[{chapter}][{number}].mistakes[{index}]"
                    run(f"{exercise.name} = {known}.answer")
                    mark, _ = marking.mark(box, exercise, 0, TELLER)
                    assert mark.status in ("wrong", "raised"), (mistake.message, mark.message)
                    assert mark.message.startswith(mistake.message)
                    assert mark.points == 0 or exercise.share
                    marks.append(mark)
    shown = summary.summary_of([Row("one", marks={chapter: marks})])
    for mark in marks:
        assert with_code(mark.message.split("\n")[0]) in shown


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
    folders = ["/tmp", "/var/tmp", "/dev/shm", "/", sys.prefix, sys.base_prefix, COURSE]
    return {(str(f), name) for f in folders if os.path.isdir(f) for name in os.listdir(f)}


def planted(source, port):
    found = {"PORT": str(port), "COURSE": str(COURSE), "SEED": f"int('{SEED:x}', 16)"}
    for name, value in found.items():
        source = source.replace(name, value)
    return source


@pytest.fixture
def nothing_left(staged):
    """Fail if a submission leaves a process or a file behind."""
    before = traces()
    yield
    for _ in range(6000):  # what was killed takes a moment to go
        if not inside(staged):
            break
        time.sleep(0.1)
    assert not inside(staged)
    left = traces() - before
    assert not {t for t in left if "forged" in t[1] or "written" in t[1] or t[1] == "full"}


LEAN = Cell(
    "lean",
    "import math\nimport numpy as np\nimport torch\nfrom torch import nn\n"
    "from torch.nn import functional as F\nfrom helpers import check, data, points",
)


def of(code, *exercises):
    """Return what chapter 1 imports, without what draws, and some of its exercises' cells."""
    stands_for = re.compile(rf"(def|class) ({'|'.join(exercises)})\b")
    parts = [
        c for c in code if stands_for.match(c.source) or cells.checked_in(c.source) in exercises
    ]
    assert len(parts) == 2 * len(exercises)
    return [LEAN, *parts]


@pytest.mark.parametrize("name", [*CELLS, *ENDLESS])
def test_an_attack_earns_nothing_and_leaves_nothing(grade, nothing_left, name):
    cell = Cell("endless" if name in ENDLESS else "attack", (CELLS | ENDLESS)[name])
    handed_out = of(HANDED_OUT[1], "rnn_step", "mark_claims")
    graded = grade([*handed_out, cell], limits=IMPATIENT)
    assert points(graded) == dict.fromkeys(full(1), 0.0)


def test_whoever_looks_around_finds_nothing_and_earns_nothing(
    grade, nothing_left, port, monkeypatch
):
    monkeypatch.setenv("SECRET_OF_THE_GRADER", "a token")
    looks = [Cell(name, planted(source, port)) for name, source in LOOKS.items()]
    graded = grade([*HANDED_OUT[1], *looks], seed=SEED)
    assert points(graded) == dict.fromkeys(full(1), 0.0)
    for number in range(len(HANDED_OUT[1]), len(HANDED_OUT[1]) + len(looks)):
        said = f"Code cell {number + 1} ended in a"
        assert any(said in note.text for note in graded.notes), looks[number - len(HANDED_OUT[1])]


def test_an_answer_that_is_none_earns_nothing(staged):
    (exercise,) = (e for e in catalogue.chapters()[1] if e.name == "rnn_step")
    with sandbox.Sandbox(staged, LIMITS, walls.walls(staged, LIMITS, SLOT)) as box:
        for name, source in ANSWERS.items():
            reply, _ = box.ask({"do": "run", "source": source, "cell": name})
            assert not reply["error"], (name, reply["error"])
            given, goes_on = marking.mark(box, exercise, 0, TELLER)
            assert given.points == 0, name
            assert given.status in ("wrong", "raised"), (name, given)
            assert goes_on, name


PATCHED = """
import gc, types
import numpy as np
def lie(answer, case): return {name: np.ones(1, dtype=int) for name in NAMES}
gc.unfreeze()
for thing in gc.get_objects():
    if isinstance(thing, types.FunctionType) and thing.__name__ == "call_EXERCISE":
        thing.__code__ = lie.__code__
        thing.__globals__.update(NAMES=NAMES, np=np)
def EXERCISE(*_): return 0
"""


@pytest.mark.parametrize(
    ("chapter", "name"), [(3, "adding_problem_batch"), (5, "sample_next"), (5, "generate")]
)
def test_facts_about_answers_are_not_established_beside_them(grade, chapter, name):
    """A submission that speaks for the driver must still send what it claims to have drawn."""
    names = catalogue.find(name).collected
    source = f"NAMES = {names!r}" + PATCHED.replace("EXERCISE", name)
    graded = grade([*HANDED_OUT[chapter], Cell("x", source)], chapter)
    (mark,) = (mark for mark in graded.marks if mark.exercise == name)
    assert mark.points == 0
    assert mark.status == "wrong"


def with_cell(name, source):
    """Return chapter 1 solved with the cell that answers an exercise replaced."""
    (index,) = definitions.binding(FIRST, name)
    cell = Cell(FIRST[index].id, source)
    return [cell if i == index else c for i, c in enumerate(FIRST)]


STUB = "def {0}(*args):\n    raise NotImplementedError('hint')"


@pytest.mark.parametrize(
    "line",
    ["%matplotlib inline", "%matplotlib widget", "%autosave 60", "import seaborn", "input('name')"],
)
def test_a_line_that_fails_before_the_imports_costs_nothing(grade, line):
    imports = FIRST[0]
    graded = grade([Cell(imports.id, f"{line}\n{imports.source}"), *FIRST[1:]])
    assert points(graded) == full(1)


def test_a_slip_that_nobody_can_read_costs_nothing(grade):
    slips = ['x = %"""', "losses = %\\", "def", "x = (", "%%", "?"]
    assert points(grade([*FIRST, *(Cell(slip, slip) for slip in slips)])) == full(1)


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
    code = with_cell("rnn_forward", source)
    code.insert(max(definitions.binding(code, "rnn_step")) + 2, example)
    code = [
        Cell(c.id, STUB.format("rnn_step")) if c.source.startswith("def rnn_step") else c
        for c in code
    ]
    graded = grade(code)
    assert points(graded) == full(1) | {"rnn_step": 0.0}


def test_slow_experiments_cost_nothing(grade):
    slow = [Cell(f"endless {k}", "import time; time.sleep(10**6)") for k in range(4)]
    assert points(grade([*FIRST, *slow])) == full(1)


def test_a_notebook_has_a_time_for_all_of_it(grade):
    slow = Cell("slow", "while True: pass")
    graded = grade([*HANDED_OUT[1], slow], limits=dataclasses.replace(LIMITS, total_seconds=4.0))
    assert graded.again
    assert "time for the whole notebook was used up" in graded.notes[0].text


FORKS = """
import os, signal
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    try: os.fork()
    except OSError: pass
"""


def test_grades_are_the_same_beside_busy_loops_and_submissions_that_fork(grade):
    """What is allowed is more processor time than honest work takes, and far less on the clock."""
    step, forward = (
        next(c for c in FIRST if c.source.startswith(f"def {n}"))
        for n in ("rnn_step", "rnn_forward")
    )
    honest = [FIRST[0], step, forward, Cell("wrong", "def gradient_norms(*_): return 1")]
    alone = grade(honest)
    tight = dataclasses.replace(LIMITS, seconds=8.0, total_seconds=30.0)
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(2))  # waited for when the loops are gone
        for _ in range(2):
            loop = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
            stack.callback(loop.wait)
            stack.callback(loop.kill)
        forking = [HANDED_OUT[1][0], Cell("endless", FORKS)]
        for slot in range(1, 3):
            pool.submit(grade, forking, limits=tight, slot=SLOT + slot)
        assert grade(honest, limits=tight) == alone
    assert points(alone) == dict.fromkeys(full(1), 0.0) | {
        name: full(1)[name] for name in ("rnn_step", "rnn_forward")
    }


def test_what_passed_at_its_check_line_keeps_its_points(grade):
    again = Cell(
        "again", "def rnn_step(*args):  # what happens without anything?\n    return args[0]"
    )
    assert points(grade([*FIRST, again])) == full(1)


def test_an_answer_with_a_magic_is_followed_through(grade):
    forward = next(c.source for c in FIRST if c.source.startswith("def rnn_forward"))
    code = with_cell("rnn_forward", f"%%time\n{forward}")
    code = [
        Cell(c.id, STUB.format("rnn_step")) if c.source.startswith("def rnn_step") else c
        for c in code
    ]
    assert points(grade(code)) == full(1) | {"rnn_step": 0.0}


COMPLEX = """
class Constant(nn.Module):
    def forward(self, x): return x[:, -1] * 0 + 10j
def build_forecaster(series): return Constant()
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
    graded = grade([*HANDED_OUT[chapter], Cell("x", source)], chapter)
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


def test_a_reference_comes_in_only_when_its_own_exercise_has_been_marked():
    for chapter, solution in SOLVED.items():
        order = list(full(chapter))
        for name, others in references.needed_by(solution, set(order)).items():
            assert all(order.index(other) < order.index(name) for other in others)
    assert references.needed_by(FIRST, set(full(1)))["rnn_forward"] == {"rnn_step"}


def test_no_answer_is_inside_before_its_last_mark_is_given(grade):
    """Answers that call all others find no source of their own reference."""
    names = ["rnn_step", "rnn_forward", "gradient_norms"]
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
    words = {mark.exercise: mark.words for mark in graded.marks}
    assert words["rnn_step"] == "LookupError: rnn_step"


CIRCLE = {
    "rnn_step": """def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    return rnn_forward(x_t[:, None], h_prev, W_xh, W_hh, b_h)[1]""",
    "rnn_forward": """def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    states = [rnn_step(x[:, 0], h_0, W_xh, W_hh, b_h)]
    for t in range(1, x.shape[1]): states.append(rnn_step(x[:, t], states[-1], W_xh, W_hh, b_h))
    return torch.stack(states, dim=1), states[-1]""",
}


@pytest.mark.parametrize("open_one", [None, "rnn_forward"])
def test_answers_that_call_each_other_get_the_references_that_the_solution_needs(grade, open_one):
    """`rnn_forward` is right by itself, `rnn_step` is not, and nothing is lent to it."""
    circle = [Cell(n, STUB.format(n) if n == open_one else s) for n, s in CIRCLE.items()]
    earned = points(grade([HANDED_OUT[1][0], *circle]))
    expected = dict.fromkeys(full(1), 0.0)
    if not open_one:
        expected["rnn_forward"] = full(1)["rnn_forward"]
    assert earned == expected


def test_an_answer_loses_nothing_for_another_one_that_it_calls(grade):
    wrong = "def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):\n    return x_t @ W_xh"
    code = [
        Cell(cell.id, wrong) if cell.source.startswith("def rnn_step") else cell for cell in FIRST
    ]
    graded = grade(code)
    assert points(graded) == full(1) | {"rnn_step": 0.0}
    messages = {mark.exercise: mark.message for mark in graded.marks}
    assert messages["rnn_forward"] == following.FOLLOWED_THROUGH


def test_what_builds_on_wrong_answers_is_marked_again_in_one_sandbox(grade, monkeypatch):
    """And gets no reference of its own, if others get one in its place."""
    needs = {"rnn_forward": "rnn_step", "carry_state": "rnn_step", "train_on_stream": "carry_state"}
    needed_by = {name: {needs[name]} if name in needs else set() for name in full(1)}
    monkeypatch.setattr(single, "needed_by", lambda _: needed_by)
    started, sandbox_of = [], single.Sandbox
    monkeypatch.setattr(single, "Sandbox", lambda *a: started.append(a) or sandbox_of(*a))
    wrong = with_cell("rnn_step", "def rnn_step(*_): return None")
    mistaken = "def carry_state(state):\n    return state"
    code = [Cell(c.id, mistaken) if "def carry_state" in c.source else c for c in wrong]
    assert points(grade(code)) == full(1) | {"rnn_step": 0.0, "carry_state": 0.0}
    assert len(started) == 2


def test_an_untouched_copy_needs_no_sandbox(grade, monkeypatch):
    monkeypatch.setattr(single, "Sandbox", None)
    for chapter, code in HANDED_OUT.items():
        marks = grade(code, chapter).marks
        assert {(mark.status, mark.points) for mark in marks} == {("not attempted", 0.0)}


def test_what_takes_the_sandbox_down_costs_its_own_exercise_only(grade):
    crash = "import ctypes\ndef rnn_shapes(*_): ctypes.string_at(0)"
    graded = grade(with_cell("rnn_shapes", crash))
    assert points(graded) == full(1) | {"rnn_shapes": 0.0}
    (mark,) = (m for m in graded.marks if m.exercise == "rnn_shapes")
    assert mark.status == "stopped"
    assert "SIGSEGV" in mark.message


def test_a_cell_that_hangs_is_named_and_interrupted(grade):
    graded = grade([*FIRST, Cell("endless", "while True: pass")])
    assert points(graded) == full(1)
    assert f"Code cell {len(FIRST) + 1} was interrupted: it took too long" in graded.notes[0].text
