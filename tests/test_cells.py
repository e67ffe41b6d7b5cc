"""Which cells have to run, and what deserves a look, judged by a submission's source alone."""

import ast

import pytest

from solutions.grading import cells, flags
from solutions.grading.arrivals.reading import Cell

HANDED_OUT = [
    Cell("imports", "import numpy as np\nfrom helpers import check"),
    Cell("step", "def step(x):\n    raise NotImplementedError('hint')"),
    Cell("check", "step = check(step)"),
    Cell("data", "rows = np.arange(5)"),
    Cell("train", "losses = []\nfor row in rows:\n    losses.append(step(row))"),
    Cell("scale", "def scaled(v):\n    return v * factor"),
    Cell("factor", "factor = 2"),
    Cell("table", "board = {}"),
    Cell("enter", "def enter(name, value):\n    board[name] = value"),
    Cell("fill", "enter('a', 1)"),
    Cell("figure", "print(losses, board)"),
]


def run(changes, wanted=("step",)):
    submitted = [Cell(c.id, changes.get(c.id, c.source)) for c in HANDED_OUT]
    submitted += [Cell(i, s) for i, s in changes.items() if i not in {c.id for c in HANDED_OUT}]
    return {submitted[i].id for i in cells.to_run(submitted, set(wanted), HANDED_OUT)}


ANSWER = {"imports", "step", "check"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ANSWER),
        ({"step": "def step(x):\n    return x"}, ANSWER),
        ({"step": "def step(x):\n    return scaled(x)"}, ANSWER | {"scale", "factor"}),
        ({"figure": "print(len(losses))"}, ANSWER | {"figure", "train", "data"}),
        ({"new": "print(board)"}, ANSWER | {"new", "table", "enter", "fill"}),
        ({"new": "%matplotlib inline"}, ANSWER | {"new"}),
        ({"new": "def f(:"}, ANSWER | {"new"}),
        ({"step": "def step(x):\n    rows = x\n    return rows"}, ANSWER),
        ({"factor": "factor = 3"}, ANSWER | {"factor"}),
        ({"a copy": "losses = []\nfor row in rows:\n    losses.append(step(row))"}, ANSWER),
    ],
    ids=range(10),
)
def test_what_runs(changes, expected):
    assert run(changes) == expected


def test_an_answer_that_hides_in_another_cell_is_found():
    assert run({"new": "step = lambda x: x"}) == ANSWER | {"new"}


@pytest.mark.parametrize(
    ("source", "note"),
    [
        ("import gc\ndef rnn_step(x): return gc.get_objects()", "mentions gc"),
        ("def rnn_step(x): return sys._getframe()", "mentions _getframe"),
        ("def rnn_step(x): return getattr(nn, 'RNN' + 'Cell')(1, 2)(x)", "a computed name"),
        ("def rnn_step(x): exec('y = x'); return y", "mentions exec"),
        ("%%time\ndef rnn_step(x): return torch._C.anything(x)", "mentions _C"),
        ("from torch import jit as j\ndef rnn_step(x): return j.script(x)", "mentions jit"),
        ("def rnn_step(x:", "what cannot be read"),
    ],
)
def test_what_deserves_a_look_is_named(source, note):
    found = flags.flags([source])
    assert any(note in flag for flag in found), found


def test_the_code_behind_an_answer_is_followed_through_helpers_not_through_other_answers():
    helper = Cell("new", "def helper(x):\n    return torch.nn.RNNCell(1, 2)(x)  # check(")
    step = Cell("step", "def step(x):\n    return helper(x)")
    further = Cell("further", "def further(x):\n    return step(x)")
    submitted = [HANDED_OUT[0], helper, step, HANDED_OUT[2], further]
    names = {"step", "further"}
    code = {n: flags.code_behind(n, names - {n}, submitted, HANDED_OUT) for n in names}
    assert code["step"] == [helper.source, step.source]
    assert code["further"] == [further.source]


def test_an_honest_answer_has_no_flags():
    source = "def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):\n    return torch.tanh(x_t @ W_xh)"
    assert flags.flags([source]) == []
    evaluated = "def evaluate(model):\n    model.eval()\n    return torch.compile(model)"
    assert flags.flags([evaluated]) == []


def test_a_magic_hides_nothing():
    timed = Cell("step", "%%time\ndef step(x):\n    return scaled(x)")
    submitted = [timed if cell.id == "step" else cell for cell in HANDED_OUT]
    chosen = {submitted[i].id for i in cells.to_run(submitted, {"step"}, HANDED_OUT)}
    assert chosen == ANSWER | {"scale", "factor"}
    assert cells.names("!ls\nx = 1").bound == {"x"}


@pytest.mark.parametrize(
    "sources",
    [
        [f"def f{k}(): return f{k + 1}()" for k in range(450)],
        ["x = 0\n" * 50_000],
        ["f=" + "lambda:" * 3000 + "0"],
        ["x = " + "-" * 20_000 + "1"],
        ["a = [" * 5000 + "]" * 5000],
    ],
    ids=["chain", "long", "deep lambda", "deep minus", "deep list"],
)
def test_hostile_sources_are_read_in_a_bounded_number_of_steps(sources):
    """Each step is a look at a cell; counted, since time on a busy machine says little."""
    submitted = [*HANDED_OUT, *(Cell(f"c{k}", source) for k, source in enumerate(sources))]
    submitted.append(Cell("s", "def step(x): return f0()"))
    cells.names.cache_clear()
    cells.to_run(submitted, {"step"}, HANDED_OUT)
    flags.code_behind("step", set(), submitted, HANDED_OUT)
    assert cells.names.cache_info().misses <= len(submitted)


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("%matplotlib inline\nx = 1", {"x"}),
        ("%%time\nx = 1", {"x"}),
        ("%%html\n<b>don't</b>", set()),
        ("for i in range(3):\n    %time f(i)\n    y = i", {"i", "y"}),
        ("x = 7\nz = (x\n    % 3)\n!ls don't", {"x", "z"}),
        ("names = !ls\nx?", {"names"}),
        ("first, second = !ls\nx = 5 % 3", {"first", "second", "x"}),
        ("x = 7\nx %= 3\ny = %timeit -o x", {"x", "y"}),
        ("%magic with \\\n  two lines that (are not Python\nx = 1", {"x"}),
        ('x = %"""', {"x"}),
        ("losses = %\\", {"losses"}),
        ("x.y??\n?x\nx = 1", {"x"}),
    ],
)
def test_magics_are_taken_out(source, bound):
    assert cells.names(source).bound == bound


@pytest.mark.parametrize(
    "source",
    [
        *["x = (", "'" * 99, "(" * 90_000, "-" * 90_000 + "1"],
        *['"a" * 99_990 + " ?"', "%a\n" * 499, "1," * 2500 + " ?", "%" * 90_000, "?" * 90_000],
        *[
            "w" * 90_000 + " =",
            "w" + " " * 90_000,
            " " * 90_000 + "w w =?",
            "a." * 40_000 + "a?",
            "%a \\\n" * 20_000,
            "x=1\n" * 24_600 + "%a\n" * 98,
        ],
    ],
    ids=range(15),
)
def test_what_cannot_be_read_is_parsed_a_bounded_number_of_times(source, monkeypatch):
    """IPython's own way of reading a cell took minutes for some of these."""
    parse, times = ast.parse, []
    monkeypatch.setattr(cells.ast, "parse", lambda text, *_: times.append(len(text)) or parse(text))
    cells.tree_of(source)
    assert times
    assert sum(times) <= 2 * cells.MOST_PARSED + 3 * len(source)  # a line that is left out grows
