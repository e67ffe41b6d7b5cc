"""A student's row: the marks of each chapter handed in, and what there is to say."""

from dataclasses import dataclass, field

from solutions.grading.arrivals.places import Submission
from solutions.grading.marks import Mark

LONGEST_REMARKS = 2000  # characters
UNKNOWN = 0  # the chapter of a file that the grader could not read


@dataclass
class Row:
    """One student: marks of each chapter handed in, and what there is to say about the files.

    student  as it is shown; two who are called alike and have no number are told apart by it
    name     as it was handed in, where that is another
    """

    student: str
    number: str = ""
    marks: dict[int, list[Mark]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    failed: dict[int, str] = field(default_factory=dict)  # chapter -> why it is not graded
    left_out: list[str] = field(
        default_factory=list
    )  # of the notes, those on what was not looked at
    anonymous: bool = False  # the platform hides the name
    name: str = ""
    late: bool = False  # by the platform's account
    sent: list[Submission] = field(default_factory=list)  # what a platform has named
    texts: dict[int, dict[str, str]] = field(default_factory=dict)  # chapter -> question -> answer
    # (chapter, question) -> points, of how many, comment
    written: dict[tuple[int, str], tuple[float, int, str]] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """The name by which a gradebook may know the student."""
        return self.name or self.student

    def add(self, chapter: int, name: str, marks: list[Mark]) -> None:
        """Add a graded file; of two files of one chapter the better counts."""
        before = self.marks.get(chapter, [])
        if before:
            self.notes.append(f"{name}: another submission of chapter {chapter}; the best counts.")
        self.marks[chapter] = max(marks, before, key=lambda of: sum(mark.points for mark in of))

    def arrive(self, submission: Submission) -> None:
        """Note what its platform says of a file."""
        if submission.left_out:
            self.leave_out(f"{submission.left_out} more files were not looked at.")
        if sender := submission.sender:
            self.anonymous |= sender.hidden
            self.sent.append(submission)
            if sender.late and not self.late:
                self.late = True
                self.notes.append("Handed in late.")

    def leave_out(self, note: str) -> None:
        """Add a remark about something that could not be read or was not run."""
        self.notes.append(note)
        self.left_out.append(note)

    def remarks(self) -> list[str]:
        """Return what there is to say, why something is not graded first; not more than is read."""
        notes = [f"{named(n)}not graded: {reason}" for n, reason in sorted(self.failed.items())]
        left = LONGEST_REMARKS
        for number, note in enumerate(self.notes):
            left -= len(note)
            if left < 0:
                return [*notes, f"… and {len(self.notes) - number} more remarks."]
            notes.append(note)
        return notes

    def points(self, chapter: int | None = None) -> float | None:
        """Return the points of a chapter, or of all that was handed in; None where no grade is.

        There is none where nothing was handed in, nothing could be read, or the grader failed.
        """
        chosen = set(self.marks) if chapter is None else {chapter} & set(self.marks)
        failed = set(self.failed) if chapter is None else {chapter, UNKNOWN} & set(self.failed)
        if failed or not chosen:
            return None
        marked = sum(mark.points for n in chosen for mark in self.marks[n])
        return marked + sum(
            earned for (n, _), (earned, _, _) in self.written.items() if n in chosen
        )

    def hand_in(self, chapter: int, texts: dict[str, str]) -> None:
        """Add written answers; of two files of one chapter the longer answer counts."""
        before = self.texts.setdefault(chapter, {})
        for question, text in texts.items():
            before[question] = max(before.get(question, ""), text, key=len)


def first_line(mark: Mark) -> str:
    """Return the first line of what is said about an answer."""
    return next(iter(mark.message.splitlines()), mark.status)


def named(chapter: int) -> str:
    """Return how a remark about a chapter begins; "" if the chapter is not known."""
    return f"chapter {chapter}: " if chapter != UNKNOWN else ""
