"""What is told of an exception in a submission: its type and the student's own line.

Its words can be anything, also what somebody was not to read, so they are kept apart and told only
where the instructor asks for them. Type and line come from beside the submission, too: they are
told if they stand in its source, which its author knows. Why an answer does not fit is told in the
words of the notebook's card, if it has no others than those of the course and of the source.
"""

import builtins
import re
import types
from dataclasses import dataclass

import numpy as np

from helpers.calling import Failure
from helpers.environment import COURSE
from helpers.exercises import catalogue
from solutions.grading.arrivals.reading import Cell

EXCEPTIONS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
EXCEPTIONS |= {"LinAlgError", "OutOfMemoryError", "JSONDecodeError", "UnsupportedOperation"}
PLACES = {f"<{kind}>" for kind in ("lambda", "listcomp", "dictcomp", "setcomp", "genexpr")}
MISFIT = "What it returned cannot be compared; the card in the notebook says why."
LONGEST_MISFIT = 300  # characters


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text))


def _types(namespace: dict) -> set[str]:
    return {value.__name__ for value in namespace.values() if isinstance(value, type)}


def _words_of_the_course() -> set[str]:
    """Return the words of which what does not fit is told: of drivers, of outputs, of types."""
    files = (COURSE / "helpers/calling").glob("*.py")
    exercises = [exercise for chapter in catalogue.chapters().values() for exercise in chapter]
    texts = [file.read_text(encoding="utf-8") for file in files]
    texts += [" ".join(exercise.collected) for exercise in exercises]
    return (
        _types(vars(builtins))
        | _types(vars(types))
        | _types(np.sctypeDict)
        | _words(" ".join(texts))
    )


WORDS = _words_of_the_course()


@dataclass(frozen=True)
class Note:
    """A remark, and the words of an exception that belong to it, or "".

    left_out: whether it is about something that was not run, or not to its end
    """

    text: str
    words: str = ""
    left_out: bool = False

    def told(self, *, words: bool) -> str:
        """Return the remark, with the words if they are asked for."""
        return f"{self.text} It said: {self.words}" if words and self.words else self.text


class Teller:
    """Knows what stands in a submission's source."""

    def __init__(self, code: list[Cell]):
        source = "\n".join(cell.source for cell in code)
        self.lines = {line.strip() for line in source.splitlines()} - {""}
        self.names = _words(source)

    def kind(self, message: str) -> str:
        """Return the type of an exception, given as "type: words", in words."""
        name = message.partition(":")[0]
        known = name in EXCEPTIONS | self.names
        article = "an" if name[:1] in "AEIOU" else "a"
        return f"{article} {name}" if known else "an exception of another type"

    def told(self, failure: Failure) -> Failure:
        """Return what is told of a failure."""
        if failure.kind == "misfit":
            return Failure("misfit", failure.message if self._are_ours(failure.message) else MISFIT)
        line, _, place = failure.line.rpartition("  (in ")
        known = line.strip() in self.lines and place.removesuffix(")") in self.names | PLACES
        shown = failure.line if known else ""
        return Failure(failure.kind, f"It ended in {self.kind(failure.message)}.", shown)

    def _are_ours(self, words: str) -> bool:
        """Return whether words are only the course's, the submission's, and numbers of 6 digits."""
        others = _words(words) - WORDS - self.names
        short = all(word.isdecimal() and len(word) <= 6 for word in others)
        return short and words.isprintable() and len(words) <= LONGEST_MISFIT
