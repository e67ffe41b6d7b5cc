"""`rnn_forward`: a recurrent network unrolled over a sequence, section 1.3.

B sequences in a batch, T time steps, D input size, H hidden size; states are rows.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case, call
from helpers.exercises.chapter_01.rnn_step import rnn_step
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def rnn_forward(x, h_0, W_xh, W_hh, b_h):
    """Return all states (B, T, H) and the last state (B, H), as `nn.RNN` does.

    x (B, T, D), h_0 (B, H), W_xh (D, H), W_hh (H, H), b_h (H,), all float32. PyTorch stores its
    matrices transposed, and has a second bias, which is 0 here.
    """
    rnn = nn.RNN(*W_xh.shape, batch_first=True)
    matrices = {"weight_ih_l0": W_xh.T, "weight_hh_l0": W_hh.T}
    biases = {"bias_ih_l0": b_h, "bias_hh_l0": 0 * b_h}
    states, h_n = torch.func.functional_call(rnn, matrices | biases, (x, h_0.unsqueeze(0)))
    return states, h_n[0]  # without the axis of layers


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw inputs, first states and weights. Where B = T, time and batch can be swapped."""
    sizes = [(2, 5, 3, 4), (1, 1, 2, 3), (4, 4, 3, 3), (3, 1, 4, 2), (1, 7, 1, 1)]  # B, T, D, H
    sizes += [tuple(rng.integers(2, 8, size=4)) for _ in range(5)]
    return [
        {
            "x": normal(rng, B, T, D),
            "h_0": normal(rng, B, H).clip(-1, 1),
            "W_xh": normal(rng, D, H),
            "W_hh": normal(rng, H, H) / np.float32(np.sqrt(H)),
            "b_h": normal(rng, H),
        }
        for B, T, D, H in sizes
    ]


def wrong(states=lambda states: states, h_T=lambda states: states[:, -1]) -> Callable:
    """Return a `rnn_forward` that departs from the right one in what is given.

    Each argument takes the right states (B, T, H).
    """

    def answer(*given):
        right, _ = rnn_forward(*given)
        return states(right), h_T(right)

    return answer


def wrong_walk(step=rnn_step) -> Callable:
    """Return a `rnn_forward` that walks along the batch, with this `step`."""

    def answer(x, h, *weights):
        states = []
        for x_t in x:  # (T, D)
            h = step(x_t, h, *weights)
            states.append(h)
        return torch.stack(states), h

    return answer


def not_carried(x, h_0, *weights):
    states = [rnn_step(x_t, h_0, *weights) for x_t in x.unbind(dim=1)]
    return torch.stack(states, dim=1), states[-1]


def states_before(x, h_0, *weights):
    states, h_T = rnn_forward(x, h_0, *weights)
    return torch.cat([h_0.unsqueeze(1), states[:, :-1]], dim=1), h_T


EXERCISE = Exercise(
    name="rnn_forward",
    title="a recurrent network unrolled over a sequence",
    points=2,
    outputs={"states": "B T H", "h_T": "B H"},
    cases=cases,
    drive=call,
    reference=rnn_forward,
    against="`nn.RNN`",
    by_hand=frozenset({"rnn_tanh", "rnn_tanh_cell"}),
    mistakes=(
        Mistake(
            "The state is not carried: every step starts from `h_0`. "
            "Hand the state of one step to the next.",
            not_carried,
        ),
        Mistake(
            "Off by one: `states[:, t]` holds the state before step t. "
            "Append the state after computing it, not before.",
            states_before,
        ),
        Mistake(
            "`states[-1]` is the last sequence of the batch. The last step is `states[:, -1]`.",
            wrong(h_T=lambda states: states[-1]),
        ),
        Mistake(
            "This walks along the batch as if it were time. In `x` (B, T, D) time is axis 1: "
            "use `x[:, t]`.",
            wrong_walk(lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh + h @ W_hh + b_h)),
            also=(wrong_walk(),),  # a cell refuses sizes that this sum stretches to fit
        ),
        Mistake(
            "`states` has time first, (T, B, H). Stack along axis 1 to get (B, T, H).",
            wrong(states=lambda states: states.transpose(0, 1)),
        ),
        Mistake(
            "`h_0` is ignored: this starts from zeros. The caller chooses where the state starts.",
            lambda x, h_0, *weights: rnn_forward(x, torch.zeros_like(h_0), *weights),
        ),
        Mistake(
            "The sequence is read backwards, from its last step to its first.",
            lambda x, h_0, *weights: rnn_forward(x.flip(1), h_0, *weights),
        ),
        Mistake(
            "The second value is the first state. Return the last one, `h_T`.",
            wrong(h_T=lambda states: states[:, 0]),
        ),
    ),
)
