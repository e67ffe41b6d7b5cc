"""What a submission earned, exercise by exercise, and why."""

from dataclasses import dataclass, field, replace

from helpers.exercises.contract import Exercise
from solutions.grading.telling import Note


@dataclass
class Mark:
    """What one exercise of one submission earned, and why.

    status: of `contract.Result`, or "missing" (no such name), "absent" (not in the notebook),
    "stopped" (it took the sandbox down)
    """

    exercise: str
    title: str
    points: float
    of: float
    status: str
    message: str
    flags: list[str] = field(default_factory=list)
    words: str = ""  # of an exception, which are told only if the instructor asks for them
    code: str = ""  # the student's own, behind the answer
    bonus: bool = False  # it counts, and is not asked for

    def told(self, *, words: bool) -> "Mark":
        """Return the mark with its words in its message, if they are asked for."""
        if not words or not self.words:
            return self
        return replace(self, message=f"{self.message}\nIt said: {self.words}")


@dataclass
class Graded:
    """A submission's marks, exercise by exercise, and what there is to say about the whole.

    again: something was stopped for which a busy machine could be the cause
    """

    marks: list[Mark]
    notes: list[Note] = field(default_factory=list)
    again: bool = False


def nothing(exercise: Exercise, status: str, message: str) -> Mark:
    """Return the mark of an exercise that earned nothing."""
    return Mark(exercise.name, exercise.title, 0.0, exercise.points, status, message)
