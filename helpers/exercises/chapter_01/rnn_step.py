"""`rnn_step`: one step of a recurrent network, equation 1.2.

B sequences in a batch, D input size, H hidden size; states are rows.
"""

import numpy as np
import torch
from torch import nn

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

    The last inputs are so large that their exponentials are none of a computer's numbers.
    """
    sizes = [(2, 3, 4), (1, 1, 1), (5, 4, 4), (1, 6, 3)]  # B, D, H
    sizes += [tuple(rng.integers(2, 8, size=3)) for _ in range(8)]
    return [
        {
            "x_t": normal(rng, B, D) * np.float32(1 if number < 11 else 300),
            "h_prev": normal(rng, B, H).clip(-1, 1),
            "W_xh": normal(rng, D, H),
            "W_hh": normal(rng, H, H),
            "b_h": normal(rng, H),
        }
        for number, (B, D, H) in enumerate(sizes)
    ]


EXERCISE = Exercise(
    name="rnn_step",
    title="one step of a recurrent network",
    points=2,
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
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + b) + h @ W_hh,
        ),
        Mistake(
            "The bias is added twice, once with each product. There is one `b_h` here.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(x @ W_xh + b + h @ W_hh + b),
        ),
        Mistake(
            "This is written for columns. States are rows here: `x_t @ W_xh`, not `W_xh @ x_t`.",
            lambda x, h, W_xh, W_hh, b: torch.tanh(W_xh @ x + W_hh @ h + b),
            also=(
                lambda x, h, W_xh, W_hh, b: torch.tanh(W_hh @ h + W_xh @ x + b),
                lambda x, h, W_xh, W_hh, b: torch.tanh(W_xh.T @ x + W_hh.T @ h + b),
                lambda x, h, W_xh, W_hh, b: torch.tanh(W_xh.T @ x.T + W_hh.T @ h.T + b[:, None]),
            ),
        ),
    ),
)
