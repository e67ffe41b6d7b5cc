"""`rnn_step`: one step of a recurrent network, equation 1.2.

B sequences in a batch, D input size, H hidden size; states are rows.
"""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def rnn_step(x_t, h_prev, W_xh, W_hh, b_h):
    """Return h_t (B, H), one step of `nn.RNNCell`.

    x_t (B, D), h_prev (B, H), W_xh (D, H), W_hh (H, H), b_h (H,). PyTorch stores its matrices
    transposed, and has a second bias, which is 0 here.
    """
    cell = nn.RNNCell(*W_xh.shape)
    weights = {"weight_ih": W_xh.T, "weight_hh": W_hh.T, "bias_ih": b_h, "bias_hh": 0 * b_h}
    return torch.func.functional_call(cell, weights, (x_t, h_prev))


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw an input, a state and weights. Where D = H, swapped arguments go through.

    The last inputs are so large that their exponentials are none of a computer's numbers, in one
    feature with either sign: of several such terms float32 would lose the digits of a small sum.
    """
    sizes = [(2, 3, 4), (1, 1, 1), (5, 4, 4), (1, 6, 3)]  # B, D, H
    sizes += [tuple(rng.integers(2, 8, size=3)) for _ in range(8)]
    drawn = [
        {
            "x_t": normal(rng, B, D),
            "h_prev": normal(rng, B, H).clip(-1, 1),
            "W_xh": normal(rng, D, H),
            "W_hh": normal(rng, H, H),
            "b_h": normal(rng, H),
        }
        for B, D, H in sizes
    ]
    large = drawn[-1]["x_t"]
    large[:] = 0
    large[::2, 0], large[1::2, 0] = 30_000, -30_000
    return drawn


def wrong(squash=torch.tanh, state_part=torch.matmul, bias=lambda b: b) -> Callable:
    """Return a `rnn_step` that departs from the right one in what is given."""
    return lambda x, h, W_xh, W_hh, b: squash(x @ W_xh + state_part(h, W_hh) + bias(b))


def parts(join: Callable) -> Callable:
    """Return a `rnn_step` that joins the input's part, the state's part and the bias."""
    return lambda x, h, W_xh, W_hh, b: join(x @ W_xh, h @ W_hh, b)


def joined(x, h, upper, lower, b):
    return torch.tanh(torch.cat([x, h], dim=1) @ torch.cat([upper, lower]) + b)


EXERCISE = Exercise(
    name="rnn_step",
    title="one step of a recurrent network",
    points=2,
    difficulty=1,
    outputs={"h_t": "B H"},
    cases=cases,
    drive=call,
    reference=rnn_step,
    against="`nn.RNNCell`",
    by_hand=frozenset({"rnn_tanh", "rnn_tanh_cell"}),
    mistakes=(
        Mistake(
            "This is the state before `tanh`: squash the whole sum.",
            lambda x, h, W_xh, W_hh, b: x @ W_xh + h @ W_hh + b,
        ),
        Mistake(
            "This squashes with a sigmoid, into (0, 1). Equation 1.2 says `tanh`, into (-1, 1).",
            lambda x, h, W_xh, W_hh, b: torch.sigmoid(x @ W_xh + h @ W_hh + b),
        ),
        Mistake(
            "This squashes with ReLU. Equation 1.2 says `tanh`.",
            lambda x, h, W_xh, W_hh, b: torch.relu(x @ W_xh + h @ W_hh + b),
        ),
        Mistake(
            "`W_hh` is transposed. States are rows here, so the product is `h_prev @ W_hh`.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h @ W_hh.T + b),
        ),
        Mistake(
            "The bias `b_h` is missing from the sum.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h @ W_hh),
        ),
        Mistake(
            "The old state is added as it is. It must go through `W_hh` first.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h + b),
        ),
        Mistake(
            "The old state is added behind `tanh`. It goes through `W_hh`, inside `tanh`.",
            lambda x, h, W_xh, W_hh, b: h + torch.tanh(x @ W_xh + b),
        ),
        Mistake(
            "The old state is added once more behind `tanh`. Nothing is added there: it has gone "
            "through `W_hh` already.",
            lambda x, h, W_xh, W_hh, b: h + torch.tanh(x @ W_xh + h @ W_hh + b),
        ),
        Mistake(
            "The old state is not used at all: this is a feed-forward layer.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + b),
        ),
        Mistake(
            "`x_t` and `h_prev` are swapped: `x_t` goes through `W_xh`, `h_prev` through `W_hh`.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(h @ W_xh + x @ W_hh + b),
        ),
        Mistake(
            "The bias is added behind `tanh`. It belongs inside, to the sum.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h @ W_hh) + b,
        ),
        Mistake(
            "Only the input's part goes through `tanh`. Squash the whole sum.",
            parts(lambda x, h, b: torch.tanh(x + b) + h),
            also=(parts(lambda x, h, b: torch.tanh(x) + h + b),),
        ),
        Mistake(
            "Only the state's part goes through `tanh`. Squash the whole sum, the input's part "
            "with it.",
            parts(lambda x, h, b: torch.tanh(h + b) + x),
            also=(parts(lambda x, h, b: torch.tanh(h) + x + b),),
        ),
        Mistake(
            "Each part goes through a `tanh` of its own. Add them first: there is one `tanh`, over "
            "the whole sum.",
            parts(lambda x, h, b: torch.tanh(x) + torch.tanh(h + b)),
            also=(
                parts(lambda x, h, b: torch.tanh(x + b) + torch.tanh(h)),
                parts(lambda x, h, b: torch.tanh(x) + torch.tanh(h) + b),
            ),
        ),
        Mistake(
            "The input's part and the state's part are multiplied. Equation 1.2 adds them.",
            parts(lambda x, h, b: torch.tanh(x * h + b)),
        ),
        Mistake(
            "The state's part or the bias is subtracted. Equation 1.2 adds both.",
            parts(lambda x, h, b: torch.tanh(x - h + b)),
            also=(parts(lambda x, h, b: torch.tanh(x + h - b)),),
        ),
        Mistake(
            "`h_prev` goes through `tanh` once more before `W_hh`. It has been through it: take it "
            "as it is.",
            wrong(state_part=lambda h, W: h.tanh() @ W),
        ),
        Mistake(
            "The bias is added twice, once with each product. There is one `b_h` here.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + b + h @ W_hh + b),
        ),
        Mistake(
            "This is written for columns. Inputs and states are rows here, and the matrix comes "
            "last: `x_t @ W_xh`, `h_prev @ W_hh`.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(W_xh @ x + W_hh @ h + b),
            also=(
                lambda x, h, W_xh, W_hh, b: torch.tanh(W_hh @ h + W_xh @ x + b),
                lambda x, h, W_xh, W_hh, b: torch.tanh(W_xh.T @ x + W_hh.T @ h + b),
                lambda x, h, W_xh, W_hh, b: torch.tanh(W_xh.T @ x.T + W_hh.T @ h.T + b[:, None]),
            ),
        ),
        Mistake(
            "The input is not used: `x_t @ W_xh` is missing from the sum.",
            parts(lambda x, h, b: torch.tanh(h + b)),
        ),
        Mistake(
            "`W_xh` is transposed, and perhaps `W_hh`. The products are `x_t @ W_xh` and "
            "`h_prev @ W_hh`.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh.T + h @ W_hh + b),
            also=(lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh.T + h @ W_hh.T + b),),
        ),
        Mistake(
            "One matrix serves both products. `x_t` goes through `W_xh`, `h_prev` through `W_hh`.",
            lambda x, h, W_xh, W_hh, b: torch.tanh((x + h) @ W_hh + b),
            also=(lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + h @ W_xh + b),),
        ),
        Mistake(
            "State and input are joined in another order than their weights. `[x_t, h_prev]` needs "
            "`W_xh` on top of `W_hh`.",
            lambda x, h, W_xh, W_hh, b: joined(x, h, W_hh, W_xh, b),
            also=(lambda x, h, W_xh, W_hh, b: joined(h, x, W_xh, W_hh, b),),
        ),
        Mistake(
            "The bias is added down the rows, one entry per sequence. It has one entry per unit: "
            "add `b_h` as it is.",
            wrong(bias=lambda b: b[:, None]),
        ),
        Mistake(
            "The units do not mix: each old value meets its own weight only, on the diagonal of "
            "`W_hh`. Take the matrix product, `h_prev @ W_hh`.",
            wrong(state_part=lambda h, W: h * W.diagonal()),
        ),
        Mistake(
            "`h_prev * W_hh` multiplies entry by entry. The matrix product is `h_prev @ W_hh`.",
            wrong(state_part=torch.mul),
        ),
        Mistake(
            "All sequences go on from one old state, a row of `h_prev` or the mean of its rows. "
            "Each has a row of its own: `h_prev @ W_hh`.",
            wrong(state_part=lambda h, W: h.mean(dim=0) @ W),
            also=(
                wrong(state_part=lambda h, W: h[0] @ W),
                wrong(state_part=lambda h, W: h[-1] @ W),
            ),
        ),
        Mistake(
            "This is the formula of `tanh`, whose `exp` is infinite for large sums, and inf / inf "
            "is nan. Use `torch.tanh`.",
            wrong(lambda z: (z.exp() - (-z).exp()) / (z.exp() + (-z).exp())),
        ),
        Mistake(
            "The sum is cut off at -1 and 1, which is like `tanh` for small sums only. "
            "Use `torch.tanh`.",
            wrong(F.hardtanh),
        ),
        Mistake(
            "The sum goes through another function than `tanh`, which equation 1.2 asks for.",
            wrong(F.softsign),
            also=(
                wrong(lambda z: 2 * torch.sigmoid(z) - 1),
                wrong(torch.atan),
                wrong(torch.sin),
                wrong(torch.tan),
                wrong(F.leaky_relu),
                wrong(F.elu),
                wrong(F.gelu),
                wrong(F.silu),
                wrong(F.softplus),
                wrong(lambda z: z.softmax(dim=-1)),
            ),
        ),
    ),
)
