"""`memory_derivative`: what the forget gates leave of a memory up to the last step, section 3.4.

B sequences in a batch, T time steps, H hidden size.
"""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case, call
from helpers.exercises.contract import Exercise, Mistake


def memory_derivative(forget_gates):
    """Return the derivatives (B, T, H) of the last memory by those of all steps, by autograd.

    forget_gates (B, T, H), float64: row t is the gate of step t, which multiplies the memory of
    step t - 1. The gates are held still, so that the memory has no other way.
    """
    memory = torch.zeros_like(forget_gates[:, 0], requires_grad=True)
    memories = []
    for gate in forget_gates.unbind(dim=1):
        memory = gate * memory + 1.0
        memories.append(memory)
    return torch.stack(torch.autograd.grad(memories[-1].sum(), memories), dim=1)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw gates, some of them closed: what went through a closed gate is 0, not nan."""
    sizes = [(2, 5, 3), (1, 1, 2), (3, 3, 3), (1, 9, 1)]  # B, T, H
    sizes += [tuple(rng.integers(2, 7, size=3)) for _ in range(4)]
    drawn = [{"forget_gates": rng.uniform(0.05, 1, size)} for size in sizes]
    for case in drawn[-2:]:
        case["forget_gates"][:, -1, 0] = 0.0
    return drawn


def wrong(
    first=torch.ones_like,
    gate=lambda f, t: f[:, t + 1],
    together=lambda kept, f: kept * f,
    order=lambda T: range(T - 1)[::-1],
) -> Callable:
    """Return a `memory_derivative` that departs from the right one in what is given.

    first     of a gate -> what stands at the last step
    gate      which gate leads from step t + 1 back to step t
    together  of what is kept so far and that gate -> what is kept then
    order     in which steps are gone through
    """

    def answer(forget_gates):
        kept = torch.zeros_like(forget_gates)
        kept[:, -1] = first(forget_gates[:, -1])
        for t in order(forget_gates.shape[1]):
            kept[:, t] = together(kept[:, t + 1], gate(forget_gates, t))
        return kept

    return answer


EXERCISE = Exercise(
    name="memory_derivative",
    title="what the forget gates leave of a memory",
    points=3,
    difficulty=2,
    outputs={"derivative": "B T H"},
    cases=cases,
    drive=call,
    reference=memory_derivative,
    against="autograd, the gates held still,",
    tolerance=1e-10,
    by_hand=frozenset({"grad", "backward"}),
    mistakes=(
        Mistake(
            "Each place has one gate too many, its own. The gate of step t multiplies the memory "
            "that was there before it; c_t has still to pass the gates from t + 1 on.",
            lambda f: f.flip(1).cumprod(1).flip(1),
        ),
        Mistake(
            "The gates are multiplied from the front. c_t has to pass the gates *after* it.",
            lambda f: f.cumprod(1),
            also=(lambda f: torch.cat([torch.ones_like(f[:, :1]), f[:, :-1].cumprod(1)], dim=1),),
        ),
        Mistake(
            "The last step has its gate. c_T is c_T: its derivative by itself is 1.",
            wrong(first=lambda f: f),
        ),
        Mistake(
            "The last step is 0. c_T is c_T: its derivative by itself is 1.",
            lambda f: (
                memory_derivative(f)
                * torch.cat([torch.ones_like(f[:, 1:]), torch.zeros_like(f[:, :1])], dim=1)
            ),
        ),
        Mistake(
            "Each place has one gate only. From c_t to c_T the way leads through all between.",
            lambda f: torch.cat([f[:, 1:], torch.ones_like(f[:, :1])], dim=1),
            also=(lambda f: f,),
        ),
        Mistake(
            "The gates are added up. On one way derivatives are multiplied.",
            wrong(together=lambda kept, f: kept + f),
            also=(lambda f: f.flip(1).cumsum(1).flip(1),),
        ),
        Mistake(
            "The result is in reverse: place t belongs to c_t, and the last place is 1.",
            lambda f: memory_derivative(f).flip(1),
        ),
        Mistake(
            "Of every step there is the product of all gates. c_t does not pass those before it.",
            lambda f: f.prod(1, keepdim=True).expand_as(f).clone(),
        ),
        Mistake(
            "The gate of a step is to be multiplied, and here it is one minus it.",
            wrong(gate=lambda f, t: 1 - f[:, t + 1]),
        ),
        Mistake(
            "The way from step t + 1 back to step t leads through the gate of step t + 1.",
            wrong(gate=lambda f, t: f[:, t]),
        ),
        Mistake(
            "This divides one product by another, and 0 by 0 where a gate is closed. Multiply "
            "from the end instead.",
            lambda f: f.prod(1, keepdim=True) / f.cumprod(1),
        ),
        Mistake(
            "The units are multiplied with each other. Each unit's memory goes its own way.",
            lambda f: memory_derivative(f).prod(2, keepdim=True).expand_as(f).clone(),
        ),
    ),
)
