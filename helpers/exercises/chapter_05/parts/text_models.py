"""What the exercises on models of text share: the outputs compared, wrong models, and mistakes.

B texts side by side, T time steps, V characters, H hidden size.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.calling.chapter_05 import CHANGES, ROW_GONE
from helpers.calling.models import parts_of
from helpers.exercises.chapter_01.carry_state import carry_state
from helpers.exercises.contract import Arrays, Mistake


class TextModel(nn.Module):
    """A recurrent network between an embedding and a linear layer, for known mistakes.

    into    (embedding, x) -> what the network reads
    start   the state that is handed in -> the one that the network gets
    seen    (the network's states, the state handed in) -> what the linear layer reads
    answer  (linear layer, what it reads, the network's new state) -> what `forward` returns
    """

    def __init__(
        self,
        embedding: nn.Module,
        network: nn.RNNBase,
        linear: nn.Module,
        answer: Callable,
        into: Callable = lambda embedding, x: embedding(x),
        start: Callable = lambda state: state,
        seen: Callable = lambda states, given: states,
    ):
        super().__init__()
        self.embedding, self.network, self.linear = embedding, network, linear
        self.answer, self.into, self.start, self.seen = answer, into, start, seen

    def forward(self, x, state=None):
        states, new = self.network(self.into(self.embedding, x), self.start(state))
        return self.answer(self.linear, self.seen(states, state), new)


class ForgetsBetweenSteps(TextModel):
    """Runs every step as a text of its own, all of them side by side."""

    def forward(self, x, state=None):
        B, T = x.shape[:2]
        each = (
            None if state is None else of_each(lambda part: part.repeat_interleave(T, dim=1), state)
        )
        states, new = self.network(self.embedding(x).reshape(B * T, 1, -1), each)
        last = of_each(lambda part: part[:, T - 1 :: T], new)
        return self.linear(states.reshape(B, T, -1)), last


def of_each(change: Callable, state):
    """Return a state, a tensor or a pair, of which each tensor is changed."""
    return tuple(map(change, state)) if isinstance(state, tuple) else change(state)


def as_before(states: torch.Tensor, given) -> torch.Tensor:
    """Return the state (B, T, H) before each step: at first the one that was given, or 0."""
    zero = torch.zeros_like(states[:, :1])
    first = zero if given is None else parts_of(given)[0][-1:].transpose(0, 1)
    return torch.cat([first, states[:, :-1]], dim=1)


def two_linear_layers(hidden_size, output_size):
    return nn.Sequential(
        nn.Linear(hidden_size, hidden_size), nn.ReLU(), nn.Linear(hidden_size, output_size)
    )


def regrouped(z: torch.Tensor) -> torch.Tensor:
    """Return what `transpose(0, 1)` should, by a `reshape`."""
    return z.reshape(z.shape[1], z.shape[0], -1)


TEXT_OUTPUTS = {
    "number of parameters": "",
    "a later character changes an earlier prediction": "",
    "one sequence changes another": "",
    "rows of the weights that get no gradient": "",
    "logits": "B T V",
    "state": "number",
    "logits of the second half, the state handed on": "B T V",
    "the state is cut off from the graph": "",
}
SOFTMAX_ELSEWHERE = (
    "A softmax at the end runs over the steps or over the rows of the batch, which mixes them. "
    "Return the logits, what the linear layer says."
)
REGROUPED = (
    "Rows and steps are mixed: `view` and `reshape` do not exchange axes, they read the numbers in "
    "the old order. Between (B, T, …) and (T, B, …) stands a `transpose(0, 1)`."
)
LAST_EVERYWHERE = (
    "The logits of the last step stand at every step. Give each step's state to the linear layer."
)
ONE_LATE = (
    "The logits come one step late: those of step t - 1 stand at step t, and the character that "
    "was just read plays no part."
)
ONE_EARLY = (
    "The logits come one step early: those of step t + 1 stand at step t, which have seen the "
    "character that they should predict."
)
OVER_THE_ROWS = (
    "One text changes another: something is taken over the rows of the batch, as a mean. Each row "
    "is a text of its own."
)


def explain(got: Arrays, expected: Arrays) -> str:
    """Return how the logits come out of those expected, if they do and mix steps or rows."""
    if got["number of parameters"] != expected["number of parameters"]:
        return ""
    mine, right = (torch.from_numpy(np.array(a["logits"])) for a in (got, expected))
    inner, after = np.s_[:, :-1], np.s_[:, 1:]
    facts = [
        *((SOFTMAX_ELSEWHERE, mine, right.softmax(dim=dim)) for dim in (0, 1)),
        *((SOFTMAX_ELSEWHERE, mine, right.log_softmax(dim=dim)) for dim in (0, 1)),
        (REGROUPED, mine, right.transpose(0, 1).reshape(right.shape)),
        (LAST_EVERYWHERE, mine, right[:, -1:].expand_as(right)),
        (ONE_LATE, mine[after], right[inner]),
        (ONE_EARLY, mine[inner], right[after]),
        (OVER_THE_ROWS, mine, right - right.mean(dim=0)),
    ]
    alike = [said for said, a, b in facts if torch.allclose(a, b, rtol=1e-4, atol=1e-5)]
    flags = [
        f"`{name}` is {got[name]:g}; expected {expected[name]:g}."
        for name in TEXT_OUTPUTS
        if not expected[name].ndim and got[name] != expected[name]
    ]
    return "\n".join([*alike[:1], *flags[:1]]) if alike else ""


def mistakes_of_both(wrong: Callable) -> tuple[Mistake, ...]:
    """Return the known mistakes that `RNNTextGen` and `CharLSTM` share."""

    def at_the_end(change):
        return wrong(lambda fc, s, h: (change(fc(s)), h))

    def hooked(**hooks):
        return wrong(hooks=hooks)

    return (
        Mistake(
            "These are probabilities: `cross_entropy` applies the softmax itself, and doing it "
            "twice flattens everything. Return the logits, what the linear layer says.",
            at_the_end(lambda z: z.softmax(dim=-1)),
        ),
        Mistake(
            "These are log-probabilities. The loss would not mind, but the exercise asks for the "
            "logits, what the linear layer says.",
            at_the_end(lambda z: z.log_softmax(dim=-1)),
        ),
        Mistake(SOFTMAX_ELSEWHERE, at_the_end(lambda z: z.softmax(dim=1))),
        Mistake(
            "One text changes another: without `batch_first=True` the network takes the batch for "
            "time.",
            wrong(batch_first=False),
        ),
        Mistake(
            REGROUPED,
            wrong(
                lambda fc, s, h: (regrouped(fc(s)), h),
                batch_first=False,
                hooks={"into": lambda embedding, x: embedding(x).transpose(0, 1)},
            ),
        ),
        Mistake(ROW_GONE, at_the_end(torch.squeeze)),
        Mistake(
            "The second half of a text does not know the first. Give the state that is handed in "
            "to the network, and return the one that comes out of it.",
            hooked(start=lambda state: None),
        ),
        Mistake(
            "The state is cut off from the graph inside the model. Return it as the network gives "
            "it: what is cut, and when, is the training's business.",
            wrong(lambda fc, s, h: (fc(s), carry_state(h))),
        ),
        Mistake(CHANGES, wrong(lambda fc, s, h: (fc(F.dropout(s, 0.5)), h))),
        Mistake(
            "What is returned as the state holds every step. What goes on is the second value "
            "that the network returns.",
            wrong(lambda fc, s, h: (fc(s), s)),
        ),
        Mistake(
            "What is returned as the state is nothing, or zeros, or what was handed in. Return the "
            "state after the last step, the second value of the network.",
            wrong(lambda fc, s, h: (fc(s), of_each(torch.zeros_like, h))),
            also=(wrong(lambda fc, s, h: (fc(s), None)),),
        ),
        Mistake(
            "The state that you return has B before the layers. Return it as the network gives it.",
            wrong(lambda fc, s, h: (fc(s), of_each(lambda part: part.transpose(0, 1), h))),
        ),
        Mistake(
            "A later character changes an earlier prediction: a network in both directions has "
            "read on.",
            wrong(bidirectional=True),
        ),
        Mistake(
            "Return two things, the logits and the state; got one tensor alone.",
            wrong(lambda fc, s, h: fc(s)),
        ),
        Mistake(
            "These are the logits of the last step. Every step predicts a character: (B, T, V).",
            wrong(lambda fc, s, h: (fc(s[:, -1]), h)),
        ),
        Mistake(LAST_EVERYWHERE, hooked(seen=lambda s, given: s[:, -1:].expand_as(s))),
        Mistake(ONE_LATE, hooked(seen=as_before)),
        Mistake(ONE_EARLY, hooked(seen=lambda s, given: torch.cat([s[:, 1:], s[:, -1:]], dim=1))),
        Mistake(
            "Each step begins from the state that was handed in, or from none, and forgets the "
            "steps before. Carry the state from step to step.",
            wrong(model=ForgetsBetweenSteps),
        ),
        Mistake(
            "Only the linear layer would learn: `detach` cuts off everything before it.",
            wrong(lambda fc, s, h: (fc(s.detach()), h)),
        ),
        Mistake(
            "The logits carry no gradient at all, so nothing would learn: no `detach`, no "
            "`torch.no_grad()` in a model.",
            wrong(lambda fc, s, h: (fc(s).detach(), carry_state(h))),
        ),
        Mistake(
            "An activation stands between the network's states and the linear layer, which takes "
            "them as they are.",
            hooked(seen=lambda s, given: s.relu()),
        ),
        Mistake(
            OVER_THE_ROWS,
            hooked(into=lambda embedding, x: embedding(x) - embedding(x).mean(dim=0)),
        ),
        Mistake(
            "The recurrent network has no bias. Leave `bias` as it is, true.",
            wrong(bias=False),
        ),
        Mistake(
            "The linear layer has no bias. Leave `bias` as it is, true.",
            wrong(linear=partial(nn.Linear, bias=False)),
        ),
        Mistake(
            "Another layer of `hidden_size` numbers stands between the network and the logits. One "
            "linear layer is asked for.",
            wrong(linear=two_linear_layers),
        ),
        Mistake(
            "The two values are in the wrong order: logits first, then the state.",
            wrong(lambda fc, s, h: (h, fc(s))),
        ),
    )
