"""`reach`: how far back a change of the input is felt by the last state, section 3.5.

B sequences in a batch, T time steps, D input size.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_03 import call_reach
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


def reach(rnn, x):
    """Return the norms (T,), relative to the first, of the gradients k = 0 to T - 1 steps back.

    They are those of the sum of the last step's states by the input, x (B, T, D), by
    `torch.autograd.grad`. rnn is an `nn.RNN`, `nn.GRU` or `nn.LSTM` with `batch_first`.
    """
    norms = norms_at_inputs(rnn, x).flip(0)
    return norms / norms[0]


def norms_at_inputs(rnn, x, loss=lambda out: out[:, -1].sum(), norm=torch.linalg.vector_norm):
    """Return norms (T,) of the gradients of loss(out) by the inputs, in the order of the steps."""
    x = x.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(loss(rnn(x)[0]), x)
    return torch.stack([norm(at_step) for at_step in gradient.unbind(dim=1)])  # (B, D) each


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw inputs for networks of three kinds; one has two layers.

    In some the matrix between states is so large that a gradient grows on its way back.
    """
    sizes = [(2, 6, 3, 4), (1, 1, 2, 3), (3, 9, 1, 5), (1, 12, 4, 2)]  # B, T, D, H
    sizes += [tuple(rng.integers(2, 8, size=4)) for _ in range(2)]
    return [
        {
            "kind": kind,
            "x": rng.normal(size=(B, T, D)),
            "hidden_size": int(H),
            "num_layers": layers,
            "stretch": stretch,
            "seed": new_seed(rng),
        }
        for kind, layers, stretch, (B, T, D, H) in zip(
            ["LSTM", "RNN", "GRU", "RNN", "LSTM", "GRU"],
            [1, 1, 1, 1, 2, 1],
            [1.0, 1.0, 4.0, 1.0, 4.0, 4.0],
            sizes,
            strict=True,
        )
    ]


def wrong(finish=lambda norms: norms.flip(0) / norms[-1], **parts: Callable) -> Callable:
    """Return a `reach` that departs from the right one in what is given: see `norms_at_inputs`."""
    return lambda rnn, x: finish(norms_at_inputs(rnn, x, **parts))


def of_states(rnn, x):
    out = rnn(x)[0]
    norms = torch.stack([torch.linalg.vector_norm(h) for h in out.unbind(dim=1)]).flip(0)
    return norms / norms[0]


EXERCISE = Exercise(
    name="reach",
    title="how far back a change of the input is felt",
    points=3,
    difficulty=2,
    outputs={"relative": "T"},
    cases=cases,
    drive=call_reach,
    reference=reach,
    against="`torch.autograd.grad` with respect to the input",
    tolerance=1e-8,
    mistakes=(
        Mistake(
            "The order is that of the steps. Entry k belongs to the input k steps before the last: "
            "entry 0 is 1.",
            wrong(lambda norms: norms / norms[-1]),
        ),
        Mistake(
            "Divided by the first input's norm. The last step is the one to compare with.",
            wrong(lambda norms: norms.flip(0) / norms[0]),
            also=(wrong(lambda norms: norms / norms[0]),),
        ),
        Mistake(
            "These are the norms themselves. Divide them by the last step's.",
            wrong(lambda norms: norms.flip(0)),
            also=(wrong(lambda norms: norms),),
        ),
        Mistake(
            "Divided by the largest norm, which may be another one than the last step's.",
            wrong(lambda norms: norms.flip(0) / norms.max()),
        ),
        Mistake(
            "Divided by the sum of all norms. Divide by the last step's.",
            wrong(lambda norms: norms.flip(0) / norms.sum()),
        ),
        Mistake(
            "The loss is on all steps. Put it on the last one alone: `out[:, -1].sum()`.",
            wrong(loss=torch.sum),
            also=(wrong(loss=torch.mean),),
        ),
        Mistake(
            "The loss is on the first step, which no later input reaches.",
            wrong(loss=lambda out: out[:, 0].sum(), finish=lambda n: n.flip(0) / n[0]),
        ),
        Mistake(
            "These are squared norms: take the root.",
            wrong(norm=lambda g: g.square().sum()),
        ),
        Mistake(
            "This is the sum of absolute values, or their mean. The norm meant here is the "
            "Euclidean one.",
            wrong(norm=lambda g: g.abs().sum()),
        ),
        Mistake(
            "This is the largest entry of each gradient. The norm is the root of the sum of "
            "squares.",
            wrong(norm=lambda g: g.abs().max()),
        ),
        Mistake(
            "This adds the entries of each gradient with their signs. The norm is the root of the "
            "sum of squares.",
            wrong(norm=torch.sum),
            also=(wrong(norm=lambda g: g.sum().abs()),),
        ),
        Mistake(
            "There is one norm for each sequence, and these are averaged. Take one over the whole "
            "batch at every step.",
            wrong(norm=lambda g: torch.linalg.vector_norm(g, dim=1).mean()),
        ),
        Mistake(
            "These are the norms of the states. It is the gradients at the inputs that are asked.",
            of_states,
        ),
        Mistake(
            "The loss is the sum of the squares of the last states. Take the states as they are.",
            wrong(loss=lambda out: out[:, -1].square().sum()),
        ),
    ),
)
