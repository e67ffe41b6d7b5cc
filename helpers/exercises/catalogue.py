"""Finds an exercise by name: every `chapter_NN.py` beside this file is in the catalogue."""

import functools
import importlib
import pkgutil

from helpers import exercises


@functools.cache
def chapters() -> dict[int, tuple]:
    """Return chapter number -> its exercises, in the order in which the chapter asks for them."""
    names = sorted(m.name for m in pkgutil.iter_modules(exercises.__path__) if "chapter_" in m.name)
    modules = {name: importlib.import_module(f"helpers.exercises.{name}") for name in names}
    return {
        int(name.removeprefix("chapter_")): module.EXERCISES for name, module in modules.items()
    }


def find(name: object):
    """Return the exercise called `name`. Raises LookupError that lists the names there are."""
    by_name = {exercise.name: exercise for chapter in chapters().values() for exercise in chapter}
    if not isinstance(name, str) or name not in by_name:
        called = f"called {name!r}" if isinstance(name, str) else "for this object"
        raise LookupError(
            f"There is no exercise {called}. Hand `check` the function or class itself, under the "
            f"name that the chapter gives it (not its result, not a lambda): {', '.join(by_name)}."
        )
    return by_name[name]
