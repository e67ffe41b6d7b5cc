"""What a cell says about its results."""

import doctest

import numpy as np
import pytest

from helpers import results


def test_the_examples_of_the_docstrings():
    assert doctest.testmod(results).attempted >= 3
    assert not doctest.testmod(results).failed


@pytest.mark.parametrize(
    ("guess", "value", "words"),
    [
        (None, 9, "You made no guess."),
        (9, 9, "That is what you guessed."),
        (0.5, 0.5001, "That is what you guessed."),
        (7, 9, "You guessed 7, which is 2 too few."),
        (8.5, 9, "You guessed 8.5, which is 0.5 too low."),
        (1.0, 0.2, "You guessed 1.0, which is 0.8 too high."),
        (np.int64(12), np.int64(9), "which is 3 too many."),
        ("a few", 9, "Your guess, 'a few', is no number."),
        ([1, 2], 9, "is no number."),
        (float("nan"), 9, "Your guess, nan, is no number."),
    ],
)
def test_a_guess_is_compared(capsys, guess, value, words):
    results.guessed("steps", guess, value)
    assert words in capsys.readouterr().out


def test_a_bar_is_reached_or_not(capsys):
    results.holds("error", 0.25, below=0.3)
    results.holds("error", 0.25, above=0.3)
    results.holds("error", float("nan"), below=0.3)
    assert capsys.readouterr().out.splitlines() == [
        "✓ error: ≈0.25, below 0.3",
        "✗ error: ≈0.25, not above 0.3",
        "✗ error: nan, not below 0.3",
    ]
    for bars in ({}, {"above": 1, "below": 2}):
        with pytest.raises(ValueError, match="give one bar"):
            results.holds("error", 1.0, **bars)


def test_a_table_reads_the_same_as_text_and_as_html(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    results.table({"a <b>": [1, 0.125], "c": ["none", 2.0]}, ["n", "error"], corner="network")
    assert repr(shown[0]).splitlines() == [
        "network     n  error",
        "a <b>       1   0.12",
        "c        none   2.00",
    ]
    text = shown[0]._repr_html_()
    assert "a &lt;b&gt;" in text
    assert text.count("<tr>") == 3
    with pytest.raises(ValueError, match="'a' has 1 values for 2 columns"):
        results.table({"a": [1]}, ["x", "y"])
