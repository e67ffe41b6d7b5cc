"""`gradient_norms`: how much of the gradient reaches each time step, section 1.7.

B sequences in a batch, T time steps, D input size, H hidden size.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_01 import call_gradient_norms
from helpers.exercises.contract import Exercise, Mistake
from helpers.exercises.shared import new_seed


def unroll(cell: Any, x: torch.Tensor) -> list[torch.Tensor]:
    """Return the states h_1 to h_T, each (B, H), that a cell makes of x (B, T, D), from zeros."""
    h, states = x.new_zeros(len(x), cell.hidden_size), []
    for x_t in x.unbind(dim=1):
        h = cell(x_t, h)
        states.append(h)
    return states


def gradient_norms(cell, x, loss):
    """Return the norms (T,) of the gradients of loss(h_T) at h_1 to h_T, by `torch.autograd.grad`.

    cell(x_t, h) is one step; x (B, T, D), float64 as the result; loss returns a scalar.
    """
    states = unroll(cell, x)
    gradients = torch.autograd.grad(loss(states[-1]), states)
    return torch.stack([torch.linalg.vector_norm(gradient) for gradient in gradients])


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw inputs and a loss for cells of three kinds: equation 1.4 as it stands fits one only."""
    sizes = [(2, 6, 3, 4), (1, 1, 2, 3), (3, 9, 1, 5), (1, 12, 4, 2)]  # B, T, D, H
    sizes += [tuple(rng.integers(2, 8, size=4)) for _ in range(4)]
    cells = ["RNNCell", "RNNCell", "GRUCell", "LeakyCell"] * 2
    return [
        {
            "cell": cell,
            "x": rng.normal(size=(B, T, D)),
            "v": rng.normal(size=H),
            "seed": new_seed(rng),
        }
        for cell, (B, T, D, H) in zip(cells, sizes, strict=True)
    ]


def wrong(measure=lambda h: h.grad.norm(), retain=True) -> Callable:
    """Return a `gradient_norms` that departs from the right one in what is given."""

    def answer(cell, x, loss):
        states = unroll(cell, x)
        if retain:
            for h in states:
                h.retain_grad()
        loss(states[-1]).backward()
        return torch.stack([measure(h) for h in states])

    return answer


def by_the_chapters_equation(cell, x, loss):
    states = unroll(cell, x)
    last = states[-1].detach().requires_grad_()
    gradient = torch.autograd.grad(loss(last), last)[0]  # (B, H)
    norms = []
    for h in reversed(states):
        norms.append(gradient.norm())
        gradient = (gradient * (1 - h**2)) @ cell.weight_hh
    return torch.stack(norms[::-1])


def norms_of_inputs(cell, x, loss):
    x = x.clone().requires_grad_()
    loss(unroll(cell, x)[-1]).backward()
    return x.grad.norm(dim=(0, 2))  # (B, T, D) to (T,)


def every_step_alone(cell, x, loss):
    gradients = [torch.autograd.grad(loss(h), h)[0] for h in unroll(cell, x)]
    return torch.stack([gradient.norm() for gradient in gradients])


def detached_at_each_step(cell, x, loss):
    norms = gradient_norms(cell, x, loss)
    return torch.cat([0 * norms[:-1], norms[-1:]])


def a_loss_at_every_step(cell, x, loss):
    states = unroll(cell, x)
    gradients = torch.autograd.grad(sum(map(loss, states)), states)
    return torch.stack([gradient.norm() for gradient in gradients])


EXERCISE = Exercise(
    name="gradient_norms",
    title="how much of the gradient reaches each time step",
    points=3,
    outputs={"norms": "T"},
    cases=cases,
    drive=call_gradient_norms,
    reference=gradient_norms,
    against="`torch.autograd.grad` with respect to each state",
    tolerance=1e-8,
    mistakes=(
        Mistake(
            "`h.grad` is None. Was `h.retain_grad()` called on each state, and then `backward` on "
            "the loss? Without the first, PyTorch keeps gradients of leaves only, like parameters. "
            "And is no state detached on its way to the next step?",
            wrong(retain=False),
            also=(
                wrong(lambda h: torch.linalg.vector_norm(h.grad), retain=False),
                wrong(lambda h: (h.grad**2).sum().sqrt(), retain=False),
            ),
        ),
        Mistake(
            "Equation 1.4 written out holds for the plain network only. `cell` may be any step: "
            "let `backward` go through it.",
            by_the_chapters_equation,
        ),
        Mistake(
            "These are the norms of the states. Measure their gradients, `h.grad`.",
            wrong(lambda h: h.norm()),
        ),
        Mistake(
            "These are the gradients of the inputs x_t. Measure those of the states h_t.",
            norms_of_inputs,
        ),
        Mistake(
            "The order is reversed: entry t belongs to step t, so the last step comes last.",
            lambda cell, x, loss: gradient_norms(cell, x, loss).flip(0),
        ),
        Mistake(
            "These are squared norms: take the root.",
            wrong(lambda h: h.grad.square().sum()),
        ),
        Mistake(
            "This is the mean size of an entry, not the norm: the root of the sum of squares.",
            wrong(lambda h: h.grad.abs().mean()),
        ),
        Mistake(
            "This is the sum of absolute values. The norm meant here is the Euclidean one.",
            wrong(lambda h: h.grad.abs().sum()),
        ),
        Mistake(
            "Each state's loss is taken on its own. There is one loss, on the last state, "
            "and its gradient travels back through all the others.",
            every_step_alone,
        ),
        Mistake(
            "The state is detached between the steps, so that the gradient ends at the last one. "
            "Hand it on as it is.",
            detached_at_each_step,
        ),
        Mistake(
            "This is the mean over the sequences of the batch. Take one norm over all entries of a "
            "step's gradient.",
            wrong(lambda h: h.grad.norm(dim=1).mean()),
        ),
        Mistake(
            "This is the sum over the sequences of the batch. Take one norm over all entries of a "
            "step's gradient.",
            wrong(lambda h: h.grad.norm(dim=1).sum()),
        ),
        Mistake(
            "There is a loss at every step here, and their gradients add up. There is one loss, on "
            "the last state.",
            a_loss_at_every_step,
        ),
    ),
)
