"""The two ways to have an answer checked: `check` in a notebook, `examine` in a program.

A session, that is a notebook's kernel, keeps the last result of each exercise, for `points`.
"""

import sys
from typing import Any

import numpy as np
import torch
from IPython.display import display

from helpers.exercises import catalogue
from helpers.exercises.cards import Card
from helpers.exercises.contract import Exercise, Result
from helpers.exercises.judging import judge, not_attempted
from helpers.exercises.known import Known, ReferenceFailed

_last: dict[str, Result] = {}  # the name of an exercise -> what was last said about an answer to it


def examine(answer: Any, exercise: Exercise | str | None = None, seed: int | None = None) -> Result:
    """Return the `Result` of an answer, without showing anything.

    exercise  an exercise or its name; by default the one that `answer.__name__` names
    seed      of the random cases; fresh ones at each call by default

    Raises LookupError if there is no such exercise. torch's and NumPy's global random states are
    left as they were.
    """
    if not isinstance(exercise, Exercise):
        exercise = catalogue.find(exercise or getattr(answer, "__name__", None))
    if answer is exercise.reference:
        return not_attempted(exercise, again=True)
    numpy_state = np.random.get_state()  # noqa: NPY002 - an answer may use the global generator
    with torch.random.fork_rng(devices=[]):
        known = Known(exercise, exercise.cases(np.random.default_rng(seed)))
        result = judge(known, known.collected(answer, exercise.by_hand))
    np.random.set_state(numpy_state)  # noqa: NPY002
    return result


def check(answer: Any) -> Any:
    """Show a card about `answer` and return what the chapter goes on with. Never raises.

    Returns `answer` itself when it passes; otherwise the exercise's reference, so that the cells
    below run at any stage of completion.
    """
    try:
        result = examine(answer)
    except (LookupError, ReferenceFailed) as error:
        print(error.args[0], file=sys.stderr)
        return answer
    _last[result.exercise.name] = result
    display(Card(result))
    return answer if result.status == "passed" else result.exercise.reference


def points() -> None:
    """Print in a line what of the chapter is passed, the points, and what is open. Never raises.

    It is the chapter of the exercises that were checked in this session.
    """
    chapters = {
        number: exercises
        for number, exercises in catalogue.chapters().items()
        if any(exercise.name in _last for exercise in exercises)
    }
    if not chapters:
        print("No exercise was checked yet: run the cells above first.")
    for number, exercises in chapters.items():
        print(line_of_points(number, [_last[e.name] for e in exercises if e.name in _last]))


def line_of_points(number: int, results: list[Result]) -> str:
    """Return the line about a chapter, of whose exercises some have a result."""
    exercises = catalogue.chapters()[number]
    passed = {result.exercise.name for result in results if result.status == "passed"}
    earned = sum(result.share * result.exercise.points for result in results)
    still_open = [exercise.name for exercise in exercises if exercise.name not in passed]
    return (
        f"Chapter {number}: {len(passed)} of {len(exercises)} exercises passed, {earned:.3g} of "
        f"{sum(exercise.points for exercise in exercises)} points."
        + f" Open: {', '.join(still_open)}."
        * bool(still_open)
    )
