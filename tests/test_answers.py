"""Answers from elsewhere get the verdict they should: right ones pass, wrong ones do not.

What `build_forecaster` is answered with trains networks; test_chapter_04.py has one of those.
"""

import importlib

import pytest

from helpers.exercises import catalogue
from tests import answers

for chapter in catalogue.chapters():
    for part in ("first", "second"):
        importlib.import_module(f"tests.answers.{part}.chapter_{chapter:02d}")
importlib.import_module("tests.answers.passed_once")
JUDGED = [answer for answer in answers.ANSWERS if answer.exercise != "build_forecaster"]
EXERCISES = sorted({answer.exercise for answer in JUDGED})
NAMED = 0.85  # of the answers with a single flaw, at least, are told a sentence made for it


@pytest.fixture(scope="class")
def results(judged):
    """Return exercise -> its answers with their results, worked out when they are asked for."""
    kept = {}

    def of(name):
        if name not in kept:
            exercise = catalogue.find(name)
            its = [answer for answer in JUDGED if answer.exercise == name]
            kept[name] = [(answer, judged(exercise, answer.answer, 7)) for answer in its]
        return kept[name]

    return of


@pytest.mark.notebook
class TestAnswers:
    """One class, so that what is known of an exercise is worked out once for all its answers."""

    @pytest.mark.parametrize("name", EXERCISES)
    def test_right_ones_pass(self, results, name):
        for answer, result in results(name):
            if answer.style:
                assert result.status == "passed", f"{answer}\n{result.message}"

    @pytest.mark.parametrize("name", EXERCISES)
    def test_wrong_ones_do_not(self, results, name):
        by_hand = catalogue.find(name).by_hand
        for answer, result in results(name):
            if answer.flaws:
                told = result.status != "passed" or by_hand & set(result.called)
                assert told, f"{answer} passed"

    def test_most_single_mistakes_are_named(self, results):
        single = [pair for name in EXERCISES for pair in results(name) if len(pair[0].flaws) == 1]
        named = [
            any(mistake.message in result.message for mistake in result.exercise.mistakes)
            for _, result in single
        ]
        assert sum(named) >= NAMED * len(single)
