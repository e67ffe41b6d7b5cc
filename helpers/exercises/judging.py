"""Judges an answer by its outcomes: equal to the reference, a known mistake, or wrong somewhere."""

from collections.abc import Callable
from dataclasses import replace

from helpers.calling import Failure, Outcome
from helpers.calling.arrays import Case
from helpers.exercises import diagnosis
from helpers.exercises.contract import Exercise, Result
from helpers.exercises.known import Known


def as_it_is(failure: Failure) -> Failure:
    """Return a failure with all its words."""
    return failure


def judge(
    known: Known, outcomes: list[Outcome], told: Callable[[Failure], Failure] = as_it_is
) -> Result:
    """Return what is to be said about an answer whose outcomes on the cases were collected.

    told: what is to be told of a failure, whose words may be anybody's

    Outcomes may hold anything, so an answer that an exercise's own functions choke on is wrong.
    """
    called = frozenset().union(*(outcome.called for outcome in outcomes))
    try:
        result = _judge(known, known.measured(outcomes), told)
    except Exception as error:
        misfit = Outcome({}, Failure("misfit", f"The answer cannot be compared: {error}"))
        result = _judge(known, [misfit] * len(outcomes), told)
    return replace(result, called=tuple(sorted(called)))


def not_attempted(exercise: Exercise, again: bool = False) -> Result:
    """Return the result of an exercise that is still open.

    again: the check was handed its own reference, because only its line was run once more
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


def _judge(known: Known, outcomes: list[Outcome], told: Callable[[Failure], Failure]) -> Result:
    exercise, cases = known.exercise, known.cases
    if any(outcome.failure and outcome.failure.kind == "stub" for outcome in outcomes):
        return not_attempted(exercise)
    triples = zip(cases, outcomes, known.expected, strict=True)
    first = next((t for t in triples if not _equal(exercise, *t[1:])), None)
    if first is None:
        random_cases = f" on {len(cases)} random cases" if len(cases) > 1 else ""
        message = f"Equal to {exercise.against}{random_cases}."
        return Result(
            exercise, "passed", f"{message} From here on the chapter runs on your code.", share=1.0
        )
    case, got, wanted = first
    where = _where(exercise, case, got, wanted, told)
    share = exercise.share(got.outputs, wanted.outputs) if exercise.share and got.outputs else 0.0
    for mistake in exercise.mistakes:
        ways = (known.of(way) for way in (mistake.answer, *mistake.also))
        if any(_all_equal(exercise, outcomes, theirs) for theirs in ways):
            words = [mistake.message, *([] if where == mistake.message else [where])]
            return Result(exercise, "wrong", "\n".join(words), share)
    raised = got.failure is not None and got.failure.kind == "raised"
    return Result(exercise, "raised" if raised else "wrong", where, share)


def _equal(exercise: Exercise, a: Outcome, b: Outcome) -> bool:
    """Return whether two outcomes are equal: in every output, or in how they fail."""
    if a.failure or b.failure:
        return _equal_failures(a.failure, b.failure)
    return all(
        exercise.equal(a.outputs[name], b.outputs[name], exercise.tolerance)
        for name in exercise.outputs
    )


def _equal_failures(a: Failure | None, b: Failure | None) -> bool:
    """Return whether both are failures, of one kind and exception; their wording may differ."""
    if a is None or b is None:
        return False
    return a.kind == b.kind and a.message.split(":")[0] == b.message.split(":")[0]


def _all_equal(exercise: Exercise, outcomes: list[Outcome], theirs: list[Outcome]) -> bool:
    """Return whether an answer did on every case what a known mistake does.

    Failing alike says little, so at least one case must agree in its values or in its exact words.
    """
    pairs = list(zip(outcomes, theirs, strict=True))
    telling = any(
        (a.failure and a.failure.message) == (b.failure and b.failure.message) for a, b in pairs
    )
    return telling and all(_equal(exercise, a, b) for a, b in pairs)


def _where(
    exercise: Exercise,
    case: Case,
    got: Outcome,
    wanted: Outcome,
    told: Callable[[Failure], Failure],
) -> str:
    """Return in which case, output, index and time step an answer goes wrong, in words."""
    if got.failure:
        failure = told(got.failure)
        words = [failure.message, f"Your line: `{failure.line}`" if failure.line else ""]
    else:
        explained = exercise.explain(got.outputs, wanted.outputs) if exercise.explain else ""
        words = [explained or _localised(exercise, got, wanted)]
    setting = diagnosis.describe(case)
    return "\n".join(filter(None, [*words, setting and f"Case: {setting}."]))


def _localised(exercise: Exercise, got: Outcome, wanted: Outcome) -> str:
    return diagnosis.localise(exercise.outputs, got.outputs, wanted.outputs, exercise.tolerance)
