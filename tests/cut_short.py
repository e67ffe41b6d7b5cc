"""Cuts trainings short, in a kernel that need only show that a chapter runs and can be read.

The kernel imports this module at its start, before the chapter, which therefore cannot see it: the
functions of `helpers.training` go through a few of the items that they are given, what a chapter
defines with a number of epochs gets few of them, and Python's documentation is a third of what it
is. Every chapter is also executed as it stands, once for each
edition, when its outputs are compared.
"""

import functools
import inspect
import itertools

from IPython import get_ipython

from helpers import texts, training
from helpers.exercises import catalogue

MANY, SHARE = 30, 200  # what has more than MANY items is cut to one in SHARE
ROUNDS = 1  # of a range, at most: of epochs, or of evaluations along the way


def first_of(items):
    """Return few of many updates, and of many runs (kind, seed) the first of each kind."""
    if isinstance(items, range):
        return items[:ROUNDS]
    if not isinstance(items, list) or len(items) <= MANY:
        return items
    if isinstance(items, list) and isinstance(items[0][0], str):
        return [next(runs) for _, runs in itertools.groupby(items, key=lambda run: run[0])]
    return items[: len(items) // SHARE + 1]


def cut(function, place):
    """Return a function of `helpers.training` that gets fewer of its items, at this argument."""

    @functools.wraps(function)
    def shorter(*arguments, **settings):
        arguments = list(arguments)
        arguments[place] = first_of(arguments[place])
        return function(*arguments, **settings)

    return shorter


def with_few_epochs(function):
    """Return a function that has a parameter `epochs`, and gets fewer.

    Of a generator's items none is lacking: the last one stands for those that were not made.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def shorter(*arguments, **settings):
        bound = signature.bind(*arguments, **settings)
        bound.apply_defaults()
        asked = bound.arguments["epochs"]
        if asked > MANY:
            bound.arguments["epochs"] //= SHARE
        made = function(*bound.args, **bound.kwargs)
        lacking = asked - bound.arguments["epochs"]
        return with_the_last(made, lacking) if inspect.isgenerator(made) else made

    return shorter


def with_the_last(items, lacking):
    """Yield some items, and the last one as often as there are items lacking."""
    last = None
    for last in items:
        yield last
    yield from itertools.repeat(last, lacking)


def cut_what_was_defined(_):
    """Cut the functions of the chapter that a cell has defined, but for answers."""
    space = get_ipython().user_ns
    answers = {e.name for exercises in catalogue.chapters().values() for e in exercises}
    for name, thing in space.items():
        own = inspect.isfunction(thing) and not hasattr(thing, "__wrapped__")
        if own and name not in answers and "epochs" in inspect.signature(thing).parameters:
            space[name] = with_few_epochs(thing)


get_ipython().events.register("post_run_cell", cut_what_was_defined)
training.fit = cut(training.fit, 1)
training.progress = cut(training.progress, 0)
the_text = texts.python_docs()
texts.python_docs = lambda: the_text[: len(the_text) // 3]
