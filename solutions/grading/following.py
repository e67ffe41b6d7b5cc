"""Marks again what failed and builds on other answers that failed: it loses nothing by them.

In the notebook an answer that does not pass is replaced by a reference before anything else runs.
So it is here: a new sandbox gets the notebook with the references of those answers, and marks those
that build on them. What a submission calls does not matter, but what the course's own solution of
an exercise builds on. All that is used of what comes back is whether an answer passes.
"""

from solutions.grading import definitions, references
from solutions.grading.marking import Marking

FOLLOWED_THROUGH = (
    "Right by itself. Another answer that it needs is not, and was replaced by the course's, as in "
    "the notebook."
)


def follow_through(first: Marking, needed_by: dict[str, set[str]]) -> None:
    """Mark again each answer that failed and builds on others that failed.

    needed_by: exercise -> the others that the course's own solution of it builds on

    All are marked in one sandbox, in the notebook's order: each before its own reference follows.
    What does not pass there, and stands above what it builds on, gets a sandbox of its own.
    """
    failed = {name for name, m in first.marks.items() if m.points < m.of}
    wrong = {
        name: needed_by[name] & (failed | first.overwritten)
        for name in first.exercises
        if name in failed and first.is_given(name)
    }
    wrong = {name: needs for name, needs in wrong.items() if needs}
    if not wrong:
        return
    _mark(first, list(wrong), set().union(*wrong.values()))
    for name, needs in wrong.items():
        if first.marks[name].points < first.marks[name].of and not _is_below(first, name, needs):
            _mark(first, [name], needs)


def _is_below(first: Marking, name: str, needs: set[str]) -> bool:
    """Return whether an answer stands below all that it builds on."""
    last = {n: max(definitions.binding(first.code, n), default=-1) for n in {name, *needs}}
    return all(last[n] < last[name] for n in needs)


def _mark(first: Marking, names: list[str], replaced: set[str]) -> None:
    """Mark some answers once more, each before its own reference, and enter those that pass."""
    stand_ins = {name: references.cell_of(first.exercises[name]) for name in replaced}
    code = definitions.replaced(first.code, stand_ins)
    chosen = {name: first.exercises[name] for name in names}
    second = Marking(code, first.handed_out, chosen, first.seed, first.start, first.budget)
    for name in replaced & chosen.keys():
        (place,) = (n for n, cell in enumerate(code) if cell is stand_ins[name])
        second.marked_once[name] = max(
            (n for n in definitions.binding(code, name) if n < place), default=-1
        )
    second.run(only_needed=True)
    first.again |= second.again
    for name, again in second.marks.items():
        if again.points == again.of:
            again.message = FOLLOWED_THROUGH
            first.marks[name] = again
