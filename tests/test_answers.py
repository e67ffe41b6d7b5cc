"""Answers from elsewhere get the verdict they should: right ones pass, wrong ones do not.

What `build_forecaster` is answered with trains networks; test_chapter_04.py has one of those.
"""

import importlib

import pytest

from helpers.exercises import catalogue
from tests import answers

for chapter in catalogue.chapters():
    importlib.import_module(f"tests.answers.chapter_{chapter:02d}")
JUDGED = [answer for answer in answers.ANSWERS if answer.exercise != "build_forecaster"]
RIGHT = [answer for answer in JUDGED if answer.style]
WRONG = [answer for answer in JUDGED if answer.flaws]


@pytest.mark.parametrize("name", sorted({answer.exercise for answer in JUDGED}))
class TestAnswersTo:
    """One test per exercise: what is known of it is worked out once for all its answers."""

    def test_right_ones_pass(self, judged, name):
        for answer in RIGHT:
            if answer.exercise == name:
                result = judged(catalogue.find(name), answer.answer, 7)
                assert result.status == "passed", f"{answer}\n{result.message}"

    def test_wrong_ones_do_not(self, judged, name):
        exercise = catalogue.find(name)
        for answer in WRONG:
            if answer.exercise == name:
                result = judged(exercise, answer.answer, 7)
                told = result.status != "passed" or exercise.by_hand & set(result.called)
                assert told, f"{answer} passed"
