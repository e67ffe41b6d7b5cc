"""Judges an answer by its outcomes: equal to the reference, a known mistake, or wrong somewhere."""

from collections.abc import Callable
from dataclasses import replace

from helpers.calling import Failure, Outcome
from helpers.exercises import diagnosis, exceptions, recognition
from helpers.exercises.contract import Exercise, Result
from helpers.exercises.known import Known, ReferenceFailed

MORE_THAN_ONE = "More than one thing is wrong."
RUNS_ON = " From here on the chapter runs on your code."
CHANGED = "Your function changed its argument {} in place: make a new one."


def as_it_is(failure: Failure) -> Failure:
    """Return a failure with all its words."""
    return failure


def judge(
    known: Known, outcomes: list[Outcome], told: Callable[[Failure], Failure] = as_it_is
) -> Result:
    """Return what is to be said about an answer whose outcomes on the cases were collected.

    told: what is to be told of a failure, whose words may be anybody's

    Outcomes may hold anything, so an answer that an exercise's own functions choke on is wrong.
    Raises ReferenceFailed.
    """
    called = frozenset().union(*(outcome.called for outcome in outcomes))
    try:
        result = _judge(known, known.measured(outcomes), told)
    except ReferenceFailed:
        raise
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
    exercise = known.exercise
    if any(outcome.failure and outcome.failure.kind == "stub" for outcome in outcomes):
        return not_attempted(exercise)
    pairs = zip(outcomes, known.expected, strict=True)
    departs = [not recognition.equal(exercise, got, wanted) for got, wanted in pairs]
    if not any(departs):
        random_cases = f" on {len(outcomes)} random cases" if len(outcomes) > 1 else ""
        message = f"Equal to {exercise.against}{random_cases}."
        if exercise.praise:
            message = exercise.praise(outcomes[0].outputs)
        return Result(exercise, "passed", f"{message}{RUNS_ON}", share=1.0)
    first = departs.index(True)
    got = outcomes[first]
    share = min(
        exercise.share(mine.outputs, right.outputs) if exercise.share and mine.outputs else 0.0
        for mine, right, wrong in zip(outcomes, known.expected, departs, strict=True)
        if wrong
    )
    mistake, explained = recognition.the_mistake(known, outcomes), set[str]()
    found = [mistake] if mistake else []
    if not mistake:
        found, explained = recognition.mistakes_by_output(known, outcomes)
    words = [mistake.message for mistake in found]
    if not mistake and (besides := recognition.mistake_in_disguise(known, outcomes, explained)):
        disguised, how, names = besides
        name = next(name for name in exercise.outputs if name in names)
        words += [w for w in (disguised.message, f"`{name}`: {how}") if w not in words]
        explained |= names
    if not mistake and (changed := frozenset().union(*(o.changed for o in outcomes))):
        words.append(CHANGED.format(" and ".join(f"`{name}`" for name in sorted(changed))))
    words = [MORE_THAN_ONE] * (len(words) > 1) + words
    where = _where(known, outcomes, first, explained, told)
    known_sentences = {m.message for m in exercise.mistakes} if words else set()
    words += [
        line
        for line in where
        if line not in known_sentences and not any(line in said for said in words)
    ]
    raised = got.failure is not None and got.failure.kind == "raised" and not found
    return Result(exercise, "raised" if raised else "wrong", "\n".join(words), share)


def _where(
    known: Known,
    outcomes: list[Outcome],
    first: int,
    explained: set[str],
    told: Callable[[Failure], Failure],
) -> list[str]:
    """Return lines that say where an answer goes wrong, on the case `first` or by all of them.

    explained: the outputs of which nothing more needs to be said
    """
    exercise, got, wanted = known.exercise, outcomes[first], known.expected[first]
    if got.failure:
        failure = told(got.failure)
        lines = [failure.message, f"Your line: `{failure.line}`" if failure.line else ""]
        lines.append(exceptions.explained(got.failure.message))
    else:
        lines, in_case = _localised(known, outcomes, explained)
        if explained:
            first = in_case
        elif lines and exercise.explain:
            lines = exercise.explain(got.outputs, wanted.outputs).splitlines() or lines
    handed = exercise.handed(known.cases)[first]  # an answer's author knows of nothing else
    setting = diagnosis.describe(handed) if lines else ""
    return list(filter(None, [*lines, setting and f"Case: {setting}."]))


def _localised(known: Known, outcomes: list[Outcome], explained: set[str]) -> tuple[list[str], int]:
    """Return what the general diagnosis says of the first output that is wrong, and of which case.

    explained: outputs that are passed over; if no other is wrong, nothing is said
    """
    exercise = known.exercise
    cases = range(len(outcomes))
    for case in cases:
        for name, axes in exercise.outputs.items():
            pair = outcomes[case], known.expected[case]
            if pair[0].failure or name in explained or recognition.equal_in(exercise, name, *pair):
                continue
            others = recognition.departing(known, outcomes, known.expected, name)
            arrays = pair[0].outputs[name], pair[1].outputs[name]
            return [diagnosis.localise(name, axes, *arrays, exercise.tolerance, others)], case
    return [], 0
