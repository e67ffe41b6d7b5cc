"""`lstm_step`: one step of an LSTM, equations 3.1 to 3.4.

B sequences in a batch, D input size, H hidden size. The blocks of a matrix or a bias lie one upon
the other in PyTorch's order: i, f, g, o.
"""

import itertools
from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case, call
from helpers.exercises.chapter_03.parts.cells import cell_mistakes
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import normal


def lstm_step(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return h_t (B, H) and c_t (B, H), one step of `nn.LSTMCell`.

    x_t (B, D), h_prev (B, H), c_prev (B, H), weight_ih (4H, D), weight_hh (4H, H), bias_ih (4H,),
    bias_hh (4H,), all float32.
    """
    cell = nn.LSTMCell(x_t.shape[1], h_prev.shape[1])
    weights = {"weight_ih": weight_ih, "weight_hh": weight_hh}
    weights |= {"bias_ih": bias_ih, "bias_hh": bias_hh}
    return torch.func.functional_call(cell, weights, (x_t, (h_prev, c_prev)))


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw an input, a state and weights. Where D = H, swapped arguments go through."""
    return cell_cases(rng, gates=4, states=("h_prev", "c_prev"))


def cell_cases(rng: np.random.Generator, gates: int, states: tuple[str, ...]) -> list[Case]:
    """Return cases for a cell with so many blocks of weights and these parts of its state.

    One begins from zeros, as a sequence does.
    """
    sizes = [(2, 3, 4), (1, 1, 1), (5, 4, 4), (4, 2, 3), (1, 6, 2)]  # B, D, H
    sizes += [tuple(rng.integers(2, 8, size=3)) for _ in range(7)]
    return [
        {
            "x_t": normal(rng, B, D),
            **{state: normal(rng, B, H).clip(-1, 1) * (number != 5) for state in states},
            "weight_ih": normal(rng, gates * H, D),
            "weight_hh": normal(rng, gates * H, H),
            "bias_ih": normal(rng, gates * H),
            "bias_hh": normal(rng, gates * H),
        }
        for number, (B, D, H) in enumerate(sizes)
    ]


def wrong(
    order="ifgo",
    cut=lambda sums: sums.chunk(4, dim=1),
    gate=torch.sigmoid,
    new=torch.tanh,
    memory=lambda i, f, g, c_prev: f * c_prev + i * g,
    state=lambda o, c_t, c_prev: o * torch.tanh(c_t),
    returned=lambda h_t, c_t, c_prev: (h_t, c_t),
) -> Callable:
    """Return an `lstm_step` that departs from the right one in what is given."""

    def answer(x_t, h_prev, c_prev, weight_ih, weight_hh, bias_ih, bias_hh):
        sums = x_t @ weight_ih.T + h_prev @ weight_hh.T + bias_ih + bias_hh  # (B, 4H)
        # Unpacked as in an answer, so that a wrong cut stops with the same words.
        first, second, third, fourth = cut(sums)  # (B, H) each
        named = dict(zip(order, (first, second, third, fourth), strict=True))
        i, f, o = (gate(named[name]) for name in "ifo")
        c_t = memory(i, f, new(named["g"]), c_prev)
        return returned(state(o, c_t, c_prev), c_t, c_prev)

    return answer


EXERCISE = Exercise(
    name="lstm_step",
    title="one step of an LSTM",
    points=3,
    difficulty=2,
    outputs={"c_t": "B H", "h_t": "B H"},  # h_t is made of c_t
    returned=("h_t", "c_t"),
    cases=cases,
    drive=call,
    reference=lstm_step,
    against="`nn.LSTMCell`",
    by_hand=frozenset({"lstm", "lstm_cell"}),
    mistakes=(
        Mistake(
            "The forget gate and the input gate are swapped: the blocks are i, f, g, o, and f "
            "multiplies the old memory.",
            wrong(order="figo"),
        ),
        Mistake(
            "The candidate g and the output gate o are swapped: PyTorch stacks i, f, g, o.",
            wrong(order="ifog"),
        ),
        Mistake(
            "The gates are taken in the order of the equations in many books, f, i, o, g. "
            "PyTorch stacks i, f, g, o.",
            wrong(order="fiog"),
        ),
        Mistake(
            "The forget gate and the candidate g are swapped: PyTorch stacks i, f, g, o.",
            wrong(order="igfo"),
        ),
        *(
            Mistake(
                f"It comes out as if the blocks were {', '.join(order)}. They are i, f, g, o.",
                wrong(order=order),
            )
            for order in map("".join, itertools.permutations("ifgo"))
            if order not in ("ifgo", "figo", "ifog", "fiog", "igfo")
        ),
        Mistake(
            "The pair is returned as (c_t, h_t). Return h first: `h_t, c_t`.",
            lambda *args: lstm_step(*args)[::-1],
        ),
        Mistake(
            "h and c are confused on the way in: the gates look at `h_prev`, and what the forget "
            "gate keeps is `c_prev`.",
            lambda x, h, c, *weights: lstm_step(x, c, h, *weights),
        ),
        Mistake(
            "The forget gate multiplies `h_prev`. It keeps the memory, `c_prev`.",
            lambda x, h, c, *weights: lstm_step(x, h, h, *weights),
        ),
        Mistake(
            "The output gate acts before `tanh`. Equation 3.4 squashes the memory first: "
            "o times tanh(c).",
            wrong(state=lambda o, c_t, c_prev: torch.tanh(o * c_t)),
        ),
        Mistake(
            "The memory leaves without `tanh`: equation 3.4 is o times tanh(c).",
            wrong(state=lambda o, c_t, c_prev: o * c_t),
        ),
        Mistake(
            "h_t is made from the old memory. Update c first, then let the output gate show it.",
            wrong(state=lambda o, c_t, c_prev: o * torch.tanh(c_prev)),
        ),
        Mistake(
            "The candidate g goes through a sigmoid. It is the one of the four that takes `tanh`: "
            "what is written may be negative.",
            wrong(new=torch.sigmoid),
        ),
        Mistake(
            "The candidate g is not squashed. It takes `tanh`.",
            wrong(new=lambda sums: sums),
        ),
        Mistake(
            "The input gate is missing: the candidate is written whole. Equation 3.3 is "
            "f times c plus i times g.",
            wrong(memory=lambda i, f, g, c_prev: f * c_prev + g),
        ),
        Mistake(
            "The forget gate is missing: the old memory is kept whole. Equation 3.3 is "
            "f times c plus i times g.",
            wrong(memory=lambda i, f, g, c_prev: c_prev + i * g),
        ),
        Mistake(
            "1 - f of the old memory is kept. In spite of its name, f is the share that stays.",
            wrong(memory=lambda i, f, g, c_prev: (1 - f) * c_prev + i * g),
        ),
        Mistake(
            "What is written is tied to what is forgotten, 1 - f. An LSTM has an input gate for "
            "it; the tie is the GRU's.",
            wrong(memory=lambda i, f, g, c_prev: f * c_prev + (1 - f) * g),
        ),
        Mistake(
            "The old memory is kept by 1 - i. An LSTM has a forget gate for it.",
            wrong(memory=lambda i, f, g, c_prev: (1 - i) * c_prev + i * g),
        ),
        Mistake(
            "The forget gate multiplies what is newly written, too. It is for the old memory.",
            wrong(memory=lambda i, f, g, c_prev: f * (c_prev + i * g)),
        ),
        Mistake(
            "One gate multiplies the old memory and what is new. Equation 3.3 has two, f and i.",
            wrong(memory=lambda i, f, g, c_prev: f * (c_prev + g)),
            also=(wrong(memory=lambda i, f, g, c_prev: i * (c_prev + g)),),
        ),
        Mistake(
            "The input gate acts before `tanh`. In equation 3.3 the candidate is squashed before.",
            wrong(
                new=lambda sums: sums,
                memory=lambda i, f, g, c_prev: f * c_prev + torch.tanh(i * g),
            ),
        ),
        Mistake(
            "The gates look at `c_prev`. They should look at `h_prev`.",
            lambda x, h, c, *weights: lstm_step(x, c, c, *weights),
        ),
        Mistake(
            "The old memory is gone. Equation 3.3 is f times c plus i times g.",
            wrong(memory=lambda i, f, g, c_prev: i * g),
        ),
        Mistake(
            "Nothing new is written. Equation 3.3 is f times c plus i times g.",
            wrong(memory=lambda i, f, g, c_prev: f * c_prev),
        ),
        Mistake(
            "What is new is subtracted. Equation 3.3 is f times c plus i times g.",
            wrong(memory=lambda i, f, g, c_prev: f * c_prev - i * g),
        ),
        Mistake(
            "The candidate goes through a sigmoid and then through `tanh`. It takes `tanh` alone.",
            wrong(new=lambda sums: sums.sigmoid().tanh()),
        ),
        Mistake(
            "All four sums go through a sigmoid first, and are squashed once more after it.",
            wrong(cut=lambda sums: sums.sigmoid().chunk(4, dim=1)),
        ),
        Mistake(
            "1 is added to the sum of the forget gate, as some libraries did. PyTorch adds nothing "
            "but its two biases.",
            wrong(
                cut=lambda sums: [
                    part + float(k == 1) for k, part in enumerate(sums.chunk(4, dim=1))
                ]
            ),
        ),
        Mistake("The candidate goes through ReLU. It takes `tanh`.", wrong(new=torch.relu)),
        Mistake(
            "The memory is cut off at -1 and 1. It may grow beyond, as equation 3.3 has it.",
            wrong(memory=lambda i, f, g, c_prev: (f * c_prev + i * g).clamp(-1, 1)),
        ),
        Mistake(
            "The memory itself is squashed by `tanh`. Only what `h_t` shows of it is.",
            wrong(returned=lambda h_t, c_t, c_prev: (h_t, torch.tanh(c_t))),
            also=(wrong(memory=lambda i, f, g, c_prev: torch.tanh(f * c_prev + i * g)),),
        ),
        Mistake(
            "The output gate is missing: equation 3.4 is o times tanh(c).",
            wrong(state=lambda o, c_t, c_prev: torch.tanh(c_t)),
        ),
        Mistake(
            "h_t is the output gate alone. Equation 3.4 is o times tanh(c).",
            wrong(state=lambda o, c_t, c_prev: o),
        ),
        Mistake(
            "The memory leaves through a sigmoid or ReLU. Equation 3.4 is o times tanh(c).",
            wrong(state=lambda o, c_t, c_prev: o * torch.sigmoid(c_t)),
            also=(wrong(state=lambda o, c_t, c_prev: o * torch.relu(c_t)),),
        ),
        Mistake(
            "What is returned as `c_t` is the old memory.",
            wrong(returned=lambda h_t, c_t, c_prev: (h_t, c_prev)),
        ),
        Mistake(
            "What is returned as `c_t` is h_t once more. The memory is not squashed or gated.",
            wrong(returned=lambda h_t, c_t, c_prev: (h_t, h_t)),
        ),
        Mistake(
            "What is returned as `h_t` is c_t once more. Equation 3.4 makes h of it.",
            wrong(returned=lambda h_t, c_t, c_prev: (c_t, c_t)),
        ),
        Mistake(
            "The second value is a tuple. Return two tensors, `h_t, c_t`; `out, (h, c)` is what an "
            "`nn.LSTM` returns.",
            wrong(returned=lambda h_t, c_t, c_prev: (h_t, (h_t, c_t))),
        ),
        *cell_mistakes(lstm_step, wrong, 4),
    ),
)
