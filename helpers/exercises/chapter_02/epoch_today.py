"""`epoch_today`: an epoch of the old program in today's PyTorch, section 2.8."""

from collections.abc import Callable

import numpy as np
import torch

from helpers.calling.arrays import Case
from helpers.calling.chapter_02 import call_epoch_today
from helpers.exercises.chapter_02.sine_forward import sine_case
from helpers.exercises.contract import Exercise, Mistake


def epoch_today(x, y, w1, w2, lr):
    """Return the sum of the losses, a number; update w1 and w2 in place after every step.

    x (T,), y (T,), w1 (1 + H, H), w2 (H, 1) are tensors, the weights leaves that require gradients.
    The gradients are those of `torch.autograd.grad`.
    """
    h, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0  # (H,)
    for x_t, y_t in zip(x, y, strict=True):
        h = torch.tanh(torch.cat([x_t.view(1), h]) @ w1)
        loss = (h @ w2 - y_t).square().sum() / 2
        gradients = torch.autograd.grad(loss, (w1, w2))
        with torch.no_grad():
            for weight, gradient in zip((w1, w2), gradients, strict=True):
                weight -= lr * gradient
        h, total = h.detach(), total + loss.item()
    return total


def cases(rng: np.random.Generator) -> list[Case]:
    """Draw series, targets, weights and a learning rate. With one step nothing is handed on."""
    sizes = [(20, 6), (1, 6), (5, 3), (12, 4)]  # T, H
    return [sine_case(rng, T, H) | {"lr": float(rng.uniform(0.02, 0.2))} for T, H in sizes]


def in_place(w: torch.Tensor, step: torch.Tensor) -> torch.Tensor:
    w.data.sub_(step)
    return w


def wrong(
    cut=torch.Tensor.detach, number=torch.Tensor.item, update=in_place, keep=False
) -> Callable:
    """Return an `epoch_today` that departs from the right one in how it deals with graphs.

    update makes of a weight and a step the next weight; keep: whether graphs outlive `backward`
    """

    def answer(x, y, w1, w2, lr):
        h, total = torch.zeros(w1.shape[1], dtype=w1.dtype), 0.0
        for x_t, y_t in zip(x, y, strict=True):
            h = torch.tanh(torch.cat([x_t.view(1), h]) @ w1)
            loss = ((h @ w2 - y_t) ** 2).sum() / 2
            loss.backward(retain_graph=keep)
            total = total + number(loss)
            steps = [lr * w.grad for w in (w1, w2)]
            w1.grad = w2.grad = None
            w1, w2 = (update(w, step) for w, step in zip((w1, w2), steps, strict=True))
            h = cut(h)
        return total

    return answer


def by_hand(
    start=np.zeros,
    join=np.append,
    squash=np.tanh,
    slope=lambda h: 1 - h**2,
    out=lambda prediction: prediction,
    out_slope=lambda prediction: 1.0,
    errors=lambda prediction, y, t: prediction - y[t : t + 1],
    factor=1.0,
    change=lambda d1, d2: (d1, d2),
    kept=(0.0, 0.0),
    handed_on=lambda h, z, w1: h,
) -> Callable:
    """Return an `epoch_today` without graphs that departs from the right one in what is given.

    change makes of the gradients of w1 and w2 what is subtracted; kept: which part of each is left
    when the next one is added to it; handed_on: the context of the next step
    """

    def answer(x, y, w1, w2, lr):
        weights, sums, total = (w1.detach().numpy(), w2.detach().numpy()), (0.0, 0.0), 0.0
        y, h = y.numpy(), start(w1.shape[1])
        for t, x_t in enumerate(x.numpy()):
            z = join(x_t, h)
            h = squash(z @ weights[0])
            made = out(h @ weights[1])  # (1,)
            e = errors(made, y, t)
            of_made = factor * e.sum() * out_slope(made)
            back = of_made * slope(h) * weights[1][:, 0]
            gradients = np.outer(z, back), np.outer(h, of_made)
            sums = tuple(k * s + g for k, s, g in zip(kept, sums, gradients, strict=True))
            for weight, gradient in zip(weights, change(*sums), strict=True):
                weight -= lr * gradient
            h, total = handed_on(h, z, weights[0]), total + factor * (e**2).sum() / 2
        return total

    return answer


def clipped(*gradients: np.ndarray, limit: float = 1.0, added: float = 1e-6) -> list[np.ndarray]:
    """Return gradients clipped as PyTorch does it, with `added` to their norm."""
    norm = np.sqrt(sum((g**2).sum() for g in gradients))
    return [g * min(1.0, limit / (norm + added)) for g in gradients]


def no_longer_require_gradients(x, y, w1, w2, lr):
    total = by_hand()(x, y, w1, w2, lr)
    w1.requires_grad_(False)
    w2.requires_grad_(False)
    return total


def once_per_epoch(together: Callable) -> Callable:
    """Return an `epoch_today` that updates once, by the gradients of together(losses)."""

    def answer(x, y, w1, w2, lr):
        h, losses = torch.zeros(w1.shape[1], dtype=w1.dtype), []
        for x_t, y_t in zip(x, y, strict=True):
            h = torch.tanh(torch.cat([x_t.view(1), h.detach()]) @ w1)
            losses.append(((h @ w2 - y_t) ** 2).sum() / 2)
        together(losses).backward()
        for w in (w1, w2):
            w.data -= lr * w.grad
        return sum(losses).item()

    return answer


def outside_no_grad(x, y, w1, w2, lr):
    h = torch.tanh(x[0] * w1[0])  # the first step, whose context is 0
    loss = ((h @ w2 - y[0]) ** 2).sum() / 2
    loss.backward()
    w1 -= lr * w1.grad


def last_loss(x, y, w1, w2, lr):
    before = by_hand()(x[:-1], y[:-1], *(w.detach().clone() for w in (w1, w2)), lr)
    return by_hand()(x, y, w1, w2, lr) - before


EXERCISE = Exercise(
    name="epoch_today",
    title="repair: an epoch of the old program, in today's PyTorch",
    points=2,
    difficulty=2,
    outputs={
        "total loss": "",
        "w1 afterwards": "row column",
        "w2 afterwards": "row column",
        "the total holds on to its graph": "",
        "weights require gradients": "weight",
    },
    cases=cases,
    drive=call_epoch_today,
    reference=epoch_today,
    against="`torch.autograd.grad` and updates by hand",
    tolerance=1e-9,
    mistakes=(
        Mistake(
            "A loss, as an entry of x, has no axes today: `[0]` finds nothing. Use `.item()`.",
            wrong(number=lambda loss: loss.data[0]),
            also=(wrong(number=lambda loss: loss[0]),),
        ),
        Mistake(
            "The gradients are never cleared, so each step adds to those before. Set them to zero "
            "or None after the update.",
            by_hand(kept=(1.0, 1.0)),
        ),
        Mistake(
            "The gradient of one weight is never cleared: set both to zero or None after the "
            "update.",
            by_hand(kept=(0.0, 1.0)),
            also=(by_hand(kept=(1.0, 0.0)),),
        ),
        Mistake(
            "`backward` runs into a step before: detach the context, go back from one loss only.",
            wrong(cut=lambda h: h),
        ),
        Mistake(
            "The context keeps its graph, and each error travels back through all steps before. "
            "Detach it: then `retain_graph` is not needed either.",
            wrong(cut=lambda h: h, keep=True),
            also=(wrong(cut=lambda h: h, keep=True, update=torch.no_grad()(torch.Tensor.sub_)),),
        ),
        Mistake(
            "The loss is half of the squared error. Here the half is missing.", by_hand(factor=2.0)
        ),
        Mistake(
            "The weights move twice as far: `backward` belongs to half of the squared error.",
            by_hand(change=lambda d1, d2: (2 * d1, 2 * d2)),
        ),
        Mistake(
            "Each prediction is compared with all of y. Its target is `y[t]`.",
            by_hand(errors=lambda prediction, y, t: prediction - y),
        ),
        Mistake(
            "Each prediction is compared with its input. The target of `x[t]` is `y[t]`.",
            lambda x, y, *rest: by_hand()(x, x, *rest),
        ),
        Mistake(
            "The last step is missing: go through all T steps, with target `y[t]` for `x[t]`.",
            lambda x, y, *rest: by_hand()(x[:-1], y[:-1], *rest),
        ),
        Mistake("The context does not start at zero, but at ones.", by_hand(start=np.ones)),
        Mistake(
            "Everything is nan, as it is where the context starts from memory that was never "
            "filled, `torch.empty` or `torch.FloatTensor(1, 6)`. Start from `torch.zeros`.",
            by_hand(start=lambda H: np.full(H, np.nan)),
        ),
        Mistake(
            "The context that is handed on is computed anew, with the new weights. Hand on the one "
            "that made the prediction.",
            by_hand(handed_on=lambda h, z, w1: np.tanh(z @ w1)),
        ),
        Mistake(
            "Input and context are joined in the wrong order: row 0 of w1 is for the input.",
            by_hand(join=lambda x_t, h: np.append(h, x_t)),
        ),
        Mistake(
            "The context is not squashed. Equation 2.2 has a `tanh`.",
            by_hand(squash=lambda a: a, slope=np.ones_like),
        ),
        Mistake(
            "The prediction is squashed too. Equation 2.3 is linear.",
            by_hand(out=np.tanh, out_slope=lambda prediction: 1 - prediction**2),
        ),
        Mistake(
            "The context goes through another function than `tanh`, which equation 2.2 has.",
            by_hand(squash=lambda a: 1 / (1 + np.exp(-a)), slope=lambda h: h * (1 - h)),
            also=(by_hand(squash=lambda a: np.maximum(a, 0), slope=lambda h: h > 0),),
        ),
        Mistake(
            "The gradients are clipped. The program takes them as they are.",
            by_hand(change=clipped),
            also=(by_hand(change=lambda d1, d2: clipped(d1, d2, added=0.0)),),
        ),
        Mistake(
            "The total is a mean. Return the sum of the losses.",
            lambda *args: by_hand()(*args) / len(args[0]),
        ),
        Mistake(
            "The weights move uphill: subtract the gradients.",
            by_hand(change=lambda d1, d2: (-d1, -d2)),
        ),
        Mistake(
            "`lr` has no part in the update: subtract `lr` times the gradient.",
            lambda *args: by_hand()(*args[:4], 1.0),
            also=(lambda *args: by_hand()(*args[:4], 0.1),),
        ),
        Mistake(
            "The weights never move: they are not updated, or the gradients are 0 by then.",
            lambda *args: by_hand()(*args[:4], 0.0),
        ),
        Mistake(
            "`w = w - …` makes a new tensor, which has no `.grad`, and the caller's stays as it "
            "was. Write `w1 -= …` and `w2 -= …` under `no_grad`.",
            wrong(update=lambda w, step: w - step),
            also=(wrong(update=lambda w, step: w.detach() - step),),
        ),
        Mistake(
            "The weights require no gradients afterwards, so the next epoch fails. Leave that on.",
            no_longer_require_gradients,
        ),
        Mistake(
            "The weights are updated once, at the end. The program updates them after every step.",
            once_per_epoch(sum),
            also=(once_per_epoch(lambda losses: losses[-1]),),
        ),
        Mistake(
            "The caller's weights have not changed. Update w1 and w2 in place.",
            lambda x, y, w1, w2, lr: by_hand()(x, y, w1.detach().clone(), w2.detach().clone(), lr),
        ),
        Mistake(
            "A leaf that requires gradients may be changed in place only inside `torch.no_grad()`.",
            outside_no_grad,
        ),
        Mistake(
            "The total is a tensor that drags the graphs of all steps along. Add `loss.item()`.",
            wrong(number=lambda loss: loss),
        ),
        Mistake("w2 is never updated.", by_hand(change=lambda d1, d2: (d1, 0 * d2))),
        Mistake("This returns the last step's loss. Return the sum over the epoch.", last_loss),
        Mistake(
            "The context starts from zeros at every step. Hand it on, detached.",
            by_hand(handed_on=lambda h, z, w1: 0 * h),
        ),
        Mistake(
            "w1 never changes: it is not updated, or nothing comes back to it, because the new "
            "context is detached before the prediction is made. Detach what the next step gets.",
            by_hand(change=lambda d1, d2: (0 * d1, d2)),
        ),
    ),
)
