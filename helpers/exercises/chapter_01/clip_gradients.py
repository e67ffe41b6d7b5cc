"""`clip_gradients`: clip gradients by their global norm, equation 1.5."""

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

from helpers.calling.arrays import Case
from helpers.calling.chapter_01 import call_clip_gradients
from helpers.exercises.contract import Exercise, Mistake


def clip_gradients(parameters, max_norm):
    """Return the global norm of all gradients before clipping, a scalar tensor; clip them in place.

    parameters: an iterable of parameters, gone through once, of which some may have `grad` None;
    max_norm: a number. The work is done by `nn.utils.clip_grad_norm_`.
    """
    return nn.utils.clip_grad_norm_(parameters, max_norm)


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw gradients of unlike sizes, and a limit that is `ratio` times their global norm.

    Where the ratio is 0, all gradients are 0, and the limit is 1.
    """

    def case(ratio, as_generator):
        shapes = [(3,), tuple(rng.integers(2, 5, size=2)), (1,)]
        scales = 10 ** rng.uniform(-1, 1, size=3) if ratio else np.zeros(3)
        gradients = [rng.normal(size=s) * scale for s, scale in zip(shapes, scales, strict=True)]
        norm = float(np.sqrt(sum((g**2).sum() for g in gradients)))
        max_norm = ratio * norm if ratio else 1.0
        return {"gradients": gradients, "max_norm": max_norm, "as_generator": as_generator}

    ratios = [0.3, 0.5, 2.0, 0.05, 20.0, 0.9, *rng.uniform(0.1, 2.0, size=4), 0.0]
    return [case(ratio, as_generator=i % 2 == 1) for i, ratio in enumerate(ratios)]


def factor(norm: torch.Tensor | float, max_norm: float) -> float:
    """Return the factor of equation 1.5. A norm that is a number, not a tensor, must not be 0."""
    return min(1.0, float(max_norm / norm))


def global_norm(gradients: list) -> torch.Tensor:
    """Return the root of the sum of all squares."""
    return sum(g.square().sum() for g in gradients) ** 0.5


def wrong(
    norm_of=global_norm,
    clip=lambda g, norm, max_norm: g.mul_(factor(norm, max_norm)),
) -> Callable:
    """Return a `clip_gradients` that departs from the right one in what is given."""

    def answer(parameters, max_norm):
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = norm_of(gradients)
        for g in gradients:
            clip(g, norm, max_norm)
        return norm

    return answer


def scaled_where(condition: Callable, factor_of=lambda norm, max_norm: max_norm / norm) -> Callable:
    """Return what scales a gradient by `factor_of` where condition(norm, max_norm) holds."""
    return lambda g, norm, max_norm: g.mul_(
        factor_of(norm, max_norm) if condition(norm, max_norm) else 1.0
    )


def too_long(norm, max_norm):
    return norm > max_norm


def not_all(chosen: Callable, in_norm=True) -> Callable:
    """Return a `clip_gradients` that scales only some gradients, and takes the norm of all or some.

    chosen: list of gradients -> those that are scaled
    """

    def answer(parameters, max_norm):
        gradients = [p.grad for p in parameters if p.grad is not None]
        norm = global_norm(gradients if in_norm else chosen(gradients))
        for g in chosen(gradients):
            g.mul_(factor(norm, max_norm))
        return norm

    return answer


def norm_so_far(parameters, max_norm):
    gradients = []
    for p in parameters:
        if p.grad is not None:
            gradients.append(p.grad.clone())
            p.grad.mul_(factor(global_norm(gradients), max_norm))
    return global_norm(gradients)


def mean_square(gradients):
    return torch.cat([g.flatten() for g in gradients]).square().mean()


def matrices(gradients):
    return [g for g in gradients if g.dim() > 1]


def other_result(result: Callable) -> Callable:
    """Return a `clip_gradients` that clips rightly and returns result(norm, max_norm)."""
    return lambda parameters, max_norm: result(clip_gradients(parameters, max_norm), max_norm)


def of_the_weights(parameters, max_norm):
    return global_norm([p.detach().double() for p in parameters])


def goes_through_twice(skips_unused: bool) -> Callable:
    """Return a `clip_gradients` that goes through its parameters twice."""

    def answer(parameters, max_norm):
        norm = sum(p.grad.square().sum() for p in parameters if p.grad is not None) ** 0.5
        for p in parameters:
            if p.grad is not None or not skips_unused:
                p.grad.mul_(factor(norm, max_norm))
        return norm

    return answer


def forgets_unused(square_sum: Callable) -> Callable:
    """Return a `clip_gradients` that takes the `square_sum` of every gradient, even of None."""

    def answer(parameters, max_norm):
        gradients = [p.grad for p in parameters]
        norm = sum(square_sum(g) for g in gradients) ** 0.5
        for g in gradients:
            g.mul_(factor(norm, max_norm))
        return norm

    return answer


def returns_nothing(parameters, max_norm):
    clip_gradients(parameters, max_norm)


def returns_norm_afterwards(parameters, max_norm):
    parameters = list(parameters)
    clip_gradients(parameters, max_norm)
    return clip_gradients(parameters, max_norm)  # finds nothing left to clip


EXERCISE = Exercise(
    name="clip_gradients",
    title="clip gradients by their global norm",
    points=2,
    difficulty=2,
    outputs={"gradients afterwards": "entry", "returned norm": ""},
    cases=cases,
    drive=call_clip_gradients,
    reference=clip_gradients,
    against="`nn.utils.clip_grad_norm_`",
    by_hand=frozenset({"clip_grad_norm_", "clip_grads_with_norm_"}),
    mistakes=(
        Mistake(
            "Each tensor is clipped on its own, which changes the direction. Use one norm for all.",
            wrong(clip=lambda g, norm, max_norm: g.mul_(factor(g.norm(), max_norm))),
        ),
        Mistake(
            "This clips single values, which changes the direction of the step. "
            "Scale all gradients by one factor.",
            wrong(clip=lambda g, norm, max_norm: g.clamp_(-max_norm, max_norm)),
            also=(nn.utils.clip_grad_value_,),
        ),
        Mistake(
            "Small gradients are changed. Clipping only ever shortens, where `norm > max_norm`.",
            wrong(clip=lambda g, norm, max_norm: g.mul_(max_norm / norm)),
            also=(
                wrong(clip=scaled_where(lambda norm, max_norm: norm > 0)),
                wrong(clip=scaled_where(lambda norm, max_norm: norm > 1)),
                wrong(clip=scaled_where(lambda norm, max_norm: norm**2 > max_norm)),
            ),
        ),
        Mistake(
            "Gradients that are short enough are scaled, long ones are not. Scale where the norm "
            "is larger than `max_norm`.",
            wrong(clip=scaled_where(lambda norm, max_norm: 0 < norm < max_norm)),
            also=(wrong(clip=scaled_where(lambda norm, max_norm: norm < max_norm)),),
        ),
        Mistake(
            "Gradients are divided by their norm, which makes it 1. The factor is "
            "`max_norm / norm`, where the norm is larger than `max_norm`.",
            wrong(clip=scaled_where(too_long, lambda norm, max_norm: 1 / norm)),
            also=(
                wrong(clip=scaled_where(lambda norm, _: norm > 0, lambda norm, _: 1 / norm)),
                wrong(clip=lambda g, norm, max_norm: g.div_(norm)),
            ),
        ),
        Mistake(
            "The factor is upside down, `norm / max_norm`. It is `max_norm / norm`, at most 1.",
            wrong(clip=scaled_where(too_long, lambda norm, max_norm: norm / max_norm)),
            also=(wrong(clip=lambda g, norm, max_norm: g.mul_(norm / max_norm)),),
        ),
        Mistake(
            "The norm goes only over the parameters so far, so the first are scaled too little. "
            "Finish the norm in a loop of its own.",
            norm_so_far,
        ),
        Mistake(
            "Gradients with one axis are left out, of the norm at least. All make one vector.",
            not_all(matrices, in_norm=False),
            also=(wrong(norm_of=lambda gradients: global_norm(matrices(gradients))),),
        ),
        Mistake(
            "Some gradients are not scaled, the first or the last say. Scale all, in the loop.",
            not_all(lambda gradients: gradients[-1:]),
            also=(
                not_all(lambda gradients: gradients[:-1]),
                not_all(lambda gradients: gradients[1:]),
            ),
        ),
        Mistake(
            "`parameters` may be a generator, as `model.parameters()` is: the second loop over it "
            "finds nothing. Make a list first.",
            goes_through_twice(skips_unused=True),
            also=(goes_through_twice(skips_unused=False),),
        ),
        Mistake(
            "With all gradients 0 the norm is 0, and dividing by it fails. Scale only where the "
            "norm is larger than `max_norm`.",
            wrong(norm_of=lambda gradients: sum(g.square().sum().item() for g in gradients) ** 0.5),
        ),
        Mistake(
            "The root is missing: this is the square of the global norm.",
            wrong(norm_of=lambda gradients: sum(g.square().sum() for g in gradients)),
        ),
        Mistake(
            "The norms are added. The global norm is the root of the sum of their squares.",
            wrong(norm_of=lambda gradients: sum(g.norm() for g in gradients)),
        ),
        Mistake(
            "The largest norm of one tensor is taken. Take one norm over all tensors together.",
            wrong(norm_of=lambda gradients: max(g.norm() for g in gradients)),
        ),
        Mistake(
            "The largest single entry is taken. The norm is the root of the sum of all squares.",
            wrong(norm_of=lambda gradients: max(g.abs().max() for g in gradients)),
        ),
        Mistake(
            "Absolute values are added. The norm is the root of the sum of all squares.",
            wrong(norm_of=lambda gradients: sum(g.abs().sum() for g in gradients)),
        ),
        Mistake(
            "Squares are averaged. The norm is the root of their sum.",
            wrong(norm_of=lambda gradients: mean_square(gradients) ** 0.5),
        ),
        Mistake(
            "Only the last gradient enters the norm. Add up the squares of all, in the loop.",
            wrong(norm_of=lambda gradients: gradients[-1].norm()),
        ),
        Mistake(
            "The norm is 0 here whatever the gradients are. Is it taken of the weights, which are "
            "0, not of `p.grad`?",
            of_the_weights,
        ),
        Mistake(
            "A parameter that the loss did not use has `grad` None. Skip it.",
            forgets_unused(lambda g: g.square().sum()),
            also=(
                forgets_unused(lambda g: (g**2).sum()),
                forgets_unused(lambda g: g.norm() ** 2),
                forgets_unused(lambda g: torch.linalg.vector_norm(g) ** 2),
            ),
        ),
        Mistake(
            "The gradients are clipped, but nothing is returned. Return the norm before clipping.",
            returns_nothing,
        ),
        Mistake(
            "The returned norm is the one after clipping. Return the one before.",
            returns_norm_afterwards,
        ),
        Mistake(
            "The norm is returned only where something was clipped. Return it in any case.",
            other_result(lambda norm, max_norm: norm if norm > max_norm else None),
        ),
        Mistake(
            "The returned value is `max_norm`. Return the norm before clipping.",
            other_result(lambda norm, max_norm: max_norm),
        ),
        Mistake(
            "The gradients stay as they are. Scale `p.grad` in place, and not in a second loop "
            "over a generator that the first loop has used up.",
            wrong(clip=lambda g, norm, max_norm: g),
        ),
    ),
)
