"""`sgd_step`: gradient descent with clipping and momentum, equation 2.12."""

from collections.abc import Callable

import numpy as np
import torch
from torch.optim.sgd import sgd

from helpers.calling.arrays import Case
from helpers.calling.chapter_02 import call_sgd_step
from helpers.exercises.chapter_02.sine_forward import tensors
from helpers.exercises.contract import Exercise, Mistake


def sgd_step(weights, gradients, velocities, lr, momentum, max_norm):
    """Return lists of new weights and new velocities, made by PyTorch's `clip_grad_norm_` and SGD.

    weights, gradients and velocities are lists of float64 arrays of the same shapes; the rest are
    numbers.
    """
    # These are copies, which PyTorch then changes in place.
    weights, gradients, velocities = (list(tensors(*a)) for a in (weights, gradients, velocities))
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = gradient
    torch.nn.utils.clip_grad_norm_(weights, max_norm)
    # `torch.optim.SGD` calls this function too, but making an optimizer imports a compiler.
    off = {"weight_decay": 0.0, "dampening": 0.0, "nesterov": False, "maximize": False}
    sgd(weights, gradients, velocities, lr=lr, momentum=momentum, foreach=False, **off)
    return [w.numpy() for w in weights], [v.numpy() for v in velocities]


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw two weights, their velocities and three gradients for each, for three steps in a row."""
    ratios = (0.3, 10.0, 0.5, 0.7, 3.0, 0.1)  # below 1, the first gradients are clipped
    return [case_with(rng, ratio) for ratio in ratios]


def case_with(rng: np.random.Generator, ratio: float) -> Case:
    """Return a case whose max_norm is `ratio` times the norm of the first gradients."""
    shapes = [(7, 6), (6, 1)] if rng.random() < 0.5 else [(3, 2), (2, 1)]

    def draw():
        return [rng.normal(size=shape) for shape in shapes]

    gradients = draw()
    return {
        "weights": draw(),
        "gradients": gradients,
        "gradients_2": draw(),
        "gradients_3": draw(),
        "velocities": draw(),
        "lr": float(rng.uniform(0.01, 0.2)),
        "momentum": float(rng.uniform(0.5, 0.95)),
        "max_norm": ratio * float(global_norm(gradients)),
    }


def global_norm(gradients: list[np.ndarray]) -> np.floating:
    """Return the norm of all entries of all gradients together."""
    return np.sqrt(sum((g**2).sum() for g in gradients))


def clipped(gradients, max_norm):
    return shortened(gradients, max_norm, global_norm(gradients))


def shortened(gradients, max_norm, norm):
    return [g * min(1.0, max_norm / norm) for g in gradients]


def wrong(
    clip=clipped,
    velocity=lambda v, g, lr, momentum: momentum * v + g,
    move=lambda w, v, g, lr, momentum: w - lr * v,
    keep=lambda velocities, max_norm: velocities,
) -> Callable:
    """Return an `sgd_step` that departs from the right one in what is given."""

    def answer(weights, gradients, velocities, lr, momentum, max_norm):
        gradients = clip(gradients, max_norm)
        pairs = zip(velocities, gradients, strict=False)
        velocities = keep([velocity(v, g, lr, momentum) for v, g in pairs], max_norm)
        triples = zip(weights, velocities, gradients, strict=False)
        return [move(w, v, g, lr, momentum) for w, v, g in triples], velocities

    return answer


def with_norm(norm: Callable) -> Callable:
    """Return an `sgd_step` that clips by another norm of the list of gradients."""
    return wrong(clip=lambda gs, limit: shortened(gs, limit, norm(gs)))


def scaled(factor: Callable) -> Callable:
    """Return an `sgd_step` that scales all gradients by factor(norm, max_norm)."""
    return wrong(clip=lambda gs, limit: [g * factor(global_norm(gs), limit) for g in gs])


def returned(change: Callable) -> Callable:
    """Return an `sgd_step` that returns change(new, given), of both weights and velocities."""

    def answer(weights, gradients, velocities, *settings):
        new = wrong()(weights, gradients, velocities, *settings)
        return change(new, (weights, velocities))

    return answer


def joined(gradients: list[np.ndarray]) -> np.ndarray:
    return np.concatenate([g.ravel() for g in gradients])


def moves_by_the_old_velocity(weights, gradients, velocities, lr, momentum, max_norm):
    moved = [w - lr * v for w, v in zip(weights, velocities, strict=True)]
    return moved, wrong()(weights, gradients, velocities, lr, momentum, max_norm)[1]


def moves_in_place(weights, gradients, velocities, lr, momentum, max_norm):
    for w, v, g in zip(weights, velocities, clipped(gradients, max_norm), strict=True):
        v *= momentum
        v += g
        w -= lr * v
    return weights, velocities


EXERCISE = Exercise(
    name="sgd_step",
    title="gradient descent with momentum and clipping",
    points=2,
    difficulty=2,
    outputs={"weights": "entry", "velocities": "entry"},
    cases=cases,
    drive=call_sgd_step,
    reference=sgd_step,
    against="`torch.optim`'s SGD and `clip_grad_norm_`, over three steps each,",
    tolerance=1e-6,  # clip_grad_norm_ divides by norm + 1e-6
    mistakes=(
        Mistake(
            "The weights move uphill: subtract the step.",
            wrong(move=lambda w, v, g, lr, momentum: w + lr * v),
        ),
        Mistake(
            "The old velocity is forgotten: this is plain descent. Keep momentum times of it.",
            wrong(velocity=lambda v, g, lr, momentum: g),
        ),
        Mistake(
            "The learning rate is inside the velocity. It multiplies v in the step, equation 2.12.",
            wrong(
                velocity=lambda v, g, lr, momentum: momentum * v + lr * g,
                move=lambda w, v, g, lr, momentum: w - v,
            ),
        ),
        Mistake(
            "The learning rate comes in twice, in the velocity and in the step. It multiplies the "
            "velocity only (equation 2.12).",
            wrong(velocity=lambda v, g, lr, momentum: momentum * v + lr * g),
        ),
        Mistake(
            "The learning rate is missing: move the weights by `lr * v`.",
            wrong(move=lambda w, v, g, lr, momentum: w - v),
        ),
        Mistake(
            "`momentum` is missing: the old velocity stays whole. Keep momentum times of it.",
            wrong(velocity=lambda v, g, lr, momentum: v + g),
        ),
        Mistake(
            "`momentum` multiplies the gradient. It is for the old velocity: `momentum * v + g`.",
            wrong(velocity=lambda v, g, lr, momentum: v + momentum * g),
            also=(
                wrong(velocity=lambda v, g, lr, momentum: momentum * (v + g)),
                wrong(velocity=lambda v, g, lr, momentum: (1 - momentum) * v + momentum * g),
            ),
        ),
        Mistake(
            "The gradient enters the velocity with a minus sign. It is `momentum * v + g`, and the "
            "weights move by `-lr * v`.",
            wrong(
                velocity=lambda v, g, lr, momentum: momentum * v - g,
                move=lambda w, v, g, lr, momentum: w + lr * v,
            ),
            also=(wrong(velocity=lambda v, g, lr, momentum: momentum * v - g),),
        ),
        Mistake(
            "This averages: momentum v + (1 - momentum) g. Equation 2.12 adds the whole gradient.",
            wrong(velocity=lambda v, g, lr, momentum: momentum * v + (1 - momentum) * g),
        ),
        Mistake(
            "The velocity is computed, but the weights move by the gradient alone.",
            wrong(move=lambda w, v, g, lr, momentum: w - lr * g),
        ),
        Mistake(
            "Each gradient is clipped on its own. Use the norm of both together, as in chapter 1.",
            wrong(clip=lambda gs, limit: [clipped([g], limit)[0] for g in gs]),
        ),
        Mistake(
            "The norm lacks its root: its square stands for it.",
            with_norm(lambda gs: global_norm(gs) ** 2),
        ),
        Mistake(
            "The norms of the arrays are added. The global norm is the root of the sum of squares.",
            with_norm(lambda gs: sum(map(np.linalg.norm, gs))),
        ),
        Mistake(
            "Only one array counts, in the norm or in all. All entries of all gradients count, and "
            "one factor scales all.",
            with_norm(lambda gs: np.linalg.norm(gs[0])),
            also=(
                with_norm(lambda gs: np.linalg.norm(gs[-1])),
                wrong(clip=lambda gs, limit: clipped(gs[:1], limit) + gs[1:]),
            ),
        ),
        Mistake(
            "This is not the norm by which to clip. It is the root of the sum of all squares.",
            with_norm(lambda gs: np.sqrt(np.mean(joined(gs) ** 2))),
            also=(
                with_norm(lambda gs: np.abs(joined(gs)).sum()),
                with_norm(lambda gs: np.abs(joined(gs)).max()),
            ),
        ),
        Mistake(
            "The gradients come out as if the limit were always 1. It is `max_norm`: the factor is "
            "`min(1, max_norm / norm)`.",
            wrong(clip=lambda gs, limit: clipped(gs, 1.0)),
            also=(scaled(lambda norm, limit: 1 / norm),),
        ),
        Mistake(
            "Where the norm is above `max_norm`, the gradients are only divided by it. Multiply by "
            "`max_norm`, too.",
            scaled(lambda norm, limit: 1 / norm if norm > limit else 1.0),
        ),
        Mistake(
            "The factor is upside down: it is `max_norm / norm`.",
            scaled(lambda norm, limit: norm / limit if norm > limit else 1.0),
            also=(scaled(lambda norm, limit: min(1.0, norm / limit)),),
        ),
        Mistake(
            "Short gradients are stretched, long ones stay. Scale where the norm is above "
            "`max_norm`: by `min(1, max_norm / norm)`.",
            scaled(lambda norm, limit: max(1.0, limit / norm)),
        ),
        Mistake(
            "The velocity is clipped. Clip the gradients, before they enter it.",
            wrong(clip=lambda gs, limit: gs, keep=clipped),
        ),
        Mistake(
            "Single entries are clipped: the direction changes. Scale all by one factor.",
            wrong(clip=lambda gs, limit: [np.clip(g, -limit, limit) for g in gs]),
        ),
        Mistake(
            "The weights move by the old velocity. Update the velocity first, then the weights.",
            moves_by_the_old_velocity,
        ),
        Mistake(
            "This looks one step ahead. Equation 2.12 moves by the velocity.",
            wrong(move=lambda w, v, g, lr, momentum: w - lr * (g + momentum * v)),
        ),
        Mistake("The gradients are not clipped.", wrong(clip=lambda gs, limit: gs)),
        Mistake(
            "Small gradients are scaled up to `max_norm`. Clipping only ever shortens.",
            scaled(lambda norm, limit: limit / norm),
        ),
        Mistake(
            "The velocities come back as they were given. Return the new ones.",
            returned(lambda new, given: (new[0], given[1])),
        ),
        Mistake(
            "The weights come back as they were given. Return the new ones.",
            returned(lambda new, given: (given[0], new[1])),
        ),
        Mistake(
            "Weights and velocities are swapped: return the weights first.",
            returned(lambda new, given: new[::-1]),
        ),
        Mistake(
            "Only the first array of each list comes back. Is `return` inside the loop?",
            returned(lambda new, given: tuple(part[:1] for part in new)),
        ),
        Mistake(
            "All three are lists of arrays of different shapes, no arrays themselves: go through "
            "them, or join their entries.",
            wrong(clip=lambda gs, limit: shortened(gs, limit, np.linalg.norm(gs))),
            also=(
                lambda ws, gs, *rest: gs**2,
                lambda ws, gs, vs, lr, momentum, limit: momentum * vs,
            ),
        ),
        Mistake(
            "This changes the arrays that it was given. Make new ones: the caller may compare.",
            moves_in_place,
        ),
        Mistake(
            "The velocity holds the whole step, sign and learning rate included: v = momentum v - "
            "lr g. In equation 2.12 it is a sum of gradients, and the weights move by -lr v.",
            wrong(
                velocity=lambda v, g, lr, momentum: momentum * v - lr * g,
                move=lambda w, v, g, lr, momentum: w + v,
            ),
        ),
    ),
)
