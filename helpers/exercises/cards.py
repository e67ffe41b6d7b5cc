"""The card that shows a result: HTML, with the same words as plain text."""

import html
import re

import jinja2
from markupsafe import Markup

from helpers.exercises.contract import Result

LOOKS = {  # status -> sign, and a border colour that keeps 3:1 contrast on white and on black
    "passed": ("✓", "#008a63"),
    "not attempted": ("○", "#7a7a7a"),
    "wrong": ("✗", "#d55e00"),
    "raised": ("!", "#b5578b"),
    "missing": ("○", "#7a7a7a"),  # this and the next two come from the grader alone
    "absent": ("○", "#7a7a7a"),
    "stopped": ("!", "#b5578b"),
}
TO_BE_WRITTEN = "It calls {}: this exercise is to be done without. Graders have it pointed out."
CALLED_BY = {  # what the watch sees, and what an answer may have called that does it
    "rnn_tanh_cell": "`nn.RNNCell`",
    "rnn_tanh": "`nn.RNN`",
    "lstm_cell": "`nn.LSTMCell`",
    "lstm": "`nn.LSTM`",
    "gru_cell": "`nn.GRUCell`",
    "gru": "`nn.GRU`",
    "multi_head_attention_forward": "`nn.MultiheadAttention`",
    "clip_grads_with_norm_": "`clip_grad_norm_`",
    "run_backward": "`backward`",
    "_make_dual": "`torch.func.jvp`",
    "Module": "a layer of `torch.nn`",
}
GOES_ON = "The chapter goes on with a reference, so you can run on."


def with_code(line: str) -> Markup:
    """Return a line of text as HTML, with what stands between backticks as code."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(line, quote=False)))


# All HTML that the course makes comes from templates of this kind: what they are given is escaped.
TEMPLATES = jinja2.Environment(
    autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
TEMPLATES.filters["with_code"] = with_code
CARD = TEMPLATES.from_string(
    '<div style="border-left: 6px solid {{ colour }}; padding: 4px 14px; margin: 4px 0">'
    "<b>{{ sign }} {{ status }}</b>{{ earned }} · <code>{{ exercise.name }}</code>: "
    "{{ exercise.title | with_code }} ({{ points }}, difficulty {{ exercise.dots }})"
    "{% for line in lines %}<br>{{ line | with_code }}{% endfor %}"
    "</div>"
)


def _named(unwanted: set[str]) -> list[str]:
    """Return names of functions in words, without those that others of them call."""
    inner = {name for name, outer in CALLED_BY.items() if outer.strip("`") in unwanted}
    inner |= {"run_backward"} if "grad" in unwanted else set()
    return [
        f"`{name}`, as {CALLED_BY[name]} does" if name in CALLED_BY else f"`{name}`"
        for name in sorted(unwanted - inner)
    ]


class Card:
    """Shows a `Result` in a notebook, and reads the same in a terminal.

    earned: what a grader adds after the status
    """

    def __init__(self, result: Result, earned: str = ""):
        self.exercise, self.earned = result.exercise, earned
        self.sign, self.colour = LOOKS[result.status]
        self.status = result.status + (" yet" if result.status == "not attempted" else "")
        self.points = f"{result.exercise.points} point{'s' if result.exercise.points > 1 else ''}"
        self.lines = result.message.splitlines()
        if unwanted := _named(set(result.called) & result.exercise.by_hand):
            self.lines.append(TO_BE_WRITTEN.format(" and ".join(unwanted)))
        if result.status in ("wrong", "raised"):
            self.lines.append(GOES_ON)

    def __repr__(self) -> str:
        head = f"{self.sign} {self.status} · {self.exercise.name}: {self.exercise.title}"
        head += f" ({self.points}, difficulty {self.exercise.dots})"
        return "\n".join([head, *self.lines]).replace("`", "")

    def _repr_html_(self) -> str:
        return CARD.render(vars(self))
