"""What gives a name its value: given twice it is cut apart, given too late it is taken alone."""

import pytest

from solutions.grading import cells, definitions
from solutions.grading.arrivals.reading import Cell

MINE = "def mine():\n    return 1"
STUB = "def answer():\n    raise NotImplementedError"


def cut(source):
    return [cell.source for cell in definitions.cut([Cell("a", source, 1)], {"answer"})]


@pytest.mark.parametrize(
    "parts",
    [
        ["def answer():\n    return 1", STUB],
        [f"{MINE}\nanswer = mine", STUB],
        [f"{MINE}\nanswer = (\nmine)", STUB],
        ["answer = 1", "answer = 2", "answer = 3\nx = 4"],
        ["@x\ndef answer(): pass", "@x\ndef answer(): pass"],
        ["class answer: pass", "y = 1\nclass answer: pass"],
    ],
)
def test_what_is_given_twice_is_cut_behind_all_but_the_last(parts):
    assert cut("\n".join(parts)) == parts


@pytest.mark.parametrize(
    "source",
    ["answer = 1; answer = 2", "answer = 1; x = 2\nx = 3", "%%time\nanswer = 1\nanswer = 2", "("],
)
def test_what_cannot_be_cut_stays(source):
    assert cut(source) == [source]


def test_many_are_cut_a_bounded_number_of_times():
    assert len(cut("answer = 1\n" * 1000)) == definitions.MOST_TRIES + 2
    many = [Cell("", "answer = 1\n" * 9)] * 500
    assert len(definitions.cut(many, {"answer"})) <= 500 + definitions.MOST_CUTS + 9


def test_an_answer_is_taken_alone_with_the_imports_of_its_cell():
    source = "import a, b\n1 / 0\nfrom c import (\n  d)\nx = answer = 0\n@e\ndef answer():\n  2\nf"
    alone = ["import a, b", "from c import (\n  d)", "@e\ndef answer():\n  2"]
    assert definitions.alone(source, "answer") == alone
    assert definitions.alone("%%bash\nanswer = 1", "answer") == []
    assert definitions.alone("(", "answer") == []


def test_what_takes_too_long_to_find_out_is_run(monkeypatch):
    """A cell that calls much may change anything: so it runs, rather than cost minutes."""
    quiet = Cell("quiet", "y = calls()")
    code = [Cell("calls", "def calls():\n    return other(1)"), quiet, Cell("a", "answer = 1")]
    assert cells.to_run(code, {"answer"}, code) == [2]
    monkeypatch.setattr(cells, "MOST_CHANGES", 1)
    assert cells.to_run(code, {"answer"}, code) == [0, 1, 2]
