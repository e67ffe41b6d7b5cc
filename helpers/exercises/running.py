"""Runs an answer on cases: the half of a check that can stand beside code nobody trusts.

It knows nothing of what is right, and what it returns is arrays and words.
"""

import contextlib
import io
import site
import sysconfig
import traceback
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.exercises.drivers import Misfit, as_arrays, gradients_left_on

Case = dict[str, Any]


@dataclass(frozen=True)
class Failure:
    """Why an answer gave no outputs: kind is "stub", "raised" or "misfit"."""

    kind: str
    message: str
    line: str = ""


@dataclass(frozen=True)
class Outcome:
    """What one answer did on one case: arrays named by `Exercise.outputs`, or a failure."""

    outputs: dict[str, np.ndarray] | None = None
    failure: Failure | None = None


def collect(
    name: str, answer: Callable, drive: Callable, outputs: tuple[str, ...], cases: list[Case]
) -> list[Outcome]:
    """Return the outcome of `answer` on every case.

    name     of the exercise: whose stub is no error
    drive    (answer, case) -> the values of `outputs`, in order

    Only what the first case prints is let through: one case is enough to debug with.
    """
    outcomes = []
    for number, case in enumerate(cases):
        quiet = contextlib.redirect_stdout(io.StringIO()) if number else contextlib.nullcontext()
        with quiet:
            outcomes.append(_run(name, answer, drive, outputs, case))
    return outcomes


def _run(
    name: str, answer: Callable, drive: Callable, outputs: tuple[str, ...], case: Case
) -> Outcome:
    fresh = {key: v.copy() if isinstance(v, np.ndarray) else v for key, v in case.items()}
    try:
        with warnings.catch_warnings(action="ignore"), gradients_left_on():
            return Outcome(outputs=as_arrays(drive(answer, fresh), outputs))
    except Misfit as misfit:
        return Outcome(failure=Failure("misfit", str(misfit)))
    except (Exception, KeyboardInterrupt, SystemExit) as error:
        return Outcome(failure=_failure(name, error))


def _failure(name: str, error: BaseException) -> Failure:
    frames = list(traceback.walk_tb(error.__traceback__))
    raised_in = frames[-1][0].f_code.co_qualname.rpartition("<locals>.")[2]
    own = raised_in == name or raised_in.startswith(name + ".")
    if isinstance(error, NotImplementedError) and own:
        return Failure("stub", str(error))
    text = str(error).strip() or "(no message)"
    return Failure("raised", f"{type(error).__name__}: {text}", _own_line(error))


def _own_line(error: BaseException) -> str:
    """Return the last line of the traceback that is neither a library's nor ours."""
    libraries = [
        sysconfig.get_paths()["stdlib"],
        *site.getsitepackages(),
        Path(__file__).parents[1],
    ]
    libraries = tuple(str(Path(folder)) for folder in [*libraries, site.getusersitepackages()])
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not frame.filename.startswith((*libraries, "<frozen", "<__array"))
    ]
    return f"{frames[-1].line}  (in {frames[-1].name})" if frames and frames[-1].line else ""
