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


def unroll(cell: Any, x: torch.Tensor, start: float = 0.0) -> list[torch.Tensor]:
    """Return the states h_1 to h_T, each (B, H), that a cell makes of x (B, T, D), from zeros.

    start: another number that fills h_0
    """
    h, states = x.new_full((len(x), cell.hidden_size), start), []
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
    """Draw inputs and a loss for cells of three kinds: what 1.7.1 derives fits one only."""
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


def wrong_norms(measure=torch.linalg.vector_norm, start=0.0, loss_of=None) -> Callable:
    """Return a `gradient_norms` that departs from the right one in what is given.

    measure  a state's gradient (B, H) -> its norm
    loss_of  another loss than the one that is handed in
    """

    def answer(cell, x, loss):
        states = unroll(cell, x, start)
        gradients = torch.autograd.grad((loss_of or loss)(states[-1]), states)
        return torch.stack([measure(gradient) for gradient in gradients])

    return answer


def after(change: Callable) -> Callable:
    """Return a `gradient_norms` that changes the right norms."""
    return lambda *given: change(gradient_norms(*given))


def from_h_0(last: int | None) -> Callable:
    """Return a `gradient_norms` that begins with the gradient of h_0 and ends before `last`."""

    def answer(cell, x, loss):
        h_0 = x.new_zeros(len(x), cell.hidden_size, requires_grad=True)
        h, states = h_0, [h_0]
        for x_t in x.unbind(dim=1):
            h = cell(x_t, h)
            states.append(h)
        gradients = torch.autograd.grad(loss(h), states)
        return torch.stack([gradient.norm() for gradient in gradients])[:last]

    return answer


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
    difficulty=2,
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
            "What section 1.7.1 derives holds for the plain network only. `cell` may be any step: "
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
            "Each step has the norm of the last: is each state's own loss taken, or `h_T` measured "
            "each time? One loss, on the last state, travels back through all the others.",
            every_step_alone,
        ),
        Mistake(
            "No gradient comes further back than the last state. Is a state detached, not handed "
            "on, or only the last norm stored? Each step gets the state of the one before.",
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
        Mistake(
            "The first norm is that of h_0, so there is one too many. Begin with h_1, the state "
            "after the first step.",
            from_h_0(None),
        ),
        Mistake(
            "These are the norms for h_0 to h_{T-1}. Keep each state after its step: h_1 to h_T.",
            from_h_0(-1),
        ),
        Mistake(
            "`backward` is called once per state, and `h.grad` adds up what each call brings. "
            "Call it once.",
            after(lambda norms: norms * torch.arange(1, len(norms) + 1)),
        ),
        Mistake(
            "`backward` starts from the sum of the last state's entries. Start from "
            "`loss(h_T)`, which may be another.",
            wrong_norms(loss_of=torch.sum),
        ),
        Mistake(
            "`backward` starts from the mean of the last state's entries. Start from "
            "`loss(h_T)`, which may be another.",
            wrong_norms(loss_of=torch.mean),
        ),
        Mistake(
            "This is the root of the mean square. The norm is the root of the sum of squares.",
            wrong_norms(lambda g: g.square().mean().sqrt()),
        ),
        Mistake(
            "This is the spectral norm of each gradient, a norm of matrices. Take the root of the "
            "sum of all squares: `torch.linalg.vector_norm`.",
            wrong_norms(lambda g: torch.linalg.matrix_norm(g, ord=2)),
        ),
        Mistake(
            "This is the largest entry of each gradient. The norm is the root of the sum of "
            "squares.",
            wrong_norms(lambda g: g.abs().max()),
            also=(wrong_norms(torch.max),),
        ),
        Mistake(
            "This adds the entries of each gradient, or averages them, with their signs. The norm "
            "is the root of the sum of squares.",
            wrong_norms(torch.sum),
            also=(wrong_norms(torch.mean),),
        ),
        Mistake(
            "There is one norm per sequence here. Take one over the whole batch at every step.",
            wrong_norms(lambda g: g.norm(dim=1)),
            also=(lambda *given: wrong_norms(lambda g: g.norm(dim=1))(*given).T,),
        ),
        Mistake(
            "Only one sequence of the batch is measured. Take the norm over all of them.",
            wrong_norms(lambda g: g[0].norm()),
            also=(wrong_norms(lambda g: g[-1].norm()),),
        ),
        Mistake(
            "The gradients of the batch are added or averaged before the norm. Take the norm over "
            "all entries, of every sequence.",
            wrong_norms(lambda g: g.mean(dim=0).norm()),
            also=(wrong_norms(lambda g: g.sum(dim=0).norm()),),
        ),
        Mistake(
            "The norms are divided by one of them. Return them as they are.",
            after(lambda norms: norms / norms[-1]),
            also=(
                after(lambda norms: norms / norms.max()),
                after(lambda norms: norms / norms[0]),
            ),
        ),
        Mistake(
            "The first state is made of ones. Run the cell from the state 0.",
            wrong_norms(start=1.0),
        ),
        Mistake(
            "The sequence is read from its end. At step t the cell reads `x[:, t]`.",
            lambda cell, x, loss: gradient_norms(cell, x.flip(1), loss),
            also=(lambda cell, x, loss: gradient_norms(cell, x.flip(1), loss).flip(0),),
        ),
    ),
)
