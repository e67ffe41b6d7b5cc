"""In the grader `check` hands back what it gets: nothing in the sandbox knows the answers."""

from typing import Any


def check(answer: Any) -> Any:
    """Return `answer`."""
    return answer


def points() -> None:
    """Say nothing: in the grader points are given outside."""
