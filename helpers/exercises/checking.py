"""How an answer is checked: the exercise contract and the one way through it.

An exercise is data (`Exercise`): random cases, a driver that runs an answer on a case, a trusted
reference, and a bank of known mistakes. Everything that can be handed in - the student's object,
the reference, each mistake - is an *answer*, and all answers go the same way:

    cases --collect(answer)--> outcomes --judge--> Result

`collect` only runs code and records arrays (running.py); `judge` only compares arrays. They share
no state, so that a grader can collect in a sandbox and judge outside it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.exercises import diagnosis, running
from helpers.exercises.cards import Card
from helpers.exercises.running import Case, Failure, Outcome


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

    name       the student's function or class must carry this name
    outputs    what is compared: name -> its dimensions ("B T H"; "" for a scalar)
    cases      rng -> a list of cases; a case maps argument names to arrays, numbers or strings
    drive      (answer, case) -> the values of `outputs` (or `returned`), in order (see drivers.py)
    reference  the trusted answer: the oracle of the check, and what the chapter runs on meanwhile
    against    the trusted implementation, in words
    tolerance  largest difference that counts as equal: absolute, and ten times it relative
    same       (got, expected, tolerance) -> bool; another test of equality where values are random
    explain    (got, expected) -> str; another diagnosis than the first place where they differ
    share      (got, expected) -> the part of the points, 0 to 1, that a wrong answer still earns
    returned   names of what the driver returns, if that is not what is compared but measured first
    measure    (case, what the driver returned) -> the outputs: here, not next to the answer's code
    """

    name: str
    title: str
    points: int
    outputs: dict[str, str]
    cases: Callable[[np.random.Generator], list[Case]]
    drive: Callable[[Callable, Case], tuple]
    reference: Callable
    against: str
    mistakes: tuple[Mistake, ...]
    tolerance: float = 1e-5
    same: Callable[[np.ndarray, np.ndarray, float], bool] = diagnosis.close
    explain: Callable[[dict, dict], str] | None = None
    share: Callable[[dict, dict], float] | None = None
    returned: tuple[str, ...] = ()
    measure: Callable[[Case, dict], dict] | None = None


@dataclass(frozen=True)
class Result:
    """What is said about an answer. status: "passed", "wrong", "raised" or "not attempted".

    share: of the exercise's points that are earned, 0 to 1
    """

    exercise: Exercise
    status: str
    message: str
    share: float = 0.0


def collect(exercise: Exercise, answer: Callable, cases: list[Case]) -> list[Outcome]:
    """Return the outcome of `answer` on every case of an exercise."""
    names = exercise.returned or tuple(exercise.outputs)
    outcomes = running.collect(exercise.name, answer, exercise.drive, names, cases)
    return measured(exercise, cases, outcomes)


def measured(exercise: Exercise, cases: list[Case], outcomes: list[Outcome]) -> list[Outcome]:
    """Return outcomes as they are compared: for most exercises as they are."""
    if exercise.measure is None:
        return outcomes
    return [
        outcome if outcome.failure else Outcome(exercise.measure(case, outcome.outputs))
        for case, outcome in zip(cases, outcomes, strict=True)
    ]


def judge(exercise: Exercise, cases: list[Case], outcomes: list[Outcome]) -> Result:
    """Return what is to be said about an answer whose outcomes on `cases` were collected."""
    for outcome in outcomes:
        if outcome.failure and outcome.failure.kind == "stub":
            return not_attempted(exercise)

    def same(a: Outcome, b: Outcome) -> bool:
        return _same(exercise, a, b)

    expected = collect(exercise, exercise.reference, cases)
    pairs = list(zip(cases, outcomes, expected, strict=True))
    first = next((pair for pair in pairs if not same(*pair[1:])), None)
    if first is None:
        return Result(
            exercise,
            "passed",
            f"Equal to {exercise.against}"
            + (f" on {len(cases)} random cases" if len(cases) > 1 else "")
            + ". From here on the chapter runs on your code.",
            share=1.0,
        )
    case, got, wanted = first
    where = _where(exercise, case, got, wanted)
    share = exercise.share(got.outputs, wanted.outputs) if exercise.share and got.outputs else 0.0
    for mistake in exercise.mistakes:
        ways = (collect(exercise, way, cases) for way in (mistake.answer, *mistake.also))
        if any(_recognised(exercise, outcomes, theirs) for theirs in ways):
            words = [mistake.message, *([] if where == mistake.message else [where])]
            return Result(exercise, "wrong", "\n".join(words), share)
    raised = got.failure is not None and got.failure.kind == "raised"
    return Result(exercise, "raised" if raised else "wrong", where, share)


def _same(exercise: Exercise, a: Outcome, b: Outcome) -> bool:
    if a.failure or b.failure:
        return a.failure is not None and b.failure is not None and _alike(a.failure, b.failure)
    return all(
        exercise.same(a.outputs[name], b.outputs[name], exercise.tolerance)
        for name in exercise.outputs
    )


def _alike(a: Failure, b: Failure) -> bool:
    """Whether two failures are of the same kind and exception; their wording may differ."""
    return a.kind == b.kind and a.message.split(":")[0] == b.message.split(":")[0]


def _recognised(exercise: Exercise, outcomes: list[Outcome], theirs: list[Outcome]) -> bool:
    """Whether an answer did on every case what a known mistake does.

    Failing alike says little, so at least one case must agree in its values or in its exact words.
    """
    pairs = list(zip(outcomes, theirs, strict=True))
    strong = any(
        (a.failure and a.failure.message) == (b.failure and b.failure.message) for a, b in pairs
    )
    return strong and all(_same(exercise, a, b) for a, b in pairs)


def _where(exercise: Exercise, case: Case, got: Outcome, wanted: Outcome) -> str:
    """Return in which case, output, index and time step an answer departs, in words."""
    if got.failure:
        line = f"Your line: `{got.failure.line}`" if got.failure.line else ""
        words = [got.failure.message, line]
    elif exercise.explain:
        words = [exercise.explain(got.outputs, wanted.outputs)]
    else:
        words = [
            diagnosis.localise(exercise.outputs, got.outputs, wanted.outputs, exercise.tolerance)
        ]
    setting = diagnosis.describe(case)
    return "\n".join(filter(None, [*words, setting and f"Case: {setting}."]))


def not_attempted(exercise: Exercise, again: bool = False) -> Result:
    """Return the result of an exercise that is still open.

    again: the check was handed its own reference, because only its line was run once more.
    """
    message = (
        "Put your code in place of the `raise` line above, run that cell, then run this line again."
    )
    if again:
        message = (
            "This is the course's reference, not your answer, so the exercise is still open. "
            "Run the cell above again, then this line."
        )
    return Result(
        exercise, "not attempted", f"{message} Until then the chapter runs on a reference."
    )


def examine(answer: Any, exercise: Exercise | str | None = None, seed: int | None = None) -> Result:
    """Return the `Result` of an answer, without showing anything.

    exercise  an exercise or its name; by default the one that `answer.__name__` names
    seed      of the random cases; fresh ones at each call by default

    Raises LookupError if there is no such exercise. torch's and NumPy's global random states are
    left as they were.
    """
    import torch

    from helpers.exercises import catalogue

    if not isinstance(exercise, Exercise):
        exercise = catalogue.find(exercise or getattr(answer, "__name__", None))
    if answer is exercise.reference:
        return not_attempted(exercise, again=True)
    cases = exercise.cases(np.random.default_rng(seed))
    numpy_state = np.random.get_state()  # noqa: NPY002 - an answer may use the global generator
    with torch.random.fork_rng(devices=[]):
        result = judge(exercise, cases, collect(exercise, answer, cases))
    np.random.set_state(numpy_state)  # noqa: NPY002
    return result


def check(answer: Any) -> Any:
    """Show a card about `answer` and return what the chapter goes on with. Never raises.

    Returns `answer` itself when it passes; otherwise a reference built on PyTorch's own modules, so
    that the cells below run at any stage of completion.
    """
    from IPython.display import display

    try:
        result = examine(answer)
    except LookupError as error:
        print(error.args[0], file=sys.stderr)
        return answer
    display(Card(result))
    return answer if result.status == "passed" else result.exercise.reference
