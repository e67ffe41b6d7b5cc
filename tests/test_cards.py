"""Cards: the same words as HTML and as text, escaped, readable in both themes."""

import html
import re

import pytest

from helpers.exercises import catalogue, examine
from helpers.exercises.cards import LOOKS, Card
from helpers.exercises.contract import Result

RNN_STEP = catalogue.find("rnn_step")


def words(markup):
    text = html.unescape(re.sub(r"<br>", "\n", markup))
    return " ".join(re.sub(r"<[^>]+>", "", text).split())


@pytest.mark.parametrize("status", LOOKS)
def test_html_and_text_say_the_same(status):
    card = Card(Result(RNN_STEP, status, "`h_t` has shape (2, 3).\nNext line."))
    assert words(card._repr_html_()) == " ".join(repr(card).split())


def test_messages_are_escaped():
    card = Card(Result(RNN_STEP, "raised", "NameError: name '<script>' is not defined & so on"))
    assert "<script>" not in card._repr_html_()
    assert "&lt;script&gt;" in card._repr_html_()
    assert "<script>" in repr(card)


def test_every_card_says_what_the_chapter_runs_on():
    def text(answer):
        return repr(Card(examine(answer, RNN_STEP)))

    assert "runs on a reference" in text(RNN_STEP.reference)
    assert "goes on with a reference" in text(lambda *_: 1)
    solution = RNN_STEP.mistakes[0].answer
    assert "runs on your code" in text(lambda *a: solution(*a).tanh())


def luminance(colour):
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("status", LOOKS)
@pytest.mark.parametrize("background", ["#ffffff", "#111111"])
def test_borders_stand_out_in_both_themes(status, background):
    """WCAG 2.1, 1.4.11: at least 3:1. The words themselves take the theme's own text colour."""
    light, dark = sorted((luminance(LOOKS[status][1]), luminance(background)), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 3
    assert "color:" not in Card(Result(RNN_STEP, status, ""))._repr_html_()
