"""What is told of an exception in a submission: its type and the student's own line.

Its words can be anything, also what somebody was not to read, so they are kept apart and told only
where the instructor asks for them. Type and line come from beside the submission, too: they are
told if they stand in its source, which its author knows.
"""

import builtins
import re
from dataclasses import dataclass

from helpers.calling import Failure
from solutions.grading.submissions import Cell

EXCEPTIONS = {
    name
    for name, value in vars(builtins).items()
    if isinstance(value, type) and issubclass(value, BaseException)
}
EXCEPTIONS |= {"LinAlgError", "OutOfMemoryError", "JSONDecodeError", "UnsupportedOperation"}
PLACES = {f"<{kind}>" for kind in ("lambda", "listcomp", "dictcomp", "setcomp", "genexpr")}
MISFIT = "What it returned cannot be compared; the card in the notebook says why."


@dataclass(frozen=True)
class Note:
    """A remark, and the words of an exception that belong to it, or ""."""

    text: str
    words: str = ""

    def told(self, *, words: bool) -> str:
        """Return the remark, with the words if they are asked for."""
        return f"{self.text} It said: {self.words}" if words and self.words else self.text


class Teller:
    """Knows what stands in a submission's source."""

    def __init__(self, code: list[Cell]):
        source = "\n".join(cell.source for cell in code)
        self.lines = {line.strip() for line in source.splitlines()} - {""}
        self.names = set(re.findall(r"\w+", source))

    def kind(self, message: str) -> str:
        """Return the type of an exception, given as "type: words", in words."""
        name = message.partition(":")[0]
        known = name in EXCEPTIONS | self.names
        article = "an" if name[:1] in "AEIOU" else "a"
        return f"{article} {name}" if known else "an exception of another type"

    def told(self, failure: Failure) -> Failure:
        """Return what is told of a failure."""
        if failure.kind == "misfit":
            return Failure("misfit", MISFIT)
        line, _, place = failure.line.rpartition("  (in ")
        known = line.strip() in self.lines and place.removesuffix(")") in self.names | PLACES
        shown = failure.line if known else ""
        return Failure(failure.kind, f"It ended in {self.kind(failure.message)}.", shown)
