"""How an answer is called: arrays in, named arrays out.

Everything in this folder may stand beside code that nobody trusts. It knows how an answer is called
and nothing of what is right, and what it returns is arrays and words.

arrays.py      turns what an answer returns into named arrays; calls a plain function
watching.py    sees which functions an answer calls
memory.py      fills memory that was never initialised
models.py      what several chapters hand to an answer: weights, an optimizer, small models
chapter_NN.py  the drivers of one chapter
pipelines.py   what chapter 4 lends to be tested for leaks
writing.py     drivers of chapter 5 for what draws and writes

A driver is a function `(answer, case) -> {name: value}`.
"""

import contextlib
import io
import site
import sysconfig
import traceback
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from helpers.calling.arrays import Case, Given, Misfit, Returned, as_arrays, named
from helpers.calling.memory import filled_with_nan
from helpers.calling.watching import watched

Driver = Callable[[Callable, Given], dict[str, Any] | Returned]


@dataclass(frozen=True)
class Failure:
    """Why an answer gave no outputs.

    kind     "stub": it is still to be written; "raised": it ended in an exception; "misfit": what
             it returned cannot be compared
    message  the exception, or what does not fit, in words
    line     the answer's own line at which an exception was raised, or ""
    """

    kind: str
    message: str
    line: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one answer did on one case: named arrays, or else a failure.

    called   the functions it called, of those that were watched
    changed  the names of arguments that it changed, of those that must stay as they are
    """

    outputs: dict[str, np.ndarray]
    failure: Failure | None = None
    called: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()


def collect(
    name: str,
    answer: Callable,
    drive: Driver,
    names: tuple[str, ...],
    cases: list[Case],
    without: frozenset[str] = frozenset(),
) -> list[Outcome]:
    """Return the outcome of `answer` on every case.

    name     of the exercise: its stub is not an error
    drive    the driver, which calls the answer
    names    the names of what the driver returns
    without  the names of functions that are watched: the answer should not call them

    What the answer prints is shown for the first case only, which is enough to debug with.
    """
    outcomes = []
    for number, case in enumerate(cases):
        quiet = contextlib.redirect_stdout(io.StringIO()) if number else contextlib.nullcontext()
        with quiet, watched(without) as called:
            outcome = _run(name, answer, drive, names, case)
        outcomes.append(replace(outcome, called=frozenset(called)))
    return outcomes


def _run(name: str, answer: Callable, drive: Driver, names: tuple[str, ...], case: Case) -> Outcome:
    given = Given(case)
    try:
        with warnings.catch_warnings(action="ignore"), _gradients_left_on(), filled_with_nan():
            result = drive(answer, given)
            values = named(result.value, *names) if isinstance(result, Returned) else result
            outputs = as_arrays({key: values[key] for key in names})
            return Outcome(outputs, changed=given.changed())
    except Misfit as misfit:
        return Outcome({}, Failure("misfit", str(misfit)))
    except BaseException as error:  # an answer may exit, too, or be interrupted
        return Outcome({}, _failure(name, error))


@contextlib.contextmanager
def _gradients_left_on() -> Iterator[None]:
    """Restore the recording of gradients, and raise Misfit if an answer has switched it off."""
    before = torch.is_grad_enabled()
    try:
        yield
    finally:
        after = torch.is_grad_enabled()
        torch.set_grad_enabled(before)
    if before != after:
        raise Misfit(
            "Gradients stay switched off for everything that follows, so nothing would learn any "
            "more. Use `with torch.no_grad():`, which ends with its block."
        )


def _failure(name: str, error: BaseException) -> Failure:
    """Return an exception as a failure; the stub of the exercise `name` is not a mistake."""
    frames = list(traceback.walk_tb(error.__traceback__))
    raised_in = frames[-1][0].f_code.co_qualname.rpartition("<locals>.")[2]
    by_the_answer = raised_in == name or raised_in.startswith(name + ".")  # a function, or a method
    if isinstance(error, NotImplementedError) and by_the_answer:
        return Failure("stub", str(error))
    text = str(error).strip() or "(no message)"
    return Failure("raised", f"{type(error).__name__}: {text}", _line_of_the_answer(error))


def _line_of_the_answer(error: BaseException) -> str:
    """Return the last line of the traceback that is neither a library's nor the course's."""
    folders = [
        sysconfig.get_paths()["stdlib"],
        *site.getsitepackages(),
        site.getusersitepackages(),
        str(Path(__file__).parents[1]),
    ]
    libraries = tuple(map(str, folders))
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((*libraries, "<frozen", "<__array"))
    ]
    return f"{frames[-1].line}  (in {frames[-1].name})" if frames and frames[-1].line else ""
