"""Which known mistakes an answer makes: one that explains all of it, or several, by output.

A mistake is recognised by what comes out. That is told only if it leaves no doubt: a mistake that
shows in several outputs is found in each of them, and what looks alike is alike in proportion to
what sets the mistake apart from the right answer.
"""

import itertools
import re
from collections.abc import Callable

import numpy as np

from helpers.calling import Failure, Outcome
from helpers.exercises import relations
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.equality import equal_arrays
from helpers.exercises.known import Known

ALIKE = 0.05  # of the distance between a mistake's output and the right one
IN_SIZE = 1e-3  # of the largest number in a mistake's output
RAISES = re.compile(r"\b(raise|assert)\b")


def equal(exercise: Exercise, a: Outcome, b: Outcome) -> bool:
    """Return whether two outcomes are equal: in every output, or in how they fail."""
    if a.failure or b.failure:
        return _equal_failures(a.failure, b.failure)
    return a.changed == b.changed and all(equal_in(exercise, n, a, b) for n in exercise.outputs)


def equal_in(exercise: Exercise, name: str, a: Outcome, b: Outcome) -> bool:
    """Return whether two outcomes without failure are equal in one output."""
    return exercise.equal(a.outputs[name], b.outputs[name], exercise.tolerance)


def _equal_failures(a: Failure | None, b: Failure | None) -> bool:
    """Return whether both are failures, of one kind and exception; their wording may differ."""
    if a is None or b is None:
        return False
    return a.kind == b.kind and a.message.split(":")[0] == b.message.split(":")[0]


def the_mistake(known: Known, outcomes: list[Outcome]) -> Mistake | None:
    """Return the known mistake that explains an answer on every case and in every output.

    Where several do, since small differences do not count, it is the one without any.
    """
    fitting = []
    for mistake in known.exercise.mistakes:
        for way in _ways(mistake):
            if _explains_all(known, outcomes, way):
                if _identical(outcomes, known.of(way)):
                    return mistake
                fitting.append(mistake)
    return fitting[0] if fitting else None


def _identical(outcomes: list[Outcome], theirs: list[Outcome]) -> bool:
    """Return whether all outputs are equal to the last digit."""
    return all(
        np.array_equal(a.outputs.get(name, ()), value)
        for a, b in zip(outcomes, theirs, strict=True)
        for name, value in b.outputs.items()
    )


def mistakes_by_output(known: Known, outcomes: list[Outcome]) -> tuple[list[Mistake], set[str]]:
    """Return the mistakes that explain single outputs, and which outputs they explain.

    First come mistakes that are found wherever they show, two that explain everything before
    others. What then remains is a mistake's if its output is the one of no other. An output that is
    the same in every case, a flag, says too little by itself: it is believed only where nothing is
    left to be explained.
    """
    exercise = known.exercise
    found: list[Mistake] = []
    explained: set[str] = set()
    if any(outcome.failure for outcome in outcomes):
        return found, explained
    wrong = [n for n in exercise.outputs if departing(known, outcomes, known.expected, n)]
    candidates = [
        (mistake, shows, matched)
        for mistake in exercise.mistakes
        for way in _ways(mistake)
        if known.shows(way) <= set(wrong)
        for shows, matched in [_match(known, outcomes, way)]
        if matched
    ]
    whole = [(mistake, shows) for mistake, shows, matched in candidates if shows == matched]
    covering = (
        two
        for two in itertools.combinations(whole, 2)
        if not two[0][1] & two[1][1] and two[0][1] | two[1][1] == set(wrong)
    )
    for mistake, shows in next(covering, ()):
        found.append(mistake)
        explained |= shows
    for name in wrong:
        fitting = [pair for pair in whole if name in pair[1] and not pair[1] & explained]
        if name not in explained and fitting:
            mistake, shows = max(fitting, key=lambda pair: len(pair[1]))
            found.append(mistake)
            explained |= shows
    for name in [] if exercise.measure else wrong:  # of measured facts one says too little
        alone = {m.message: m for m, _, matched in candidates if name in matched}
        if name not in explained and len(alone) == 1 and _varies(name, outcomes):
            found += [m for m in alone.values() if m not in found]
            explained.add(name)
    if explained < set(wrong) and not any(_varies(name, outcomes) for name in explained):
        return [], set()
    return found, explained


def mistake_in_disguise(
    known: Known, outcomes: list[Outcome], explained: set[str]
) -> tuple[Mistake, str, set[str]] | None:
    """Return the one mistake that outputs show but for their axes or order; how; these outputs.

    Where a slip leaves the numbers as they are, another one may still be seen in them.

    explained: outputs that are passed over
    """
    exercise, expected = known.exercise, known.expected
    failed = any(outcome.failure for outcome in outcomes)
    if failed or exercise.equal is not equal_arrays:
        return None
    axes = {name: dimensions.split() for name, dimensions in exercise.outputs.items()}
    unclear = {
        name
        for name in axes.keys() - explained
        if (pairs := departing(known, outcomes, expected, name))
        and not relations.in_words(pairs, axes[name])
    }
    found = {}
    for mistake in exercise.mistakes if unclear else ():
        theirs = known.of(mistake.answer)
        shows, matched = _match(known, outcomes, mistake.answer)
        disguised = shows - matched
        if disguised and disguised <= unclear and _in_shape(disguised, theirs, expected):
            ways = {
                relations.to_a_mistake(departing(known, outcomes, theirs, name), axes[name])
                for name in disguised
            }
            if len(ways) == 1 and ways != {""}:
                found[mistake.message] = mistake, ways.pop(), disguised
    return next(iter(found.values())) if len(found) == 1 else None


def _in_shape(names: set[str], some: list[Outcome], others: list[Outcome]) -> bool:
    return all(
        a.outputs[name].shape == b.outputs[name].shape
        for a, b in zip(some, others, strict=True)
        for name in names
    )


def departing(
    known: Known, outcomes: list[Outcome], others: list[Outcome], name: str
) -> list[relations.Pair]:
    """Return an output of both and the case, where both have the output and it is not equal."""
    return [
        relations.Pair(a.outputs[name], b.outputs[name], case)
        for a, b, case in zip(outcomes, others, known.cases, strict=True)
        if not (a.failure or b.failure or equal_in(known.exercise, name, a, b))
    ]


def _ways(mistake: Mistake) -> tuple[Callable, ...]:
    return mistake.answer, *mistake.also


def _explains_all(known: Known, outcomes: list[Outcome], way: Callable) -> bool:
    """Return whether an answer did on every case what a known mistake does.

    Failing alike says little, so of the cases in which the mistake shows at least one must agree in
    its values or in its exact words, if these are not the answer's own.
    """
    e, expected = known.exercise, known.expected
    for case, (a, right) in enumerate(zip(outcomes, expected, strict=True)):
        b = known.on(case, way)  # the first case at which they part ends it
        if a.failure or b.failure:
            alike = _equal_failures(a.failure, b.failure)
        else:
            alike = a.changed == b.changed and all(_alike(e, n, a, b, right) for n in e.outputs)
        if not alike:
            return False
    return any(
        (a.failure and a.failure.message) == (b.failure and b.failure.message)
        or (a.failure and RAISES.search(a.failure.line))
        for a, b, right in zip(outcomes, known.of(way), expected, strict=True)
        if not equal(e, b, right)
    )


def _match(known: Known, outcomes: list[Outcome], way: Callable) -> tuple[set[str], set[str]]:
    """Return the outputs in which a known mistake shows, and those in which the answer is alike."""
    shows = known.shows(way)
    triples = list(zip(outcomes, known.of(way), known.expected, strict=True))
    return shows, {n for n in shows if all(_alike(known.exercise, n, *t) for t in triples)}


def _varies(name: str, outcomes: list[Outcome]) -> bool:
    """Return whether an output is more than a flag, the same in every case."""
    first = outcomes[0].outputs[name]
    return any(not equal_arrays(o.outputs[name], first, 0.0) for o in outcomes[1:])


def _alike(exercise: Exercise, name: str, mine: Outcome, theirs: Outcome, right: Outcome) -> bool:
    """Return whether an output is a known mistake's, in proportion to what makes it a mistake."""
    if not equal_in(exercise, name, mine, theirs):
        return False
    got, known = mine.outputs[name], theirs.outputs[name]
    if exercise.equal is not equal_arrays or equal_in(exercise, name, theirs, right):
        return True
    near, size = _largest(got, known), _largest(known, np.zeros(1))
    expected = right.outputs.get(name, np.zeros(()))
    far = _largest(known, expected) if known.shape == expected.shape else np.inf
    return near == 0 or near <= min(ALIKE * far, IN_SIZE * size)


def _largest(a: np.ndarray, b: np.ndarray) -> float:
    """Return the largest difference of two arrays, where both are finite."""
    with np.errstate(all="ignore"):
        apart = np.abs(np.asarray(a, dtype=float) - np.asarray(b, dtype=float))
    return float(np.max(apart, initial=0.0, where=np.isfinite(apart)))
