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
from helpers.exercises.chapter_03.parts.cells import cell_mistakes
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
    cut=lambda sums: sums.chunk(3, dim=1),
    gate=torch.sigmoid,
    candidate=lambda r, x, h, b: torch.tanh(x + r * (h + b)),
    resets=lambda r, z: r,
    mix=lambda z, n, h_prev, r: (1 - z) * n + z * h_prev,
) -> Callable:
    """Return a `gru_step` that departs from the right one in what is given.

    candidate takes what resets, the input's part with `bias_ih`, the state's part, `bias_hh`.
    """

    def answer(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        sums = x_t @ weight_ih.T + bias_ih, h_prev @ weight_hh.T, bias_hh.expand(len(x_t), -1)
        named = []
        for part in sums:  # (B, 3H) each
            first, second, third = cut(part)  # unpacked as in an answer
            named.append(dict(zip(order, (first, second, third), strict=True)))
        x, h, b = named
        r, z = (gate(x[name] + h[name] + b[name]) for name in "rz")  # (B, H) each
        return mix(z, candidate(resets(r, z), x["n"], h["n"], b["n"]), h_prev, r)

    return answer


def reset_first(
    order: str = "rzn", mix: Callable = lambda z, n, h_prev, r: (1 - z) * n + z * h_prev
) -> Callable:
    """Return a `gru_step` whose reset gate acts before the matrix product."""

    def answer(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        parts = (x_t @ weight_ih.T + bias_ih).chunk(3, dim=1), weight_hh.chunk(3), bias_hh.chunk(3)
        x, W, b = (dict(zip(order, part, strict=True)) for part in parts)
        r, z = (torch.sigmoid(x[gate] + h_prev @ W[gate].T + b[gate]) for gate in "rz")
        return mix(z, torch.tanh(x["n"] + (r * h_prev) @ W["n"].T + b["n"]), h_prev, r)

    return answer


def swapped(z, n, h_prev, r):
    return z * n + (1 - z) * h_prev


def with_biases(change: Callable) -> Callable:
    """Return a `gru_step` whose biases are change(bias_ih, bias_hh, 1 in the candidate's block)."""

    def answer(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        new = torch.tensor([0.0, 0.0, 1.0]).repeat_interleave(h_prev.shape[1])
        return gru_step(x_t, h_prev, weight_ih, weight_hh, *change(bias_ih, bias_hh, new))

    return answer


def without_matrix(kept: float) -> Callable:
    """Return a `gru_step` whose candidate adds r times (h + kept b)."""

    def answer(x_t, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        H = h_prev.shape[1]
        U = torch.cat([weight_hh[:-H], torch.eye(H)])
        d = torch.cat([bias_hh[:-H], kept * bias_hh[-H:]])
        return gru_step(x_t, h_prev, weight_ih, U, bias_ih, d)

    return answer


EXERCISE = Exercise(
    name="gru_step",
    title="one step of a GRU",
    points=2,
    difficulty=2,
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
            "Reset and update gate are swapped: the blocks are r, z, n. r acts in the candidate, z "
            "in the mix.",
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
            wrong(mix=lambda z, n, h_prev, r: n),
        ),
        Mistake(
            "The candidate is added whole. It takes the share that the old state leaves, 1 - z.",
            wrong(mix=lambda z, n, h_prev, r: n + z * h_prev),
        ),
        Mistake(
            "The old state is kept whole. Its share is z.",
            wrong(mix=lambda z, n, h_prev, r: (1 - z) * n + h_prev),
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
            "The reset gate acts before the matrix product, and z and 1 - z are swapped. PyTorch "
            "resets after it, and z is what stays.",
            reset_first(mix=swapped),
        ),
        Mistake(
            "The blocks are read as z, r, n, as in Keras. PyTorch stacks r, z, n. And the reset "
            "gate acts before the matrix product; in PyTorch it acts after.",
            reset_first("zrn"),
        ),
        Mistake(
            "The blocks are read as z, r, n, and z and 1 - z are swapped. PyTorch stacks r, z, n, "
            "and z is what stays.",
            wrong("zrn", mix=swapped),
        ),
        Mistake(
            "The blocks are read as r, n, z: the update gate comes second.",
            wrong("rnz"),
        ),
        Mistake(
            "The blocks are read as z, n, r. PyTorch stacks r, z, n.",
            wrong("znr"),
        ),
        Mistake(
            "The state that is kept is multiplied by r, too. The reset gate acts inside the "
            "candidate only.",
            wrong(mix=lambda z, n, h_prev, r: (1 - z) * n + z * r * h_prev),
        ),
        Mistake(
            "The new state goes through one more `tanh`. Equation 3.7 only mixes.",
            wrong(mix=lambda z, n, h_prev, r: torch.tanh((1 - z) * n + z * h_prev)),
        ),
        Mistake(
            "The difference in the mix has the wrong sign: it is n + z (h - n).",
            wrong(mix=lambda z, n, h_prev, r: n + z * (n - h_prev)),
            also=(wrong(mix=lambda z, n, h_prev, r: h_prev + (1 - z) * (h_prev - n)),),
        ),
        Mistake(
            "The two parts of the mix are subtracted. Add them.",
            wrong(mix=lambda z, n, h_prev, r: (1 - z) * n - z * h_prev),
            also=(wrong(mix=lambda z, n, h_prev, r: z * h_prev - (1 - z) * n),),
        ),
        Mistake(
            "The candidate and the old state get the same share. Theirs are 1 - z and z.",
            wrong(mix=lambda z, n, h_prev, r: z * (n + h_prev)),
            also=(wrong(mix=lambda z, n, h_prev, r: (1 - z) * (n + h_prev)),),
        ),
        Mistake(
            "The candidate and the old state are added whole, without their shares 1 - z and z.",
            wrong(mix=lambda z, n, h_prev, r: n + h_prev),
        ),
        Mistake(
            "The old state does not enter the mix: z of it stays.",
            wrong(mix=lambda z, n, h_prev, r: (1 - z) * n),
        ),
        Mistake(
            "The mix takes the reset gate r. Its shares are those of the update gate, 1 - z and z.",
            wrong(mix=lambda z, n, h_prev, r: (1 - r) * n + r * h_prev),
        ),
        Mistake(
            "The candidate takes the update gate z. Equation 3.6 multiplies by the reset gate, r.",
            wrong(resets=lambda r, z: z),
        ),
        Mistake(
            "The candidate takes 1 - r. Equation 3.6 multiplies by r itself.",
            wrong(resets=lambda r, z: 1 - r),
        ),
        Mistake(
            "The candidate does not see the old state. Equation 3.6 adds r times (h W + b).",
            wrong(candidate=lambda r, x, h, b: torch.tanh(x)),
            also=(wrong(candidate=lambda r, x, h, b: torch.tanh(x + r * b)),),
        ),
        Mistake(
            "In the candidate the old state skips its matrix. Equation 3.6 has r times (h W + b).",
            without_matrix(0.0),
            also=(without_matrix(1.0),),
        ),
        Mistake(
            "The candidate does not see the input. Equation 3.6 has x W + b before the bracket.",
            wrong(candidate=lambda r, x, h, b: torch.tanh(r * (h + b))),
        ),
        Mistake(
            "The candidate is squashed before the state's part is added. `tanh` takes the sum.",
            wrong(candidate=lambda r, x, h, b: torch.tanh(x) + r * (h + b)),
            also=(wrong(candidate=lambda r, x, h, b: torch.tanh(x) + r * torch.tanh(h + b)),),
        ),
        Mistake(
            "The candidate goes through ReLU. It takes `tanh`.",
            wrong(candidate=lambda r, x, h, b: torch.relu(x + r * (h + b))),
        ),
        Mistake(
            "`bias_hh` is missing from both gates. They add it, too.",
            with_biases(lambda b_ih, b_hh, new: (b_ih, b_hh * new)),
        ),
        Mistake(
            "`bias_hh` is missing from the candidate. In equation 3.6 it is in the bracket.",
            with_biases(lambda b_ih, b_hh, new: (b_ih, b_hh * (1 - new))),
        ),
        Mistake(
            "`bias_ih` is missing from the candidate. In equation 3.6 it is before the bracket.",
            with_biases(lambda b_ih, b_hh, new: (b_ih * (1 - new), b_hh)),
        ),
        Mistake(
            "Both biases of the candidate stand inside the bracket. Only `bias_hh` does.",
            with_biases(lambda b_ih, b_hh, new: (b_ih * (1 - new), b_hh + b_ih * new)),
        ),
        Mistake(
            "The two biases of the candidate have changed places: `bias_hh` stands inside the "
            "bracket that r multiplies, `bias_ih` before it.",
            with_biases(lambda b_ih, b_hh, new: (b_hh, b_ih)),
        ),
        *cell_mistakes(gru_step, wrong, 3),
    ),
)
