"""What notebooks go through on their way costs nobody a point: editors, slips, experiments.

Each is chapter 1 with its first two exercises solved, and something that has happened to it.
"""

import ast
import dataclasses

import pytest

from helpers.exercises import catalogue
from solutions.grading import cells, single
from solutions.grading.arrivals import recognising
from solutions.grading.arrivals.reading import Cell
from tests.test_marking import HANDED_OUT, LIMITS, SLOT, SOLVED, Patient, full, points

pytestmark = [pytest.mark.sandbox, pytest.mark.usefixtures("sandboxed")]
STUB = "def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):\n    raise NotImplementedError('as handed out')"
EARNED = {name: full(1)[name] for name in ("rnn_step", "rnn_forward")}


def cell_of(name, code=SOLVED[1]):
    """Return the cell that defines an exercise."""
    return next(c for c in code if c.source.startswith((f"def {name}(", f"class {name}(")))


def check_of(name):
    return Cell(f"check-{name}", f"{name} = check({name})")


STEP, FORWARD = cell_of("rnn_step"), cell_of("rnn_forward")
ANSWERED = [SOLVED[1][0], STEP, check_of("rnn_step"), FORWARD, check_of("rnn_forward")]


@pytest.fixture
def grade(staged, monkeypatch):
    """Return code -> what the grader makes of it, recognised first as it is when it arrives."""
    monkeypatch.setattr(single, "Sandbox", Patient)

    def graded(code, limits=LIMITS):
        code = recognising.named(code, HANDED_OUT[1])
        return single.grade(code, 1, staged=staged, limits=limits, slot=SLOT)

    return graded


def earned(graded):
    return {name: n for name, n in points(graded).items() if n}


def without_imports(code):
    return code[1:]


def without_one_import(code):
    lines = code[0].source.split("\n")
    kept = [line for line in lines if "import torch" not in line]
    assert len(kept) < len(lines)
    return [Cell(code[0].id, "\n".join(kept)), *code[1:]]


def with_the_stub_in_the_next_cell(code):
    return [*code[:2], Cell("", STUB), *code[2:]]


def with_the_stub_in_the_same_cell(code):
    return [code[0], Cell(STEP.id, f"{STEP.source}\n\n\n{STUB}"), *code[2:]]


def with_many_threads(code):
    """The sandbox has no room for as many threads as this asks for."""
    return [code[0], Cell("", "torch.set_num_threads(32)"), *code[1:]]


def with_another_tanh(code):
    return [code[0], Cell("", "torch.tanh = torch.relu  # what happens then?"), *code[1:]]


def with_an_endless_loop_below_a_definition(code):
    loop = Cell("", f"{STEP.source}\n\nwhile True:\n    pass  # endless")
    return [code[0], loop, *code[2:]]


def with_a_long_wait_below_a_definition(code):
    wait = Cell("", f"{STEP.source}\n\nimport time\ntime.sleep(10**6)  # endless")
    return [code[0], wait, *code[2:]]


def with_a_line_that_fails_above_a_definition(code):
    failing = "from google.colab import drive\nimport torch\nrows = open('my.csv').read()"
    return [code[0], Cell("", f"{failing}\n\n\n{STEP.source}"), *code[2:]]


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (with_a_line_that_fails_above_a_definition, "Code cell 2 ended in a ModuleNotFoundError"),
        (without_imports, "the cell of the hand-out that gives it a value was run"),
        (without_one_import, "`torch`"),
        (with_the_stub_in_the_next_cell, "`rnn_step` is defined 2 times: the best counts"),
        (with_the_stub_in_the_same_cell, "`rnn_step` is defined 2 times: the best counts"),
        (with_many_threads, ""),
        (with_another_tanh, "marked once more without the cells that no answer needs"),
        (with_an_endless_loop_below_a_definition, "Code cell 2 was interrupted"),
        (with_a_long_wait_below_a_definition, "Code cell 2 was interrupted"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_happens_to_a_notebook_costs_nothing_and_is_said(grade, happens, said):
    graded = grade(happens(ANSWERED), dataclasses.replace(LIMITS, idle_seconds=2.0))
    assert earned(graded) == EARNED
    assert any(said in note.text for note in graded.notes) or not said


def missing(step):
    return []


def misnamed(step):
    return [Cell(step.id, step.source.replace("def rnn_step", "def rnn_stepp"))]


def with_a_slip(step):
    return [Cell(step.id, step.source.replace("):", ")", 1))]


@pytest.mark.parametrize("slip", [missing, misnamed, with_a_slip])
def test_an_answer_loses_nothing_for_one_that_is_not_there(grade, slip):
    code = [SOLVED[1][0], *slip(STEP), *ANSWERED[2:]]
    assert earned(grade(code)) == {"rnn_forward": full(1)["rnn_forward"]}


def test_an_answer_that_needs_another_one_to_be_defined_loses_nothing(grade):
    wrong = Cell(STEP.id, "1 / 0")
    forward = FORWARD.source.replace("b_h):", "b_h, step=rnn_step):", 1)
    assert forward != FORWARD.source
    code = [SOLVED[1][0], wrong, check_of("rnn_step"), Cell(FORWARD.id, forward)]
    assert earned(grade(code)) == {"rnn_forward": full(1)["rnn_forward"]}


def test_who_defines_an_answer_a_hundred_times_has_five_tries(grade):
    """Claims can be guessed: each definition is a guess that is marked at most once."""
    right = catalogue.find("mark_claims").reference()
    guess = "def mark_claims():\n    return {answers}"
    wrong = {letter: (mark + 1) % 3 for letter, mark in right.items()}
    tries = [Cell("", guess.format(answers=wrong | {"A": n % 3})) for n in range(100)]
    tries[50] = Cell("", guess.format(answers=right))
    graded = grade([SOLVED[1][0], *tries])
    (mark,) = (mark for mark in graded.marks if mark.exercise == "mark_claims")
    assert mark.points < mark.of
    assert "is defined 100 times, and was marked 5 times" in mark.flags


def test_an_older_hand_out_is_graded_by_what_it_has(grade, monkeypatch):
    """Its first exercise was named otherwise, one was dropped, and others had not been written."""
    former = {"step": catalogue.Former(1, "rnn_step"), "SimpleRNN": catalogue.Former(1)}
    monkeypatch.setattr(catalogue, "FORMERLY", former)
    renamed = Cell("", STEP.source.replace("def rnn_step", "def step"))
    dropped = [Cell("", "class SimpleRNN:\n    pass"), check_of("SimpleRNN")]
    graded = grade([SOLVED[1][0], renamed, check_of("step"), *dropped])
    assert earned(graded) == {"rnn_step": full(1)["rnn_step"]}
    assert {m.exercise for m in graded.marks if m.status == "absent"} == set(full(1)) - {"rnn_step"}
    assert any("`SimpleRNN` was an exercise of an older hand-out" in n.text for n in graded.notes)


# --- what notebooks are recognised by -------------------------------------------------------------


def without_ids(code):
    return [Cell("", cell.source) for cell in code]


def with_other_ids(code):
    return [Cell(f"{n:08x}", cell.source) for n, cell in enumerate(code)]


def formatted(code):
    """No comments, other quotation marks and line ends: what is said is the same."""
    trees = (cells.tree_of(cell.source) for cell in code)
    sources = (ast.unparse(tree) if tree and tree.body else "# nothing" for tree in trees)
    return [Cell("", source.replace("\n", "\r\n")) for source in sources]


@pytest.mark.parametrize("chapter", HANDED_OUT)
@pytest.mark.parametrize("form", [without_ids, with_other_ids, formatted])
@pytest.mark.parametrize("edition", [HANDED_OUT, SOLVED], ids=["notebooks", "solutions"])
def test_a_notebook_is_recognised_by_what_it_contains(chapter, form, edition):
    code = form(edition[chapter])
    assert recognising.chapters_of(code, HANDED_OUT) == [chapter]
    known = {cell.id for cell in HANDED_OUT[chapter]}
    expected = [cell.id if cell.id in known else "" for cell in edition[chapter]]
    named = recognising.named(code, HANDED_OUT[chapter])
    assert [cell.id for cell in named] == expected
    assert not cells.to_run(named, set(), HANDED_OUT[chapter]) or edition is SOLVED
