"""`state_gradients`: the gradient at every state, derived by hand, section 1.7.

B sequences in a batch, T time steps, H hidden size. States are rows: h_t = tanh(… + h_{t-1} W_hh).
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def state_gradients(states, W_hh, last):
    """Return the gradients (B, T, H) of a loss at the states (B, T, H), by autograd.

    W_hh (H, H); last (B, H), the gradient at the last state; all float64. The inputs are what the
    states leave over: with z_t before tanh, x_t's part is z_t - h_{t-1} W_hh.
    """
    before = torch.cat([torch.zeros_like(states[:, :1]), states[:, :-1]], dim=1)  # (B, T, H)
    inputs = torch.atanh(states) - before @ W_hh
    h, made = torch.zeros_like(last), []
    for part in inputs.unbind(dim=1):
        h = torch.tanh(part + h @ W_hh)
        made.append(h.requires_grad_() if not made else h)
    return torch.stack(torch.autograd.grad(made[-1], made, last), dim=1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw states in (-1, 1), a matrix, and the gradient at the end. One sequence has one step."""
    sizes = [(2, 4, 3), (1, 1, 2), (3, 3, 3), (1, 6, 1)]  # B, T, H
    sizes += [tuple(rng.integers(2, 7, size=3)) for _ in range(5)]
    return [
        {
            "states": np.tanh(rng.normal(size=(B, T, H))),
            "W_hh": rng.normal(size=(H, H)),
            "last": rng.normal(size=(B, H)),
        }
        for B, T, H in sizes
    ]


def wrong(
    back=lambda g, h, h_before, W: (g * (1 - h**2)) @ W.T,
    begin=lambda last, h: last,
    add=lambda g: g,
    finish=lambda made: torch.stack(made, dim=1),
) -> Callable:
    """Return a `state_gradients` that departs from the right one in what is given.

    back takes the gradient at h_t, h_t, h_{t-1} and the matrix, and leads to h_{t-1}.
    """

    def answer(states, W_hh, last):
        made = [begin(last, states[:, -1])]
        for t in range(states.shape[1] - 1, 0, -1):
            made.insert(0, add(back(made[0], states[:, t], states[:, t - 1], W_hh)))
        return finish(made)

    return answer


EXERCISE = Exercise(
    name="state_gradients",
    title="the gradient at every state, derived",
    points=4,
    difficulty=3,
    outputs={"gradients": "B T H"},
    cases=cases,
    drive=call,
    tolerance=1e-9,
    reference=state_gradients,
    against="autograd",
    by_hand=frozenset({"grad", "backward"}),
    mistakes=(
        Mistake(
            "The slope is taken at the state that the step begins from. `tanh` was applied to make "
            "h_t, so its slope there is 1 - h_t².",
            wrong(back=lambda g, h, before, W: (g * (1 - before**2)) @ W.T),
        ),
        Mistake(
            "The slope of `tanh` is missing: only the matrix takes part.",
            wrong(back=lambda g, h, before, W: g @ W.T),
        ),
        Mistake(
            "`W_hh` leads from h_{t-1} to h_t. On the way back it must be transposed.",
            wrong(back=lambda g, h, before, W: (g * (1 - h**2)) @ W),
        ),
        Mistake(
            "The matrix comes before the slope. Undo the step from its end: `tanh` was last on the "
            "way there, so its slope comes first on the way back.",
            wrong(back=lambda g, h, before, W: (g @ W.T) * (1 - h**2)),
            also=(wrong(back=lambda g, h, before, W: (g @ W.T) * (1 - before**2)),),
        ),
        Mistake(
            "The slope of `tanh` is 1 - tanh², not 1 - tanh.",
            wrong(back=lambda g, h, before, W: (g * (1 - h)) @ W.T),
        ),
        Mistake(
            "The slope of `tanh` is 1 - tanh². h (1 - h) is that of a sigmoid.",
            wrong(back=lambda g, h, before, W: (g * h * (1 - h)) @ W.T),
        ),
        Mistake(
            "`states` are behind `tanh` already: their slope is 1 - h², no second `tanh`.",
            wrong(back=lambda g, h, before, W: (g * (1 - torch.tanh(h) ** 2)) @ W.T),
        ),
        Mistake(
            "The gradient does not pass through `W_hh` on its way from step to step.",
            wrong(back=lambda g, h, before, W: g * (1 - h**2)),
        ),
        Mistake(
            "These are the gradients before `tanh`, at the sums. Return those at the states.",
            lambda states, W, last: state_gradients(states, W, last) * (1 - states**2),
        ),
        Mistake(
            "`last` is the gradient at the last state itself, behind its `tanh`. The slope comes "
            "in when you go on to the state before it.",
            wrong(begin=lambda last, h: last * (1 - h**2)),
        ),
        Mistake(
            "The gradients come out in reverse: place t belongs to h_t, the last one is `last`.",
            wrong(finish=lambda made: torch.stack(made[::-1], dim=1)),
        ),
        Mistake(
            "Time and batch are exchanged: the result has the axes of `states`, (B, T, H).",
            wrong(finish=torch.stack),
        ),
        Mistake(
            "Each step's gradient is made from `last`, not from the gradient at the step after it.",
            lambda states, W, last: torch.cat(
                [(last[:, None] * (1 - states[:, 1:] ** 2)) @ W.T, last[:, None]], dim=1
            ),
        ),
        Mistake(
            "The loss is on the last state alone: nothing is added on the way back.",
            lambda states, W, last: wrong(add=lambda g: g + last)(states, W, last),
        ),
    ),
)
