"""Nothing that a submission says at run time reaches a page, unless the instructor asks for it."""

import re

import numpy as np
import pytest

from helpers.calling import Failure
from helpers.exercises import catalogue, diagnosis
from helpers.exercises.relations import Pair
from solutions.grading import marking, telling
from solutions.grading.arrivals.reading import Cell
from solutions.grading.marks import Mark

SOURCE = (
    "class TooLong(Exception): pass\ndef rnn_step(x):\n    raise TooLong(secret)\nrnn_step(1)\n\n"
)
MISSING = "`h_t` is None: is a `return` missing?"
SEVERAL = "Return 2 values, `states`, `h_T`; got one ndarray."
TELLER = telling.Teller([Cell("a", SOURCE)])


@pytest.mark.parametrize(
    ("failure", "message", "line"),
    [
        (("raised", "ValueError: token", ""), "It ended in a ValueError.", ""),
        (("raised", "IndexError: token", ""), "It ended in an IndexError.", ""),
        (("raised", "TooLong: token", ""), "It ended in a TooLong.", ""),
        (("raised", "token", ""), "It ended in an exception of another type.", ""),
        (("raised", "t0ken: x", ""), "It ended in an exception of another type.", ""),
        (("misfit", "`y` is 'token'", ""), telling.MISFIT, ""),
        (("misfit", "`h_t` is 1234567", ""), telling.MISFIT, ""),
        (("misfit", "`h_t` is None.\x1b[2J", ""), telling.MISFIT, ""),
        (("misfit", "one list " * 40, ""), telling.MISFIT, ""),
        (("misfit", MISSING, ""), MISSING, ""),
        (("misfit", SEVERAL, ""), SEVERAL, ""),
        (
            ("raised", "TooLong: x", "    raise TooLong(secret)  (in rnn_step)"),
            "It ended in a TooLong.",
            "    raise TooLong(secret)  (in rnn_step)",
        ),
        (("raised", "TooLong: x", "token  (in rnn_step)"), "It ended in a TooLong.", ""),
        (("raised", "TooLong: x", "rnn_step(1)  (in token)"), "It ended in a TooLong.", ""),
        (("raised", "TooLong: x", "rnn_step(1)  (in x raise x)"), "It ended in a TooLong.", ""),
        (("raised", "TooLong: x", "x raise rnn_step x"), "It ended in a TooLong.", ""),
        (("raised", "TooLong: x", "  (in x)"), "It ended in a TooLong.", ""),
        (
            ("raised", "TooLong: x", "rnn_step(1)  (in <listcomp>)"),
            "It ended in a TooLong.",
            "rnn_step(1)  (in <listcomp>)",
        ),
    ],
)
def test_type_and_line_are_told_if_they_stand_in_the_source(failure, message, line):
    told = TELLER.told(Failure(*failure))
    assert (told.message, told.line) == (message, line)


def test_words_are_told_if_they_are_asked_for():
    given = Mark("rnn_step", "", 0, 2, "raised", "It ended in a ValueError.", [], "token")
    assert "token" not in given.told(words=False).message
    assert given.told(words=True).message.endswith("\nIt said: token")
    note = telling.Note("Code cell 1 ended in a ValueError.", "token")
    assert note.told(words=False) == "Code cell 1 ended in a ValueError."
    assert note.told(words=True) == "Code cell 1 ended in a ValueError. It said: token"


@pytest.mark.parametrize("number", [123456.789012345, 1234567890123456789, -0.000123456789, 1e300])
def test_numbers_of_an_answer_have_six_digits(number):

    got = np.asarray(number)
    expected = got + np.spacing(np.asarray(number, float)) * 9999
    said = diagnosis.localise("loss", "", got, expected, 0.0, [Pair(got, expected, {})])
    digits = [part.strip("0.") for part in re.findall(r"[\d.]+", said)]
    assert max(len(part.replace(".", "")) for part in digits) <= 6, said


def test_derived_numbers_differ_by_purpose_and_do_not_show_the_seed():
    purposes = [(e.name, what) for e in catalogue.chapters()[1] for what in ("cases", "inside")]
    derived = {marking.derived(5, *purpose) for purpose in purposes}
    assert len(derived) == len(purposes)
    assert marking.derived(5, "a") == marking.derived(5, "a") != marking.derived(6, "a")
