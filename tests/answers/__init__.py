"""Answers to the exercises, with their verdicts.

Written from the student copies alone, before a card was seen:
first/chapter_NN.py   wrong and right answers to the exercises of one chapter
second/chapter_NN.py  the same, written when the first had been used to mend the checks

Written with the checks at hand:
passed_once.py        wrong answers that had passed when they were found
"""

from collections.abc import Callable
from dataclasses import dataclass

ANSWERS: list["Answer"] = []


@dataclass(frozen=True)
class Answer:
    """An answer and its verdict.

    exercise  the name of the exercise
    answer    the function or class that is handed in
    style     what is unusual about a right answer
    flaws     what is wrong with it; a right answer has none
    """

    exercise: str
    answer: Callable
    style: str = ""
    flaws: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.exercise}: {self.style or '; '.join(self.flaws)}"


def wrong(exercise: str, *flaws: str) -> Callable:
    """Enter an answer as wrong, with one flaw or with several in different outputs."""

    def enter(answer: Callable) -> Callable:
        ANSWERS.append(Answer(exercise, answer, flaws=flaws))
        return answer

    return enter


def right(exercise: str, style: str) -> Callable:
    """Enter an answer as right."""

    def enter(answer: Callable) -> Callable:
        ANSWERS.append(Answer(exercise, answer, style=style))
        return answer

    return enter
