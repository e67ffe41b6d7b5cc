"""Finds exercises: the folders `chapter_NN` beside this file are the chapters."""

import difflib
import functools
import importlib
from pathlib import Path
from typing import NamedTuple

from helpers.exercises.contract import Exercise


class Former(NamedTuple):
    """An exercise of an older edition: its chapter, and the one that took its place, or ""."""

    chapter: int
    now: str = ""


FORMERLY = {"SimpleRNN": Former(1), "build_vocab": Former(5), "decode": Former(5)}
HAND_OVER = (
    "Hand `check` the function or class itself, under the name that the chapter gives it (not its "
    "result, not a lambda)."
)


@functools.cache
def chapters() -> dict[int, tuple[Exercise, ...]]:
    """Return chapter number -> its exercises, in the order in which the chapter asks for them."""
    folders = sorted(path.name for path in Path(__file__).parent.glob("chapter_*"))
    return {int(folder.removeprefix("chapter_")): _exercises_in(folder) for folder in folders}


def _exercises_in(folder: str) -> tuple[Exercise, ...]:
    package = f"{__package__}.{folder}"
    order = importlib.import_module(package).ORDER
    return tuple(importlib.import_module(f"{package}.{name}").EXERCISE for name in order)


def find(name: object) -> Exercise:
    """Return the exercise called `name`. Raises a LookupError that says what to do instead."""
    by_name = {exercise.name: exercise for chapter in chapters().values() for exercise in chapter}
    if not isinstance(name, str):
        raise LookupError(f"There is no exercise for this object. {HAND_OVER}")
    if name in FORMERLY:
        new = FORMERLY[name].now
        instead = f"`{new}` has taken its place" if new else "nothing has taken its place"
        raise LookupError(
            f"This notebook is of an older edition: in this one there is no exercise `{name}`, and "
            f"{instead}. Your own code stays in use, unchecked."
        )
    if name not in by_name:
        near = difflib.get_close_matches(name, by_name, n=1)
        meant = f" Is `{near[0]}` meant?" if near else ""
        raise LookupError(
            f"There is no exercise called `{name}`.{meant} {HAND_OVER} It stays in use, unchecked."
        )
    return by_name[name]
