"""`MinGRU`: a gated recurrence whose gates do not look at the state, equation 6.4.

B sequences, T time steps, D input size, H hidden size. `to_a` and `to_c` are its linear layers.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case
from helpers.calling.chapter_06 import call_min_gru
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


class MinGRU(nn.Module):
    """h_t = a_t h_{t-1} + (1 - a_t) c_t, all steps in log2 T rounds.

    Source: E. Martin, C. Cundy, Parallelizing linear recurrent neural nets over sequence length,
    ICLR (2018); L. Feng et al., Were RNNs all we needed?, arXiv 2410.01201 (2024).
    """

    def __init__(self, input_size, hidden_size, gate=torch.sigmoid):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate = gate

    def forward(self, x, h_0=None):
        """Return all states (B, T, H) and the last (B, H), for x (B, T, D) and h_0 (B, H)."""
        a = self.gate(self.to_a(x))
        h, reach = (1 - a) * self.to_c(x), 1
        if h_0 is not None:
            h = torch.cat([h[:, :1] + a[:, :1] * h_0[:, None], h[:, 1:]], dim=1)
        while reach < x.shape[1]:
            h = torch.cat([h[:, :reach], h[:, reach:] + a[:, reach:] * h[:, :-reach]], dim=1)
            a = torch.cat([a[:, :reach], a[:, reach:] * a[:, :-reach]], dim=1)
            reach *= 2
        return h, h[:, -1]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw sequences, weights and a state; one gate is `tanh`, whose a is below 0 at times.

    In one that is long the product of all factors is too small for any number.
    """
    drawn = []
    for B, T, D, H, gate in (
        (2, 7, 3, 4, "sigmoid"),
        (3, 4, 5, 2, "tanh"),
        (1, 9, 2, 3, "sigmoid"),
        (1, 90, 1, 2, "sigmoid"),
    ):
        case: Case = {"x": normal(rng, B, T, D), "h_0": normal(rng, B, H), "gate": gate}
        for name in ("to_a", "to_c"):
            case |= {f"{name}.weight": normal(rng, H, D), f"{name}.bias": normal(rng, H)}
        drawn.append(case)
    drawn[-1]["to_a.bias"][:] = -9.0  # a factor of 1e-4
    return drawn


class Divided(MinGRU):
    """A `MinGRU` that divides by the product of all factors so far."""

    def forward(self, x, h_0=None):
        a, c = self.gate(self.to_a(x)), self.to_c(x)
        product = a.cumprod(dim=1)
        h = product * ((1 - a) * c / product).cumsum(dim=1)
        h = h if h_0 is None else h + product * h_0[:, None]
        return h, h[:, -1]


class FadedOnce(MinGRU):
    """A `MinGRU` whose first state is faded by the factor of each step alone."""

    def forward(self, x, h_0=None):
        h, last = super().forward(x)
        if h_0 is not None:
            h = h + self.gate(self.to_a(x)) * h_0[:, None]
            last = h[:, -1]
        return h, last


class Unfaded(MinGRU):
    """A `MinGRU` whose first state is added to all others as it is."""

    def forward(self, x, h_0=None):
        h, last = super().forward(x)
        return (h, last) if h_0 is None else (h + h_0[:, None], last + h_0)


class Late(MinGRU):
    """A `MinGRU` in which the first step does not fade h_0."""

    def forward(self, x, h_0=None):
        h, last = super().forward(x)
        if h_0 is not None:
            a = self.gate(self.to_a(x))
            h = (
                h
                + torch.cat([torch.ones_like(a[:, :1]), a[:, 1:]], dim=1).cumprod(1) * h_0[:, None]
            )
            last = h[:, -1]
        return h, last


class WithoutFirst(MinGRU):
    """A `MinGRU` whose last state is that of a beginning at 0."""

    def forward(self, x, h_0=None):
        return super().forward(x, h_0)[0], super().forward(x)[1]


class Continued(MinGRU):
    """A `MinGRU` that keeps its last state for the next call."""

    kept = None

    def forward(self, x, h_0=None):
        h, self.kept = super().forward(x, self.kept if h_0 is None else h_0)
        return h, self.kept


class Written(nn.Module):
    """A `MinGRU` that departs from the right one in what is given."""

    def __init__(self, input_size, hidden_size, gate, how):
        super().__init__()
        self.to_a = nn.Linear(input_size, hidden_size)
        self.to_c = nn.Linear(input_size, hidden_size)
        self.gate, self.how = gate, how

    def forward(self, x, h_0=None):
        how = self.how
        a, c = how["gates"](self, x)
        h = torch.zeros_like(a[:, 0]) if h_0 is None else how["start"](h_0)
        first, states = h, []
        for t in range(x.shape[1]):
            h = how["step"](a[:, t], h, c[:, t])
            states.append(h)
        states = torch.stack(states, dim=1)
        return how["back"](states, h, first)


def wrong(
    gates: Callable = lambda model, x: (model.gate(model.to_a(x)), model.to_c(x)),
    start: Callable = lambda h_0: h_0,
    step: Callable = lambda a, h, c: a * h + (1 - a) * c,
    back: Callable = lambda states, h, first: (states, h),
) -> Callable:
    """Return a `MinGRU` that departs from the right one in what is given."""
    how = {"gates": gates, "start": start, "step": step, "back": back}

    def build(input_size, hidden_size, gate=torch.sigmoid):
        return Written(input_size, hidden_size, gate, how)

    return build


EXERCISE = Exercise(
    name="MinGRU",
    title="a gated recurrence that can be joined",
    points=3,
    difficulty=2,
    outputs={
        "outputs": "B T h",
        "state": "B h",
        "second half": "B t h",
        "from a state": "B T h",
        "step by step": "B T h",
        "learns": "",
    },
    cases=cases,
    drive=call_min_gru,
    reference=MinGRU,
    against="a scan with the same weights, over the whole, in halves and step by step,",
    mistakes=(
        Mistake(
            "a_t and 1 - a_t are exchanged: a_t is how much of the state stays.",
            wrong(step=lambda a, h, c: (1 - a) * h + a * c),
        ),
        Mistake(
            "The candidate comes in whole. What is faded makes room for it: (1 - a_t) c_t.",
            wrong(step=lambda a, h, c: a * h + c),
        ),
        Mistake(
            "The state does not fade: h_(t-1) is multiplied by a_t.",
            wrong(step=lambda a, h, c: h + (1 - a) * c),
        ),
        Mistake(
            "The candidate goes through `tanh`. Here it is linear in x_t.",
            wrong(gates=lambda model, x: (model.gate(model.to_a(x)), model.to_c(x).tanh())),
        ),
        Mistake(
            "The gate is always a sigmoid. Use the one that is handed over, `gate`.",
            wrong(gates=lambda model, x: (model.to_a(x).sigmoid(), model.to_c(x))),
        ),
        Mistake(
            "The gate is missing: a_t is `gate(to_a(x_t))`.",
            wrong(gates=lambda model, x: (model.to_a(x), model.to_c(x))),
        ),
        Mistake(
            "A sigmoid stands before the gate, which is one already.",
            wrong(gates=lambda model, x: (model.gate(model.to_a(x).sigmoid()), model.to_c(x))),
        ),
        Mistake(
            "The factors are cut from the graph, so `to_a` never learns.",
            wrong(gates=lambda model, x: (model.gate(model.to_a(x)).detach(), model.to_c(x))),
        ),
        Mistake(
            "There is a division by the product of all factors, which soon is 0: then nothing is "
            "known any more.",
            Divided,
        ),
        Mistake(
            "h_0 is multiplied by the factor of each step alone. What is left of it after t steps "
            "is the product of all t factors.",
            FadedOnce,
        ),
        Mistake(
            "The two layers are exchanged: `to_a` makes the gate, `to_c` the candidate.",
            wrong(gates=lambda model, x: (model.gate(model.to_c(x)), model.to_a(x))),
        ),
        Mistake(
            "The state that is handed over is not used.",
            wrong(start=torch.zeros_like),
        ),
        Mistake(
            "The state that comes back is the first one. What the next stretch needs is the last.",
            wrong(back=lambda states, h, first: (states, states[:, 0])),
            also=(wrong(back=lambda states, h, first: (states, first)),),
        ),
        Mistake(
            "h_0 is added as it is. After t steps it is multiplied by the product of t factors.",
            Unfaded,
        ),
        Mistake(
            "The first step does not fade h_0: its own factor, a_1, is among those of every step.",
            Late,
        ),
        Mistake(
            "The last state leaves out what h_0 adds to it.",
            WithoutFirst,
        ),
        Mistake(
            "Without h_0 a call goes on from where the last one ended. It begins at 0.",
            Continued,
        ),
        Mistake(
            "A bias is left out: both layers have one, and it is used.",
            wrong(
                gates=lambda model, x: (
                    model.gate(model.to_a(x)),
                    model.to_c(x) - model.to_c.bias,
                )
            ),
            also=(
                wrong(
                    gates=lambda model, x: (
                        model.gate(model.to_a(x) - model.to_a.bias),
                        model.to_c(x),
                    )
                ),
            ),
        ),
        Mistake(
            "The outputs are the states *before* each step.",
            wrong(
                back=lambda states, h, first: (
                    torch.cat([first[:, None], states[:, :-1]], dim=1),
                    h,
                )
            ),
        ),
        Mistake(
            "Only the last state comes back, and not those of all steps.",
            wrong(back=lambda states, h, first: (h, h)),
        ),
        Mistake(
            "A single tensor comes back. Return the states and the last one.",
            wrong(back=lambda states, h, first: states),
        ),
        Mistake(
            "The recurrence runs over the batch: time is axis 1.",
            wrong(
                gates=lambda model, x: (model.gate(model.to_a(x.flip(1))), model.to_c(x.flip(1))),
            ),
        ),
    ),
)
