"""What an instructor makes of the exercises: leaves some out, weighs others, makes some a bonus.

    bonus = ["remember_first", "●●●"]    count if they are passed, and are not asked for

    [weights]
    rnn_shapes = 0                       left out
    LastStepRNN = 2                      twice its points

Weights are applied to marks that have been given: nothing is graded again for them.
"""

import difflib
import math
import tomllib
from dataclasses import replace
from pathlib import Path

from helpers.exercises import catalogue
from helpers.exercises.contract import Exercise
from solutions.grading.marks import Mark
from solutions.grading.reports.rows import Row
from solutions.grading.reports.table import Unusable

DOTS = {f"{'●' * n}{'○' * (3 - n)}": n for n in (1, 2, 3)}
LARGEST = 100.0


class Weights:
    """What each exercise counts. Without a file each counts its points."""

    def __init__(
        self, factors: dict[str, float] | None = None, bonus: frozenset[str] = frozenset()
    ):
        self.factors, self.bonus = factors or {}, bonus

    def of(self, exercise: Exercise) -> float:
        """Return the points that an exercise can earn."""
        return exercise.points * self.factors.get(exercise.name, 1)

    def possible(self, chapter: int) -> float:
        """Return the points that a chapter asks for, bonuses left out."""
        exercises = catalogue.chapters()[chapter]
        return sum(self.of(e) for e in exercises if e.name not in self.bonus)

    def counted(self, chapter: int) -> list[Exercise]:
        """Return the exercises of a chapter that count."""
        return [e for e in catalogue.chapters()[chapter] if self.factors.get(e.name, 1)]

    def apply(self, rows: list[Row]) -> None:
        """Give marks their weights; drop those that do not count."""
        for row in rows:
            for chapter, marks in row.marks.items():
                counted = [mark for mark in marks if self.factors.get(mark.exercise, 1)]
                row.marks[chapter] = [self._weighed(mark) for mark in counted]

    def _weighed(self, mark: Mark) -> Mark:
        factor, bonus = self.factors.get(mark.exercise, 1), mark.exercise in self.bonus
        return replace(mark, points=mark.points * factor, of=mark.of * factor, bonus=bonus)


def read(path: Path) -> Weights:
    """Return the weights in a file. Raises table.Unusable."""
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unusable(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError as error:
        raise Unusable(f"{path} is no TOML: {error}.") from None
    if more := sorted(given.keys() - {"bonus", "weights"}):
        raise Unusable(f"{path} has {more[0]!r}; there can be `bonus` and [weights].")
    factors, bonus = given.get("weights", {}), given.get("bonus", [])
    if not isinstance(factors, dict) or not isinstance(bonus, list):
        raise Unusable(f"{path}: `bonus` is a list of names, and [weights] a table.")
    for name, factor in factors.items():
        _check_name(name, path)
        number = isinstance(factor, int | float) and not isinstance(factor, bool)
        if not number or not math.isfinite(factor) or not 0 <= factor <= LARGEST:
            raise Unusable(f"{path}: the weight of {name} is {factor!r}; it is 0 to {LARGEST:g}.")
    named = set()
    for name in bonus:
        if name in DOTS or (isinstance(name, str) and set(name) == {"●"} and len(name) <= 3):
            named |= {e.name for e in _exercises() if e.difficulty == name.count("●")}
        else:
            named.add(_check_name(name, path))
    return Weights(dict(factors), frozenset(named))


def _exercises() -> list[Exercise]:
    return [exercise for chapter in catalogue.chapters().values() for exercise in chapter]


def _check_name(name: object, path: Path) -> str:
    """Return the name of an exercise. Raises Unusable for what is none, with the nearest."""
    names = [exercise.name for exercise in _exercises()]
    if isinstance(name, str) and name in names:
        return name
    near = difflib.get_close_matches(str(name), names, n=1)
    meant = f" Is {near[0]} meant?" if near else ""
    raise Unusable(f"{path}: there is no exercise {name!r}.{meant}")
