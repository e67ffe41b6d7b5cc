"""`scan_backward`: the gradients of a linear recurrence, derived, section 6.4.

h_t = a_t h_{t-1} + b_t, all (B, T, D); h_0 (B, D). g (B, T, D) is what the loss alone sends into
each h_t.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def scan_backward(a, h, h_0, g):
    """Return the gradients by a, b (B, T, D) and h_0 (B, D): autograd's, through the loop."""
    b = h - a * torch.cat([h_0[:, None], h[:, :-1]], dim=1)
    with torch.enable_grad():
        a, b, h_0 = (each.detach().requires_grad_() for each in (a, b, h_0))
        states, state = [], h_0
        for a_t, b_t in zip(a.unbind(1), b.unbind(1), strict=True):
            state = a_t * state + b_t
            states.append(state)
        return torch.autograd.grad(torch.stack(states, dim=1), (a, b, h_0), g)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw recurrences in double precision; one is a single step, in one some factors are 0."""
    drawn = []
    for B, T, D in ((2, 6, 3), (1, 9, 2), (3, 1, 2), (2, 30, 1)):
        a, b, g = (
            rng.uniform(-1, 1, (B, T, D)),
            rng.normal(size=(B, T, D)),
            rng.normal(size=(B, T, D)),
        )
        if T == 9:
            a[:, 2::4] = 0.0
        h_0, states = rng.normal(size=(B, D)), []
        h = h_0
        for t in range(T):
            h = a[:, t] * h + b[:, t]
            states.append(h)
        drawn.append({"a": a, "h": np.stack(states, axis=1), "h_0": h_0, "g": g})
    return drawn


def wrong(
    passed: Callable = lambda a, t: a[:, t + 1],
    arriving: Callable = lambda g, t: g[:, t],
    of_a: Callable = lambda into, h, h_0: into * torch.cat([h_0[:, None], h[:, :-1]], dim=1),
    of_b: Callable = lambda into, a: into,
    of_h_0: Callable = lambda into, a: a[:, 0] * into[:, 0],
) -> Callable:
    """Return a `scan_backward` that departs from the right one in what is given.

    passed    (a, t) -> by what the error at t + 1 is multiplied on its way to t
    arriving  (g, t) -> what the loss sends into h_t
    """

    def answer(a, h, h_0, g):
        T = a.shape[1]
        into = [torch.zeros_like(h_0)] * T
        for t in reversed(range(T)):
            into[t] = arriving(g, t)
            if t + 1 < T:
                into[t] = into[t] + passed(a, t) * into[t + 1]
        into = torch.stack(into, dim=1)
        return of_a(into, h, h_0), of_b(into, a), of_h_0(into, a)

    return answer


def one_step_back(a, h, h_0, g, of: Callable = lambda a, t: a[:, t + 1]):
    into = g.clone()
    for t in range(a.shape[1] - 1):
        into[:, t] = g[:, t] + of(a, t) * g[:, t + 1]
    before = torch.cat([h_0[:, None], h[:, :-1]], dim=1)
    return into * before, into, a[:, 0] * into[:, 0]


def by_products(a, h, h_0, g):
    """Divide by the product of all factors up to each step."""
    product = a.cumprod(dim=1)
    into = (product * g).flip(1).cumsum(dim=1).flip(1) / product
    before = torch.cat([h_0[:, None], h[:, :-1]], dim=1)
    return into * before, into, a[:, 0] * into[:, 0]


EXERCISE = Exercise(
    name="scan_backward",
    title="the gradients of a linear recurrence, derived",
    points=4,
    difficulty=3,
    outputs={"grad_a": "B T d", "grad_b": "B T d", "grad_h_0": "B d"},
    cases=cases,
    drive=call,
    reference=scan_backward,
    against="`torch.autograd.grad` through the loop, in double precision,",
    tolerance=1e-10,
    by_hand=frozenset({"_make_dual", "backward", "grad", "run_backward"}),
    mistakes=(
        Mistake(
            "The error goes back by the a of its own step. Between h_t and h_(t+1) stands a_(t+1).",
            wrong(passed=lambda a, t: a[:, t]),
        ),
        Mistake(
            "Errors do not go back: what comes in at later steps never reaches earlier ones.",
            wrong(passed=lambda a, t: 0.0),
        ),
        Mistake(
            "Errors go back by one step only. What reaches h_(t+1) from behind goes on to h_t.",
            one_step_back,
            also=(
                lambda a, h, h_0, g: one_step_back(a, h, h_0, g, of=lambda a, t: a[:, t]),
                lambda a, h, h_0, g: one_step_back(a, h, h_0, g, of=lambda a, t: 1.0),
            ),
        ),
        Mistake(
            "Errors go back undiminished. On their way from t + 1 to t they are multiplied by "
            "a_(t+1).",
            wrong(passed=lambda a, t: 1.0),
        ),
        Mistake(
            "Only the last step's loss is followed. At each t, what the loss sends into h_t "
            "itself is added.",
            wrong(arriving=lambda g, t: g[:, t] * (t == g.shape[1] - 1)),
        ),
        Mistake(
            "a_t is multiplied by h_(t-1), not by h_t: its gradient has the state before.",
            wrong(of_a=lambda into, h, h_0: into * h),
        ),
        Mistake(
            "Before the first step stands h_0, not 0.",
            wrong(
                of_a=lambda into, h, h_0: (
                    into * torch.cat([torch.zeros_like(h_0)[:, None], h[:, :-1]], dim=1)
                )
            ),
        ),
        Mistake(
            "The gradient by b is multiplied by something. b_t is added as it is.",
            wrong(of_b=lambda into, a: into * a),
        ),
        Mistake(
            "The gradient by h_0 is that of h_1. Between them stands a_1.",
            wrong(of_h_0=lambda into, a: into[:, 0]),
        ),
        Mistake(
            "The gradient by a takes what the loss sends into h_t directly. What comes from behind "
            "belongs to it, too.",
            lambda a, h, h_0, g: (
                g * torch.cat([h_0[:, None], h[:, :-1]], dim=1),
                *wrong()(a, h, h_0, g)[1:],
            ),
        ),
        Mistake(
            "The gradient by h_0 takes what the loss sends into h_1 directly. What comes from "
            "behind belongs to it, too.",
            lambda a, h, h_0, g: (*wrong()(a, h, h_0, g)[:2], a[:, 0] * g[:, 0]),
        ),
        Mistake(
            "The gradient by h_0 is summed over the batch. Each sequence began from a state of its "
            "own.",
            wrong(of_h_0=lambda into, a: (a[:, 0] * into[:, 0]).sum(dim=0).expand_as(a[:, 0])),
        ),
        Mistake(
            "The gradients come in another order: first by a, then by b, then by h_0.",
            lambda a, h, h_0, g: tuple(wrong()(a, h, h_0, g)[i] for i in (1, 0, 2)),
        ),
        Mistake(
            "There is a division by the product of factors, and that may be 0.",
            by_products,
        ),
        Mistake(
            "The gradient by h_0 leaves out all but the last step.",
            wrong(of_h_0=lambda into, a: a.prod(dim=1) * into[:, -1]),
        ),
        Mistake(
            "This runs from the beginning on. Errors come from the end.",
            lambda a, h, h_0, g: tuple(
                each.flip(1) if each.ndim == 3 else each
                for each in wrong()(a.flip(1), h, h_0, g.flip(1))
            ),
        ),
    ),
)
