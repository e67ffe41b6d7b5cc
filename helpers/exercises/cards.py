"""The card that shows a result: HTML, with the same words as plain text."""

import html
import re

LOOKS = {  # status -> sign, and a border colour that keeps 3:1 contrast on white and on black
    "passed": ("✓", "#008a63"),
    "not attempted": ("○", "#7a7a7a"),
    "wrong": ("✗", "#d55e00"),
    "raised": ("!", "#b5578b"),
}
GOES_ON = "The chapter goes on with a reference built on PyTorch, so you can run on."


class Card:
    """Shows a `Result` in a notebook, and reads the same in a terminal."""

    def __init__(self, result):
        exercise, points = result.exercise, result.exercise.points
        self.sign, self.colour = LOOKS[result.status]
        self.status = result.status + (" yet" if result.status == "not attempted" else "")
        self.name, self.title = exercise.name, exercise.title
        self.points = f"{points} point{'s' if points > 1 else ''}"
        self.lines = result.message.splitlines()
        if result.status in ("wrong", "raised"):
            self.lines.append(GOES_ON)

    def __repr__(self) -> str:
        head = f"{self.sign} {self.status} · {self.name}: {self.title} ({self.points})"
        return "\n".join([head, *self.lines]).replace("`", "")

    def _repr_html_(self) -> str:
        head = (
            f"<b>{self.sign} {self.status}</b> · <code>{self.name}</code>: "
            f"{with_code(self.title)} ({self.points})"
        )
        return (
            f'<div style="border-left: 6px solid {self.colour}; padding: 4px 14px; margin: 4px 0">'
            + "<br>".join([head, *(with_code(line) for line in self.lines)])
            + "</div>"
        )


def with_code(line: str) -> str:
    """Return a line of text as HTML, with what stands between backticks as code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(line, quote=False))
