"""Finds exercises: the folders `chapter_NN` beside this file are the chapters."""

import functools
import importlib
from pathlib import Path

from helpers.exercises.contract import Exercise


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
    """Return the exercise called `name`. Raises a LookupError that lists all names."""
    by_name = {exercise.name: exercise for chapter in chapters().values() for exercise in chapter}
    if not isinstance(name, str) or name not in by_name:
        called = f"called {name!r}" if isinstance(name, str) else "for this object"
        raise LookupError(
            f"There is no exercise {called}. Hand `check` the function or class itself, under the "
            f"name that the chapter gives it (not its result, not a lambda): {', '.join(by_name)}."
        )
    return by_name[name]
