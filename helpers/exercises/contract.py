"""The contract of an exercise: what it consists of, and what is said about an answer to it.

An exercise is data. Everything that can be handed in - the student's object, the reference, each
known mistake - is an *answer*, and all answers go the same way:

    cases --collect--> outcomes --judge--> Result

`helpers.calling.collect` only runs code and records arrays; `judging.judge` only compares arrays.
They share no state, so that answers can be run in a sandbox and judged outside it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from helpers.calling import Driver
from helpers.calling.arrays import Case
from helpers.exercises.equality import equal_arrays

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give, and what to tell them.

    also: other ways to write the same mistake that end differently, in another exception, say
    """

    message: str
    answer: Callable
    also: tuple[Callable, ...] = ()


@dataclass(frozen=True)
class Exercise:
    """One exercise of the course.

    name       the name that the student's function or class must have
    title      what it is about, in half a line
    points     what a right answer earns
    difficulty 1, 2 or 3, shown as so many dots; at 3 the key step is left to the student
    outputs    what is compared: name -> its dimensions ("B T H"; "" for a scalar)
    cases      rng -> a list of cases; a case maps argument names to arrays, lists of arrays,
               numbers, strings or None
    drive      the driver: (answer, case) -> named values, or what the answer returned in the order
               of `outputs` (see helpers/calling)
    reference  the trusted answer: what others are compared with, and what the chapter runs on
               until an answer passes
    against    the trusted implementation, in words: a card says "Equal to … on 8 random cases."
    mistakes   the known mistakes
    tolerance  largest difference that counts as equal: absolute; relative, ten times that
    equal      (got, expected, tolerance) -> bool; another test of equality, where values are random
    explain    (got, expected) -> what is wrong, in words; "" leaves it to the general diagnosis,
               the first place where they differ
    praise     got -> what is said of an answer that passes, in place of "Equal to …"
    share      (got, expected) -> the part of the points, 0 to 1, that a wrong answer still earns;
               the least of all cases counts
    returned   names of what the driver returns, if that is not compared as it is but measured first
    measure    (case, what the driver returned) -> the outputs: here, not next to the answer's code
    kept       names of values of a case that stay here, for `measure`: no answer is handed them
    by_hand    names of functions and classes that an answer must not call, since it is to be done
               by hand, or without them (see helpers/calling/watching.py)
    """

    name: str
    title: str
    points: int
    difficulty: int
    outputs: dict[str, str]
    cases: Callable[[np.random.Generator], list[Case]]
    drive: Driver
    reference: Callable
    against: str
    mistakes: tuple[Mistake, ...]
    tolerance: float = 1e-5
    equal: Callable[[np.ndarray, np.ndarray, float], bool] = equal_arrays
    explain: Callable[[Arrays, Arrays], str] | None = None
    praise: Callable[[Arrays], str] | None = None
    share: Callable[[Arrays, Arrays], float] | None = None
    returned: tuple[str, ...] = ()
    measure: Callable[[Case, Arrays], Arrays] | None = None
    kept: tuple[str, ...] = ()
    by_hand: frozenset[str] = frozenset()

    @property
    def dots(self) -> str:
        """The difficulty, as in "●●○"."""
        return "●" * self.difficulty + "○" * (3 - self.difficulty)

    def handed(self, cases: list[Case]) -> list[Case]:
        """Return cases as they go to where the answer is, without what is kept here."""
        return [{k: v for k, v in case.items() if k not in self.kept} for case in cases]

    @property
    def collected(self) -> tuple[str, ...]:
        """The names of what the driver returns."""
        return self.returned or tuple(self.outputs)


@dataclass(frozen=True)
class Result:
    """What is said about an answer.

    status  "passed", "wrong", "raised" or "not attempted"
    share   of the exercise's points that are earned, 0 to 1
    called  what it called of the functions that were watched
    """

    exercise: Exercise
    status: str
    message: str
    share: float = 0.0
    called: tuple[str, ...] = ()
