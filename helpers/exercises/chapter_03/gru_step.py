"""`gru_step`: one step of a GRU, equations 3.5 to 3.7.

B sequences in a batch, D input size, H hidden size. The blocks of a matrix or a bias lie one upon
the other in PyTorch's order: r, z, n.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case, call
from helpers.exercises.chapter_03.lstm_step import cell_cases
from helpers.exercises.contract import Exercise, Mistake


def gru_step(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return h_t (B, H), one step of `nn.GRUCell`.

    x_t (B, D), h_prev (B, H), weight_ih (3H, D), weight_hh (3H, H), bias_ih (3H,), bias_hh (3H,),
    all float32.
    """
    cell = nn.GRUCell(x_t.shape[1], h_prev.shape[1])
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    weights |= {"bias_ih": bias_ih, "bias_hh": bias_hh}
    return torch.func.functional_call(cell, weights, (x_t, h_prev))


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw an input, a state and weights of the sizes that `lstm_step` has."""
    return cell_cases(rng, gates=3, states=("h_prev",))


def wrong(
    order="rzn",
    candidate=lambda r, x, h, b: torch.tanh(x + r * (h + b)),
    mix=lambda z, n, h_prev: (1 - z) * n + z * h_prev,
) -> Callable:
    """Return a `gru_step` that departs from the right one in what is given.

    candidate takes the reset gate, the input's part with `bias_ih`, the state's part, `bias_hh`.
    """

    def answer(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        sums = x_t @ weight_ih.T + bias_ih, h_prev @ weight_hh.T, bias_hh  # (B, 3H) twice, (3H,)
        x, h, b = (dict(zip(order, part.chunk(3, dim=-1), strict=True)) for part in sums)
        r, z = (torch.sigmoid(x[gate] + h[gate] + b[gate]) for gate in "rz")  # (B, H) each
        return mix(z, candidate(r, x["n"], h["n"], b["n"]), h_prev)

    return answer


def reset_first(
    order: str = "rzn", mix: Callable = lambda z, n, h_prev: (1 - z) * n + z * h_prev
) -> Callable:
    """Return a `gru_step` whose reset gate acts before the matrix product."""

    def answer(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        parts = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1), weight_hh.chunk(3), bias_hh.chunk(3)
        x, W, b = (dict(zip(order, part, strict=True)) for part in parts)
        r, z = (torch.sigmoid(x[gate] + h_prev @ W[gate].T + b[gate]) for gate in "rz")
        return mix(z, torch.tanh(x["n"] + (r * h_prev) @ W["n"].T + b["n"]), h_prev)

    return answer


def swapped(z, n, h_prev):
    return z * n + (1 - z) * h_prev


EXERCISE = Exercise(
    name="gru_step",
    title="one step of a GRU",
    points=2,
    outputs={"h_t": "B H"},
    cases=cases,
    drive=call,
    reference=gru_step,
    against="`nn.GRUCell`",
    by_hand=frozenset({"gru", "gru_cell"}),
    mistakes=(
        Mistake(
            "z and 1 - z are swapped: in PyTorch z says how much of the old state stays.",
            wrong(mix=swapped),
        ),
        Mistake(
            "The reset gate acts before the matrix product, as in the paper of 2014. In PyTorch "
            "it acts after: r times (h W + b).",
            reset_first(),
        ),
        Mistake(
            "The reset gate spares `bias_hh`. Equation 3.6 has the bias inside the bracket that r "
            "multiplies.",
            wrong(candidate=lambda r, x, h, b: torch.tanh(x + r * h + b)),
        ),
        Mistake(
            "Reset and update gate are swapped: PyTorch stacks r, z, n.",
            wrong(order="zrn"),
        ),
        Mistake(
            "The candidate is taken from the first block: PyTorch stacks r, z, n.",
            wrong(order="nrz"),
            also=(wrong(order="nzr"),),
        ),
        Mistake(
            "The reset gate multiplies the whole sum. It resets what comes from the old state "
            "only, not the input's part.",
            wrong(candidate=lambda r, x, h, b: torch.tanh(r * (x + h + b))),
        ),
        Mistake(
            "The reset gate is not used: the candidate sees the whole old state.",
            wrong(candidate=lambda r, x, h, b: torch.tanh(x + h + b)),
        ),
        Mistake(
            "The update gate is not used: this returns the candidate.",
            wrong(mix=lambda z, n, h_prev: n),
        ),
        Mistake(
            "The candidate is added whole. It takes the share that the old state leaves, 1 - z.",
            wrong(mix=lambda z, n, h_prev: n + z * h_prev),
        ),
        Mistake(
            "The old state is kept whole. Its share is z.",
            wrong(mix=lambda z, n, h_prev: (1 - z) * n + h_prev),
        ),
        Mistake(
            "The candidate goes through a sigmoid. It is the one of the three that takes `tanh`.",
            wrong(candidate=lambda r, x, h, b: torch.sigmoid(x + r * (h + b))),
        ),
        Mistake(
            "The candidate is not squashed. It takes `tanh`.",
            wrong(candidate=lambda r, x, h, b: x + r * (h + b)),
        ),
        Mistake(
            "`bias_hh` is missing. PyTorch has two biases, and both are added.",
            lambda x, h, W_ih, W_hh, b_ih, b_hh: gru_step(x, h, W_ih, W_hh, b_ih, 0 * b_hh),
        ),
        Mistake(
            "`bias_ih` is missing. PyTorch has two biases, and both are added.",
            lambda x, h, W_ih, W_hh, b_ih, b_hh: gru_step(x, h, W_ih, W_hh, 0 * b_ih, b_hh),
        ),
        Mistake(
            "This is the GRU of the paper of 2014: the reset gate acts before the matrix product, "
            "and z and 1 - z are swapped. PyTorch resets after it, and z is what stays.",
            reset_first(mix=swapped),
        ),
        Mistake(
            "The blocks are read as z, r, n, as in Keras. PyTorch stacks r, z, n. And the reset "
            "gate acts before the matrix product; here it acts after.",
            reset_first("zrn"),
        ),
        Mistake(
            "The blocks are read as z, r, n, and z and 1 - z are swapped. PyTorch stacks r, z, n, "
            "and z is what stays.",
            wrong("zrn", mix=swapped),
            also=(reset_first("zrn", mix=swapped),),
        ),
        Mistake(
            "The blocks are read as r, n, z: the update gate comes second.",
            wrong("rnz"),
        ),
        Mistake(
            "The blocks are read as z, n, r. PyTorch stacks r, z, n.",
            wrong("znr"),
        ),
    ),
)
